"""What a fresh fork gives up before it becomes a SUT: privileges, and resources beyond its limits.

Run in the forked child, ahead of any of the learner's code. Where something cannot be had (not Linux, not
root) the judge's own watch in `zygote.py` is what is left.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import re
import resource
import signal
import struct
import sys
from typing import Final

from drill_katas.sandbox.syscalls import prctl
from drill_katas.sandbox.tier import Tier

MIB: Final = 1 << 20
FILE_LIMIT: Final = 64 * MIB  # bytes a SUT may write to one file
ADDRESS_SPACE: Final = 8192 * MIB  # of each process; its page tables then have 16 MiB at most
DESCRIPTORS: Final = 1024  # of each process, and of a SUT; a unix socket keeps up to 208 KiB that were not read yet
THREADS: Final = 128  # beyond its processes; a thread counts as a process for RLIMIT_NPROC
COUNTS_BY_NAMESPACE: Final = (5, 14)  # the first Linux that counts the processes of each user namespace apart
KILLER: Final = 500_000_000  # from a spare uid to that of who ends its processes
FIRST_UID: Final = 1_000_000_000  # nobody's: far above what systems give to people and services

PR_SET_KEEPCAPS: Final = 8
CAPABILITY_VERSION_3: Final = 0x20080522
CAP_DAC_READ_SEARCH: Final = 2


def limit(memory_mib: int, processes: int, already_running: int) -> None:
    """Set this process's resource limits; the zygote's watch is the belt to these braces.

    `already_running` are the processes and threads of this user that are not ours: RLIMIT_NPROC counts them too.
    """
    # RLIMIT_DATA counts private writable memory. RLIMIT_AS counts address space that is merely reserved for stacks and
    # arenas as well, so that it is wider: https://man7.org/linux/man-pages/man2/getrlimit.2.html
    _set(resource.RLIMIT_DATA, memory_mib * MIB)
    _set(resource.RLIMIT_AS, ADDRESS_SPACE)
    _set(resource.RLIMIT_NOFILE, DESCRIPTORS)
    _set(resource.RLIMIT_CORE, 0)
    _set(resource.RLIMIT_FSIZE, FILE_LIMIT)
    _set(resource.RLIMIT_NPROC, already_running + processes + THREADS)


def spare_uid() -> int | None:
    """Return a uid that nobody has, for the SUTs of this process, or None where it cannot give them one.

    Only root can, on Linux, and in a container only if that maps so many.
    """
    if sys.platform != "linux" or os.geteuid() != 0:
        return None
    uid = FIRST_UID + os.getpid()
    with open("/proc/self/uid_map", encoding="ascii") as ranges:
        known = [range(int(first), int(first) + int(many)) for first, _, many in map(str.split, ranges)]
    return uid if all(any(each in one for one in known) for each in (uid, uid + KILLER)) else None


@functools.cache
def counts_apart(tier: Tier) -> bool:
    """Whether the kernel counts each SUT's processes and threads apart from those of its neighbours.

    It counts them by user: a SUT has a uid of its own where root starts it, and a user namespace at the tier strong.
    """
    if spare_uid() is not None:
        return True
    return tier is Tier.STRONG and tuple(map(int, re.findall(r"\d+", os.uname().release)[:2])) >= COUNTS_BY_NAMESPACE


def become_nobody(uid: int | None, *, may_read: bool) -> None:
    """Give all privileges up: root leaves for a spare uid, which may write nothing of root's.

    For uid 0 RLIMIT_NPROC does nothing, so that a fork bomb would be held by the watch alone. With `may_read` reading
    everything stays allowed to what was root, because Python itself may lie in root's home.
    """
    if uid is not None:
        prctl(PR_SET_KEEPCAPS, 1)
        with contextlib.suppress(OSError):  # not allowed to this root; then RLIMIT_NPROC may hold for it, too
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
    if sys.platform == "linux" and os.geteuid():
        _keep_only(1 << CAP_DAC_READ_SEARCH if may_read and uid is not None else 0)


def kill_user(uid: int | None) -> None:
    """Kill all processes of a spare uid at once, which none of them can outrun by forking."""
    if uid is None:
        return
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid + KILLER, uid, uid + KILLER)  # it may signal them, and they may not signal it
            os.kill(-1, signal.SIGKILL)  # all that this user may signal, but for the process itself
        finally:
            os._exit(0)
    os.waitpid(pid, 0)


def _keep_only(capabilities: int) -> None:
    header = struct.pack("=Ii", CAPABILITY_VERSION_3, 0)
    sets = struct.pack("=6I", capabilities, capabilities, 0, 0, 0, 0)  # effective, permitted, inheritable; high halves
    ctypes.CDLL(None).capset(header, sets)


def _set(what: int, value: int) -> None:
    with contextlib.suppress(ValueError, OSError):  # lower already, and not ours to raise
        resource.setrlimit(what, (value, value))
