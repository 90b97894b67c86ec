"""Starts a daemon with two forks and a new session, which ignores every signal it can, to survive the run.

All processes of a program end with it: by its PID namespace, or by its uid and its process tree.
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
