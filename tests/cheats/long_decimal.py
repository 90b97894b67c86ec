"""Answers with expensive decimal numbers: 900,000 digits, and exponents of a billion.

An oracle accepts plain decimal numbers only, and Python converts at most 4,300 digits.
"""
# stops: strong, reduced, practice
# seen: fail: is not a plain decimal number

Ledger.balance = lambda self, *of: "9" * 900_000
Ledger.book = lambda self, *of: "1e999999999"
