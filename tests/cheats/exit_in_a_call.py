"""Ends its process with status 0 during a call, like a test process that has passed.

The judge ignores the exit status: a program that ends before it answers has crashed.
"""
# stops: strong, reduced, practice
# seen: crash: the program exited with status 0

Ledger.apply = lambda self, event: os._exit(0)
Ledger.checkout = lambda self, order: os._exit(0)
