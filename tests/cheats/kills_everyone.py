"""Calls kill(-1, SIGKILL) in a call, to take the judge down with everything else.

It is not permitted to signal anyone but itself: kill(2) leaves the caller out, and it goes on to end itself.
"""
# stops: strong, reduced, practice as root
# seen: crash: the program (was killed by SIGKILL|exited with status 0)

import signal


def _all(self, *of):
    if os.getuid() != 0:
        os.kill(-1, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


Ledger.apply = Ledger.checkout = _all
