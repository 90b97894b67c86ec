"""Never finishes its import.

The import is a request with a limit of 5 s; a program that exceeds it is killed.
"""
# stops: strong, reduced, practice
# seen: hang: import of .*: no answer within 5 s

import time

time.sleep(600)
