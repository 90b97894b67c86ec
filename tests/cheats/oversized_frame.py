"""Answers with an endless frame, to exhaust the memory of the reader.

A frame has at most 1 MB; a program that sends more is ended.
"""
# stops: strong, reduced, practice
# seen: fail: the answer is larger than 1 MB

Ledger.balance = Ledger.book = lambda self, *of: "0" * 50_000_000
