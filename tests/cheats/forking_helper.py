"""Leaves a helper that forks and exits again and again, so that no process list ever contains it.

It dies with its PID namespace; otherwise one system call kills all processes of its user.
"""
# stops: strong, reduced, practice
# seen: fail: helper -> done

import time


def _helper():
    if os.fork() == 0:
        os.setsid()
        until = time.monotonic() + 3
        while time.monotonic() < until:
            if os.fork():
                os._exit(0)
        os.execv("/bin/sleep", ["sleep", "300.0", MARK])
    return True


for_nobody(lambda: tell(helper=_helper))
