"""The guardian, the parent of a zygote: it kills the remaining SUT processes after the zygote ended in any way.

A SUT that forks twice loses its parent-death signal. Its orphans go to the nearest subreaper: to the zygote, and after
the zygote's death to the guardian. A SUT at the tiers reduced and strong cannot signal the guardian, and the guardian
reads no requests.
"""

from __future__ import annotations

import os
import signal
import sys
from typing import Final

from drill_katas.sandbox.procfs import kill_descendants
from drill_katas.sandbox.syscalls import PR_SET_CHILD_SUBREAPER, PR_SET_PDEATHSIG, prctl

SECONDS: Final = 60.0  # for the last descendants to end


def guard(uid: int | None) -> None:
    """Fork and return in the child; this process becomes its guardian. `uid` is the uid of the SUTs.

    The child gets SIGTERM when the guardian ends. Without Linux this does nothing, because there are no subreapers.
    """
    if sys.platform != "linux":
        return
    zygote = os.fork()
    if zygote == 0:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        return
    try:
        prctl(PR_SET_CHILD_SUBREAPER, 1)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))  # because the control socket must close with the zygote
        while os.waitpid(-1, 0)[0] != zygote:
            pass
        kill_descendants(uid, SECONDS)
    finally:
        os._exit(0)
