"""Clears its parent-death signal, evades the memory watchdog, adopts orphans, and leaves a process behind.

seccomp refuses these calls, and at every tier the grandparent outlives both and ends all remaining processes.
"""
# stops: strong, reduced, practice
# seen: fail: death -> .*watch -> .*orphans -> .*left -> done

import contextlib
import signal
import time


def _prctl(option, value):
    def act():
        if ctypes.CDLL(None, use_errno=True).prctl(option, value):
            raise OSError(ctypes.get_errno(), "")

    return act


def _left():
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
                signal.signal(number, signal.SIG_IGN)
            with contextlib.suppress(OSError):  # there is no such program
                os.execv("/bin/sleep", ["sleep", "300.0", MARK])
            time.sleep(300)
        os._exit(0)
    os.wait()
    return True


for_nobody(lambda: tell(death=_prctl(1, 0), watch=_prctl(4, 0), orphans=_prctl(36, 1), left=_left))
