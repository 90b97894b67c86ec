"""Answers with a number of 900,000 digits, to keep whoever reads it as an int busy for hours.

Numbers beyond what fits 64 bits are bounded before they are converted.
"""
# stops: strong, reduced, practice
# seen: fail: is not an answer in the judge's format

from drill_katas.sut import wire

wire.encode = lambda frame: b'{"ok": ' + b"9" * 900_000 + b"}"
