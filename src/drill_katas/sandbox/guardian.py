"""The parent of a zygote: a process that outlives it, and ends what is left of its SUTs, however the zygote ended.

A SUT that forks twice loses its parent-death signal. Its orphans go to the nearest subreaper: to the zygote, and when
that was killed, to this process. No SUT at the tiers strong and reduced can signal it, and it reads no request.
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
    """Return in a child of this process, which goes on as its guardian. `uid` is that of the SUTs.

    The guardian's end is a SIGTERM to the child. Where there is no Linux, there are no subreapers, and nothing happens.
    """
    if sys.platform != "linux":
        return
    zygote = os.fork()
    if zygote == 0:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        return
    try:
        prctl(PR_SET_CHILD_SUBREAPER, 1)
        os.closerange(3, os.sysconf("SC_OPEN_MAX"))  # the control socket's end must be the zygote's own
        while os.waitpid(-1, 0)[0] != zygote:
            pass
        kill_descendants(uid, SECONDS)
    finally:
        os._exit(0)
