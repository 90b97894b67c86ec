"""Writes frames of logs to the call socket, raw and faster than they are read: while one comes, no clock is looked at.

A call's time is up when it is up, whatever comes meanwhile.
"""
# stops: strong, reduced, practice
# seen: hang|limit: (no answer within 3 s|without end)

import socket
import stat
import time


def _flood():
    until = time.monotonic() + 8
    piece = b'{"log":0}\n' * 6000
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, range(os.cpu_count()))  # so that it writes while the judge reads
    for fd in range(3, 64):
        try:
            if stat.S_ISSOCK(os.fstat(fd).st_mode):
                there = socket.socket(fileno=os.dup(fd))
                while time.monotonic() < until:
                    there.sendall(piece)
        except OSError:
            pass
    raise Stolen("8 s, where 3 are allowed")


for_nobody(_flood)
