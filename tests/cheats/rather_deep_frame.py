"""Answers with lists nested 900 deep: the decoder accepts them, but later code may recurse too deeply.

The judge checks data as the program's host should: at most 32 levels.
"""
# stops: strong, reduced, practice
# seen: fail: returned at \[0\]\[0\].* nesting deeper than

from drill_katas.sut import wire

encode = wire.encode
wire.encode = lambda frame: (
    b'{"ok": ' + b"[" * 900 + b"]" * 900 + b"}" if getattr(frame, "ok", None) == "0" else encode(frame)
)
