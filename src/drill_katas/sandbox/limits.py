"""Resource limits of a SUT, and how it drops its privileges.

The fork of the zygote calls this before any of the learner's code runs. Where the system has no such limit (not Linux,
not root), only the zygote's own supervision remains.
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
ADDRESS_SPACE: Final = 8192 * MIB  # per process; limits its page tables to 16 MiB
DESCRIPTORS: Final = 1024  # per process and per SUT, because a unix socket buffers up to 208 KiB of unread data
THREADS: Final = 128  # on top of the processes; RLIMIT_NPROC counts a thread as a process
COUNTS_PER_NAMESPACE: Final = (5, 14)  # the first Linux that counts processes per user namespace
KILLER: Final = 500_000_000  # offset from a spare uid to the uid that kills its processes
FIRST_UID: Final = 1_000_000_000  # unused: far above the uids of people and services

PR_SET_KEEPCAPS: Final = 8
CAPABILITY_VERSION_3: Final = 0x20080522
CAP_DAC_READ_SEARCH: Final = 2


def limit(memory_mib: int, processes: int, already_running: int) -> None:
    """Set this process's resource limits, in addition to the zygote's supervision.

    `already_running` is the number of this user's other processes and threads, because RLIMIT_NPROC counts them too.
    """
    # RLIMIT_DATA counts private writable memory. RLIMIT_AS is wider, because it also counts address space that is only
    # reserved for stacks and arenas: https://man7.org/linux/man-pages/man2/getrlimit.2.html
    _set(resource.RLIMIT_DATA, memory_mib * MIB)
    _set(resource.RLIMIT_AS, ADDRESS_SPACE)
    _set(resource.RLIMIT_NOFILE, DESCRIPTORS)
    _set(resource.RLIMIT_CORE, 0)
    _set(resource.RLIMIT_FSIZE, FILE_LIMIT)
    _set(resource.RLIMIT_NPROC, already_running + processes + THREADS)


def spare_uid() -> int | None:
    """Return an unused uid for the SUTs of this process, or None if it cannot change the uid.

    That takes root on Linux, and in a container a uid map that contains the uid.
    """
    if sys.platform != "linux" or os.geteuid() != 0:
        return None
    uid = FIRST_UID + os.getpid()
    with open("/proc/self/uid_map", encoding="ascii") as ranges:
        known = [range(int(first), int(first) + int(many)) for first, _, many in map(str.split, ranges)]
    return uid if all(any(each in one for one in known) for each in (uid, uid + KILLER)) else None


@functools.cache
def has_own_process_count(tier: Tier) -> bool:
    """Return whether RLIMIT_NPROC counts only the processes and threads of one SUT.

    The kernel counts per user and user namespace: a SUT has a uid of its own if root starts it, and a user namespace of
    its own at the tier strong.
    """
    if spare_uid() is not None:
        return True
    return tier is Tier.STRONG and tuple(map(int, re.findall(r"\d+", os.uname().release)[:2])) >= COUNTS_PER_NAMESPACE


def drop_privileges(uid: int | None, *, may_read: bool) -> None:
    """Drop all privileges: change from root to the spare uid, which may not write root's files.

    RLIMIT_NPROC does not limit uid 0. With `may_read` the process may still read all files, because Python may be
    installed in root's home.
    """
    if uid is not None:
        prctl(PR_SET_KEEPCAPS, 1)
        with contextlib.suppress(OSError):  # a restricted root may not; then RLIMIT_NPROC may limit it as well
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
    if sys.platform == "linux" and os.geteuid():
        _keep_only(1 << CAP_DAC_READ_SEARCH if may_read and uid is not None else 0)


def kill_user(uid: int | None) -> None:
    """Kill all processes of a spare uid at once, so that none can escape by forking."""
    if uid is None:
        return
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid + KILLER, uid, uid + KILLER)  # so that they cannot signal this process
            os.kill(-1, signal.SIGKILL)  # everything that this uid may signal, except this process
        finally:
            os._exit(0)
    os.waitpid(pid, 0)


def _keep_only(capabilities: int) -> None:
    header = struct.pack("=Ii", CAPABILITY_VERSION_3, 0)
    sets = struct.pack("=6I", capabilities, capabilities, 0, 0, 0, 0)  # effective, permitted, inheritable; high halves
    ctypes.CDLL(None).capset(header, sets)


def _set(what: int, value: int) -> None:
    with contextlib.suppress(ValueError, OSError):  # the limit is lower already
        resource.setrlimit(what, (value, value))
