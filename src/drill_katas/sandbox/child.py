"""From a fresh fork to a SUT: what it gives up on the way, ahead of any of the learner's code."""

from __future__ import annotations

import contextlib
import faulthandler
import functools
import os
import signal
import socket
import sys
import sysconfig
from typing import TYPE_CHECKING, Final, NoReturn

from drill_katas.sandbox import landlock, limits, namespaces, seccomp
from drill_katas.sandbox.syscalls import PR_SET_NO_NEW_PRIVS, PR_SET_PDEATHSIG, prctl
from drill_katas.sandbox.tier import Tier
from drill_katas.sut.dialing import connect_through
from drill_katas.sut.host import Host, serve

if TYPE_CHECKING:
    from drill_katas.sandbox.protocol import Spawn

SYSTEM: Final = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime")
CALLS, READY, STACKS, DIALLER = 3, 4, 5, 6  # where a SUT has its descriptors, behind the standard ones


def become_sut(request: Spawn, uid: int | None, already_running: int, ready: int, fds: list[int]) -> NoReturn:
    """Turn this fresh fork into a SUT and serve until the judge hangs up.

    When it is held as the request asks for, it writes "ok" to `ready`, and otherwise what has stood in the way.
    """
    try:
        _arrange(ready, *fds)
        try:
            confine(request, uid, already_running)
        except OSError as error:
            os.write(READY, str(error).encode())
            os._exit(1)
        os.write(READY, b"ok")
        os.close(READY)
        if request.tier is Tier.REDUCED:
            connect_through(socket.socket(fileno=DIALLER))
        serve(socket.socket(fileno=CALLS), Host(request.package, request.modules, request.overlay))
    finally:
        os._exit(0)


@functools.cache
def libraries() -> dict[str, str]:
    """Return where all that every SUT may read lies, and where that really is. `sys.path` is its zygote's still."""
    return real(*SYSTEM, *filter(None, (sysconfig.get_config_var("LIBDIR"), *sys.path)))


def real(*paths: str) -> dict[str, str]:
    """Return where these paths lead."""
    return {path: os.path.realpath(path) for path in paths}


def prepare() -> None:
    """Work out in the zygote what is the same for every SUT of it."""
    libraries()
    with contextlib.suppress(OSError):  # who needs it will say so
        for pid in (None, os.getpid()):
            seccomp.filter_for(pid)


def confine(request: Spawn, uid: int | None, already_running: int) -> None:
    """Give up what the tier takes away, for good. Raises `OSError` when that cannot be done here."""
    tier, overlay = request.tier, request.overlay
    hidden = list(real(*request.hidden).values())
    seen = {**libraries(), **real(overlay, request.sockets)}
    if tier is Tier.STRONG:
        namespaces.build(seen, hidden)
    os.chdir(overlay)
    limits.limit(request.memory_mib, request.processes, already_running)
    devices = [(f"/dev/{name}", landlock.READ | landlock.WRITE_FILE) for name in namespaces.DEVICES]
    rules = [*landlock.readable(seen, hidden), *devices] if tier is Tier.REDUCED else []
    limits.become_nobody(uid, may_read=tier is not Tier.STRONG)
    if sys.platform == "linux":
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # after the uid: changing that clears it
    if tier is Tier.PRACTICE:
        return
    if os.geteuid() == 0:
        raise OSError("root can change to no other uid")
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    if tier is Tier.REDUCED:
        landlock.confine(rules)
        seccomp.confine(own_pid=os.getpid())
    else:
        with contextlib.suppress(OSError):  # no more than a second lock on the same door
            landlock.confine([("/", landlock.READ), (namespaces.SCRATCH, landlock.WRITE), *devices])
        seccomp.confine(own_pid=None)


def _arrange(ready: int, calls: int, output: int, stacks: int, *dialer: int) -> None:
    """Be a session of one's own, with no file open but what a SUT needs."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    high = [os.dup2(fd, 100 + place) for place, fd in enumerate((output, calls, ready, stacks, *dialer))]
    for fd, place in zip(high, (1, CALLS, READY, STACKS, DIALLER), strict=False):  # they are out of the way now
        os.dup2(fd, place, inheritable=place == 1)
    os.dup2(1, 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.closerange(STACKS + 1 + len(dialer), os.sysconf("SC_OPEN_MAX"))
    for stream, fd in (("stdout", 1), ("stderr", 2)):
        setattr(sys, stream, open(fd, "w", encoding="utf-8", errors="replace", buffering=1, closefd=False))  # noqa: SIM115
    faulthandler.register(signal.SIGUSR1, file=STACKS, all_threads=True)
