"""Answers with lists in lists, 900 deep: fit to be read, and perhaps too deep for what is done with it then.

The judge looks at what it gets as the program's host should have: nothing nests deeper than 32 levels.
"""
# stops: strong, reduced, practice
# seen: fail: returned at \[0\]\[0\].* nesting deeper than

from drill_katas.sut import wire

encode = wire.encode
wire.encode = lambda frame: b'{"ok": ' + b"[" * 900 + b"]" * 900 + b"}" if frame == {"ok": "0"} else encode(frame)
