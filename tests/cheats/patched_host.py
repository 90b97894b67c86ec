"""Replaces the code in its process that answers the judge: the new code answers true, and sends types of any kind.

The judge does not trust the host process: its frames are JSON data, and the judge compares them.
"""
# stops: strong, reduced, practice
# seen: fail: holds True USD

from drill_katas.sut import host

host.find_unplain = lambda value, *_: None
host.Host.answer = lambda self, request, fds: {"ok": True if type(request).__name__ == "CallMethod" else 1}
