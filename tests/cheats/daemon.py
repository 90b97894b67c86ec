"""Starts a daemon by two forks and a session of its own, which ignores every signal and is to outlive the run.

All that a program starts dies with it: with its PID namespace, or by its user and its place among the processes.
"""
# stops: strong, reduced, practice
# seen: fail: daemon -> done

import signal
import sys
import time


def _sleep():
    try:
        os.execv(sys.executable, [sys.executable, "-c", "import time; time.sleep(300)", MARK])
    except OSError:  # there is no such program
        time.sleep(300)


def _daemon():
    ready, tell_it = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
                signal.signal(number, signal.SIG_IGN)
            os.write(tell_it, b".")
            _sleep()
        os._exit(0)
    os.wait()
    os.read(ready, 1)
    if os.fork() == 0:
        _sleep()
    return True


for_nobody(lambda: tell(daemon=_daemon))
