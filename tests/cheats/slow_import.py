"""Takes for ever to be imported.

The import is a request with a limit of its own, 5 s, and whoever runs into it is killed.
"""
# stops: strong, reduced, practice
# seen: hang: import of .*: no answer within 5 s

import time

time.sleep(600)
