"""Forges the error frame of a check that was skipped, an error of a kind that the judge may take for its own.

The kinds of errors are a closed list; a frame that is none of them ends the program.
"""
# stops: strong, reduced, practice
# seen: fail: is not an answer in the judge's format

from drill_katas.sut import host

_skip = {"kind": "skipped", "type": "Skipped", "message": "skip", "frames": []}
host.Host.answer = lambda self, request, fds: {"error": _skip}
