"""Behaves when it is graded, and only then: it looks at its environment, arguments, user, folder and parent's name.

A program is started the same way whoever asks, so that it finds nothing to go by. It tells what it saw.
"""
# stops: strong, reduced, practice
# seen: fail: looked at

import sys

_seen = [*os.environ, *os.environ.values(), *sys.argv, *sys.orig_argv, os.getcwd(), *sys.path]
if any(word in each.lower() for each in _seen for word in ("grade", "seed", "github", "ci=", "submission")):
    show(" ".join(_seen), "grade", "GRADE", "seed", "submission")
raise Tried(f"looked at {len(_seen)} things")
