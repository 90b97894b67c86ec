"""Calls kill(-1, SIGKILL) during a call, to end the judge and everything else.

It can signal only its own processes. kill(2) spares the caller, which then ends itself.
"""
# stops: strong, reduced, practice as root
# seen: crash|fail: (was killed by SIGKILL|exited with status 0|No such process|not permitted)

import signal


def _all(self, *of):
    if os.getuid() != 0:
        os.kill(-1, signal.SIGKILL)
    os.kill(os.getpid(), signal.SIGKILL)


Ledger.apply = Ledger.checkout = _all
