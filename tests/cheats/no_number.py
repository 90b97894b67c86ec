"""Answers NaN, Infinity, and 1e999, which are unequal to themselves or larger than everything.

They are not JSON, and the decoder rejects them.
"""
# stops: strong, reduced, practice
# seen: fail: is not an answer in the judge's format

from drill_katas.sut import wire

_numbers = iter([b"NaN", b"Infinity", b"-Infinity", b"1e999"] * 1000)
wire.encode = lambda frame: b'{"ok": ' + next(_numbers) + b"}"
