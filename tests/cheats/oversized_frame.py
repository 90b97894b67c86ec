"""Answers with a frame that does not end, until whoever reads it has no memory left.

A frame has at most 1 MB; the program that sends more is ended.
"""
# stops: strong, reduced, practice
# seen: fail: the answer is larger than 1 MB

Ledger.balance = Ledger.book = lambda self, *of: "0" * 50_000_000
