"""Answers with the error that a skipped check raises, which the judge could mistake for a skip of its own.

The list of error types is closed; a frame with another type ends the program.
"""
# stops: strong, reduced, practice
# seen: fail: is not an answer in the judge's format

from drill_katas.sut import host

_skip = {"kind": "skipped", "type": "Skipped", "message": "skip", "frames": []}
host.Host.answer = lambda self, request, fds: {"error": _skip}
