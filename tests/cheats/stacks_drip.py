"""Hangs, and writes one byte every 4 ms to the pipe from which the judge reads its stacks.

The time for all stacks together has a bound, even for single bytes.
"""
# stops: strong, reduced, practice
# seen: hang: no answer within 2 s

import fcntl
import stat
import threading
import time


def _drip():
    ours = []
    for fd in range(3, 64):
        try:
            writes = fcntl.fcntl(fd, fcntl.F_GETFL) & os.O_ACCMODE == os.O_WRONLY
            if writes and stat.S_ISFIFO(os.fstat(fd).st_mode):
                ours.append(fd)
        except OSError:
            pass
    until = time.monotonic() + 600
    while time.monotonic() < until:
        for fd in ours:
            os.write(fd, b"x")
        time.sleep(0.004)


def _hang():
    threading.Thread(target=_drip, daemon=True).start()
    time.sleep(600)


for_nobody(_hang)
