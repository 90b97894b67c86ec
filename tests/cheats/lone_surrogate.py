"""Answers with invalid Unicode, raw and escaped, to break the report that shows it.

Raw, it is not JSON; escaped, it is refused or shown as an escape.
"""
# stops: strong, reduced, practice
# seen: fail: is not an answer in the judge's format

from drill_katas.sut import wire

_texts = iter([b'"\\ud800"', b'"\xed\xa0\x80"', b'"\xff\xfe"', b'"\\u0000\\u202e"'] * 1000)
wire.encode = lambda frame: b'{"ok": ' + next(_texts) + b"}"
