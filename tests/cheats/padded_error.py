"""Forges an error message of 900,000 spaces, which takes hours to match with a backtracking pattern.

The judge's patterns take linear time, and a message has a bound.
"""
# stops: strong, reduced, practice
# seen: fail: raised E$

from drill_katas.sut import host

_error = {"kind": "raised", "type": "E", "message": " " * 900_000, "frames": []}
host.Host.answer = lambda self, request, fds: {"error": _error}
