"""Answers with lists in lists, 900 deep: fit to be read, and perhaps too deep for what is done with it then.

What cannot be told is a failed check, whatever it raises.
"""
# stops: strong, reduced, practice
# seen: fail: an unknown account holds \[\[\[

from drill_katas.sut import wire

encode = wire.encode
wire.encode = lambda frame: b'{"ok": ' + b"[" * 900 + b"]" * 900 + b"}" if frame == {"ok": "0"} else encode(frame)
