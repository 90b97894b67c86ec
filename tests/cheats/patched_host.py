"""Replaces Host.answer and find_unplain in its process, to answer true to everything and to send what is refused.

The host serves the submission and is as little trusted: what it sends is a claim, of JSON's types, and compared.
"""
# stops: strong, reduced, practice
# seen: fail: holds True USD

from drill_katas.sut import host

host.find_unplain = lambda value, *_: None
host.Host.answer = lambda self, request, fds: {"ok": True}
