"""Calls sys.exit(0) while it is imported, so that a test process would end before its first test.

The import is a request like any other, and what it raises is an answer: the check that asked has crashed.
"""
# stops: strong, reduced, practice
# seen: crash: the program called sys.exit\(0\)

import sys

sys.exit(0)
