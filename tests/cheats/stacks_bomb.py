"""Hangs, and writes endlessly to the pipe from which the judge reads its stacks.

The judge reads a bounded number of bytes for a bounded time.
"""
# stops: strong, reduced, practice
# seen: hang: no answer within 2 s

import fcntl
import stat
import threading
import time


def _flood():
    ours = []
    for fd in range(3, 64):
        try:
            writes = fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE == os.O_WRONLY
            if writes and stat.S_ISFIFO(os.fstat(fd).st_mode):
                ours.append(fd)
        except OSError:
            pass
    until = time.monotonic() + 60
    while time.monotonic() < until:
        for fd in ours:
            os.write(fd, b"x" * 4096)
        time.sleep(0.01)


def _hang():
    threading.Thread(target=_flood, daemon=True).start()
    time.sleep(60)


for_nobody(_hang)
