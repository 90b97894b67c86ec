"""Answers with a number of 900,000 digits, so that converting it to int takes hours.

Numbers that do not fit into 64 bits are bounded before they are converted.
"""
# stops: strong, reduced, practice
# seen: fail: is not an answer in the judge's format

from drill_katas.sut import wire

wire.encode = lambda frame: b'{"ok": ' + b"9" * 900_000 + b"}"
