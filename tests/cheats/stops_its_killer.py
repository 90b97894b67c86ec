"""Suspends every process with its user id, even the one that is meant to kill it.

The killer has a different real user, so the helper cannot signal it; or their PID namespace ends.
"""
# stops: strong, reduced, practice as root
# seen: fail|hang: (a helper is there|no answer within)

import contextlib
import signal
import time


def _helper():
    if os.getuid() == 0:
        return
    ready, tell_it = os.pipe()
    if os.fork() == 0:
        os.setsid()
        with contextlib.suppress(PermissionError):  # on every processor, where it may
            os.sched_setaffinity(0, range(os.cpu_count()))
        until = time.monotonic() + 40
        kill = ctypes.CDLL(None).kill
        os.write(tell_it, b".")
        while time.monotonic() < until:
            for _ in range(1000):
                kill(-1, signal.SIGSTOP)
        kill(-1, signal.SIGCONT)
        os._exit(0)
    os.read(ready, 1)
    raise Tried("a helper is there")


_helper()
