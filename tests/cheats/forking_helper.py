"""Leaves a helper that forks and ends, over and over, so that no list of processes ever has it.

It dies with its PID namespace; elsewhere by its user, all processes of which are killed at one stroke.
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
