"""Answers with lists nested 100,000 deep, to overflow the stack of the reader.

The decoder has a bound on depth; such a frame is not an answer.
"""
# stops: strong, reduced, practice
# seen: fail: is not an answer in the judge's format

from drill_katas.sut import wire

wire.encode = lambda frame: b'{"ok": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
