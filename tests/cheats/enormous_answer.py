"""Answers every question with almost 1 MB of text, to fill the report and the terminal.

The shown part of an answer has a bound.
"""
# stops: strong, reduced, practice
# seen: fail: (x{1000}|y{1000})

Ledger.balance = Ledger.book = lambda self, *of: "x" * 900_000
Ledger.checkout = lambda self, order: "y" * 900_000
