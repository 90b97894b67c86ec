"""The host's processes from /proc: their descendants, their resources, and how to kill them."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time

from drill_katas.sandbox import limits


def descendants(ancestor: int) -> list[int]:
    """Return the ids of all running descendants of a process; empty without Linux."""
    children: dict[int, list[int]] = {}
    for pid, stat in _stats():
        if stat[0] != "Z":
            children.setdefault(int(stat[1]), []).append(pid)
    found, unseen = [], [ancestor]
    while unseen:
        below = children.get(unseen.pop(), [])
        found += below
        unseen += below
    return found


def memory_bytes(pid: int) -> int:
    """Return the memory of a process in bytes, with its page tables and its share of the pages that forks share.

    0 if the process is gone. https://man7.org/linux/man-pages/man5/proc_pid_smaps.5.html, proc_pid_status(5).
    """
    return 1024 * (_kib(pid, "smaps_rollup", ("Pss:", "SwapPss:")) + _kib(pid, "status", ("VmPTE:",)))


def _kib(pid: int, file: str, names: tuple[str, ...]) -> int:
    with contextlib.suppress(OSError), open(f"/proc/{pid}/{file}", encoding="utf-8", errors="replace") as lines:
        return sum(int(line.split()[1]) for line in lines if line.startswith(names))
    return 0


def descriptors(pid: int) -> int:
    """Return the number of open files and sockets of a process; 0 if the process is gone."""
    with contextlib.suppress(OSError):
        return os.stat(f"/proc/{pid}/fd").st_size or len(os.listdir(f"/proc/{pid}/fd"))  # st_size is 0 before Linux 6.2
    return 0


def threads(pid: int) -> int:
    """Return the number of threads of a process; 0 if the process is gone."""
    return _kib(pid, "status", ("Threads:",))


def kill_descendants(uid: int | None, seconds: float = 2.0) -> None:
    """Kill all remaining processes of the last SUT, including those that left its process group.

    Orphans become children of this process, because it is their subreaper. A process that forks and exits in a loop can
    be faster than a scan of /proc; the kill by `uid`, the SUT's own, and the list of children catch it.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        limits.kill_user(uid)
        left = _children() or descendants(os.getpid())
        if not left:
            return
        _kill(left)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def kill_strays(zygote: int, mark: str) -> None:
    """Kill the remaining processes of a killed zygote, by its SUTs' uid or by its mark in their environment."""
    uid = limits.FIRST_UID + zygote
    for _ in range(20):
        strays = [pid for pid, stat in _stats() if stat[0] != "Z" and _is_of(pid, uid, mark)]
        if not strays:
            return
        _kill(strays)
        limits.kill_user(uid)


def _kill(pids: list[int]) -> None:
    """Kill processes. Stop all of them first, so that none forks while the others are being killed."""
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)


def _children() -> list[int]:
    """Return the children of this process, including adopted orphans; empty if the kernel does not list them."""
    pid = os.getpid()
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
            return [int(child) for child in children.read().split()]
    except OSError:
        return []


def _is_of(pid: int, uid: int, mark: str) -> bool:
    with contextlib.suppress(OSError):
        if os.stat(f"/proc/{pid}").st_uid == uid:
            return True
        with open(f"/proc/{pid}/environ", "rb") as environ:
            return f"KATA_ZYGOTE={mark}".encode() in environ.read().split(b"\0")
    return False


def threads_of_user() -> int:
    """Return the number of threads of this process's user."""
    count = 0
    for pid, stat in _stats():
        with contextlib.suppress(OSError):
            if os.stat(f"/proc/{pid}").st_uid == os.geteuid():
                count += int(stat[17])  # num_threads, proc_pid_stat(5)
    return count


def _stats() -> list[tuple[int, list[str]]]:
    """Return the pid of each process with the fields of its /proc/PID/stat after the command name."""
    found = []
    for entry in os.listdir("/proc") if sys.platform == "linux" else ():
        if entry.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as stat:
                found.append((int(entry), stat.read().rpartition(")")[2].split()))
    return found
