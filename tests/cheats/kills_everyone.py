"""Calls kill(-1, SIGKILL) in a call, to take the judge down with everything else.

If there is anyone else, it may signal nobody but itself: kill(2) leaves the caller out, and it goes on to end itself.
"""
# stops: strong, reduced, practice as root
# seen: crash|fail: (was killed by SIGKILL|exited with status 0|No such process|not permitted)

import signal


def _all(self, *of):
    if os.getuid() != 0:
        os.kill(-1, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


Ledger.apply = Ledger.checkout = _all
