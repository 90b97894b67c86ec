"""Calls sys.exit(0) during its import, which would end a test process before its first test.

The import is a request like any other, and its exception is the answer: the check has crashed.
"""
# stops: strong, reduced, practice
# seen: crash: the program called sys.exit\(0\)

import sys

sys.exit(0)
