"""Writes raw log frames to the call socket faster than the judge reads them, so that it never checks its clock.

The time limit of a call applies regardless of incoming frames.
"""
# stops: strong, reduced, practice
# seen: hang|limit: (no answer within 2 s|most of it log lines)

import contextlib
import socket
import stat
import time


def _write(there, until):
    piece = b'{"log":0}\n' * 400  # in one piece, that no other can come between
    while time.monotonic() < until:
        there.send(piece)


def _flood():
    with contextlib.suppress(OSError):  # where the filter of system calls refuses that
        os.sched_setaffinity(0, range(os.cpu_count()))  # so that some write while the judge reads
    until = time.monotonic() + 8
    for fd in range(3, 64):
        try:
            if not stat.S_ISSOCK(os.fstat(fd).st_mode):
                continue
        except OSError:
            continue
        there = socket.socket(fileno=os.dup(fd))
        for _ in range(3):
            if os.fork() == 0:
                _write(there, until)
                os._exit(0)
        _write(there, until)
    raise Stolen("8 s, where 2 are allowed")


for_nobody(_flood)
