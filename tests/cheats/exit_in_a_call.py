"""Ends its process with status 0 in the middle of a call, as a test process that has passed does.

An exit status says nothing to the judge: a program that ends while an answer is awaited has crashed.
"""
# stops: strong, reduced, practice
# seen: crash: the program exited with status 0

Ledger.apply = lambda self, event: os._exit(0)
Ledger.checkout = lambda self, order: os._exit(0)
