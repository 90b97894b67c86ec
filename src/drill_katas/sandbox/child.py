"""Turns a fork of the zygote into a SUT: it drops privileges and access before any of the learner's code runs."""

from __future__ import annotations

import contextlib
import faulthandler
import functools
import importlib
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
from drill_katas.sut.opacity import show_no_source

if TYPE_CHECKING:
    from drill_katas.sandbox.protocol import Spawn

SYSTEM: Final = ("/usr", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/localtime")
CALLS, READY, STACKS, DIALER = 3, 4, 5, 6  # descriptors of a SUT after the standard streams; others follow


def become_sut(request: Spawn, uid: int | None, already_running: int, ready: int, fds: list[int]) -> NoReturn:
    """Turn this fork into a SUT and serve until the judge closes the connection.

    Writes "ok" to `ready` when the sandbox is complete, and otherwise the error.
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
        if request.tier is not Tier.PRACTICE:
            connect_through(socket.socket(fileno=DIALER))
        calls = socket.socket(fileno=CALLS)
        if request.entry:
            importlib.import_module(request.entry).serve(calls)
        else:
            if request.opaque:
                show_no_source()
            serve(calls, Host(request.package, request.modules, request.overlay, opaque=request.opaque))
    finally:
        os._exit(0)


@functools.cache
def libraries() -> dict[str, str]:
    """Return the folders that every SUT may read, each with its real path; read before a SUT changes `sys.path`."""
    return real_paths(*SYSTEM, *filter(None, (sysconfig.get_config_var("LIBDIR"), *sys.path)))


def real_paths(*paths: str) -> dict[str, str]:
    """Return each path with its real path."""
    return {path: os.path.realpath(path) for path in paths}


def prepare() -> None:
    """Fill the caches in the zygote, because their content is the same for every SUT."""
    libraries()
    with contextlib.suppress(OSError):  # a SUT that needs the filter will report the error
        for pid in (None, os.getpid()):
            seccomp.filter_for(pid)


def confine(request: Spawn, uid: int | None, already_running: int) -> None:
    """Enter the sandbox of the requested tier, for good. Raises `OSError` if this machine does not support it."""
    tier, overlay = request.tier, request.overlay
    hidden = list(real_paths(*request.hidden).values())
    seen = {**libraries(), **real_paths(overlay, *request.readable)}
    if tier is Tier.STRONG:
        namespaces.build(seen, hidden)
    os.chdir(overlay)
    limits.limit(request.memory_mib, request.processes, already_running)
    devices = [(f"/dev/{name}", landlock.READ | landlock.WRITE_FILE) for name in namespaces.DEVICES]
    rules = [*landlock.readable(seen, hidden), *devices] if tier is Tier.REDUCED else []
    limits.drop_privileges(uid, may_read=tier is not Tier.STRONG)
    if sys.platform == "linux":
        prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # after the change of uid, which clears this setting
    if tier is Tier.PRACTICE:
        return
    if os.geteuid() == 0:
        raise OSError("root cannot change to another uid")
    prctl(PR_SET_NO_NEW_PRIVS, 1)
    if tier is Tier.REDUCED:
        landlock.confine(rules)
        seccomp.confine(own_pid=os.getpid())
    else:
        with contextlib.suppress(OSError):  # only a second line of defense behind the namespaces
            landlock.confine([("/", landlock.READ), (namespaces.SCRATCH, landlock.WRITE), *devices])
        seccomp.confine(own_pid=None)


def _arrange(ready: int, calls: int, output: int, stacks: int, *others: int) -> None:
    """Start a new session and close all files except those of a SUT."""
    os.setsid()
    signal.set_wakeup_fd(-1)
    for number in (signal.SIGCHLD, signal.SIGTERM):
        signal.signal(number, signal.SIG_DFL)
    high = [os.dup2(fd, 100 + place) for place, fd in enumerate((output, calls, ready, stacks, *others))]
    places = (1, CALLS, READY, STACKS, *range(DIALER, DIALER + len(others)))
    for fd, place in zip(high, places, strict=True):  # `high` cannot collide
        os.dup2(fd, place, inheritable=place == 1)
    os.dup2(1, 2)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.closerange(STACKS + 1 + len(others), os.sysconf("SC_OPEN_MAX"))
    for stream, fd in (("stdout", 1), ("stderr", 2)):
        setattr(sys, stream, open(fd, "w", encoding="utf-8", errors="replace", buffering=1, closefd=False))  # noqa: SIM115
    faulthandler.register(signal.SIGUSR1, file=STACKS, all_threads=True)
