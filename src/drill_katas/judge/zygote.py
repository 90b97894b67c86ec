"""The process that SUTs are forked from: warm, single-threaded, without tests or solutions in it.

Run as a script: `python -I zygote.py CONTROL_FD PATH...`. Over the control socket the judge sends
- `{"op": "preload", "modules": [...]}`: import these now, so that every SUT has them already
- `{"op": "spawn", "package", "modules", "paths", "cwd", "limits"}` with three file descriptors (call
  socket, output pipe, stacks pipe): fork a SUT; answered by `{"spawned": pid}`
- `{"op": "kill", "pid", "why"}`: end that SUT and all that it started
and hears `{"exited": pid, "status": wait status, "why": ...}` once for every SUT. One SUT lives at a
time. When the judge is gone, however it went, the zygote kills what is left and ends.
"""

from __future__ import annotations

import contextlib
import faulthandler
import importlib
import json
import os
import select
import signal
import socket
import sys
import time
from typing import Any, Final

if __name__ == "__main__":
    sys.path[:] = sys.argv[2:]  # the judge's: -I leaves only what the interpreter itself knows

from drill_katas.judge import sandbox
from drill_katas.sut.host import Host, serve

WATCH_SECONDS: Final = 0.1  # how often a living SUT's processes and memory are looked at
MIB: Final = 1 << 20


class Zygote:
    """The loop of this process."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._buffer = b""
        self._fds: list[int] = []
        self._sut: int | None = None
        self._limits: dict[str, int] = {}
        self._why: str | None = None
        self._others = threads_of_user() if os.geteuid() else 0
        self._alarm, self._wake = os.pipe()
        os.set_blocking(self._alarm, False)
        os.set_blocking(self._wake, False)
        signal.set_wakeup_fd(self._wake)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def run(self) -> None:
        """Serve until the judge closes the control socket."""
        watch_at = 0.0
        try:
            while True:
                timeout = WATCH_SECONDS if self._sut else None
                waiting: list[socket.socket | int] = [self._control, self._alarm]
                ready, _, _ = select.select(waiting, [], [], timeout)
                if self._alarm in ready:
                    with contextlib.suppress(BlockingIOError):
                        os.read(self._alarm, 4096)
                if self._control in ready and not self._read_requests():
                    return
                self._reap()
                if self._sut and time.monotonic() >= watch_at:  # by the clock: a SUT can keep this loop busy
                    self._watch()
                    watch_at = time.monotonic() + WATCH_SECONDS
        finally:
            self._end_sut("the judge is gone")

    def _read_requests(self) -> bool:
        try:
            data, fds, _, _ = socket.recv_fds(self._control, 65536, 3)
        except ConnectionResetError:  # the judge was killed with something of ours unread
            return False
        if not data:
            return False
        self._buffer += data
        self._fds += fds
        *lines, self._buffer = self._buffer.split(b"\n")
        for line in lines:
            self._serve(json.loads(line))
        return True

    def _serve(self, request: dict[str, Any]) -> None:
        match request["op"]:
            case "preload":
                for module in request["modules"]:
                    with contextlib.suppress(ImportError):  # the learner's own import will report it
                        importlib.import_module(module)
            case "spawn":
                self._spawn(request)
            case "kill":
                if request["pid"] == self._sut:
                    self._end_sut(request["why"])

    def _spawn(self, request: dict[str, Any]) -> None:
        self._end_sut("replaced")
        fds, self._fds = self._fds, []
        pid = os.fork()
        if pid == 0:
            os.close(self._alarm)
            os.close(self._wake)
            self._control.close()
            become_sut(request, self._others, *fds)
        for fd in fds:
            os.close(fd)
        self._sut, self._limits, self._why = pid, request["limits"], None
        self._tell({"spawned": pid})

    def _watch(self) -> None:
        """End a SUT that has too many processes, or too much memory over all of them."""
        processes = descendants(os.getpid())
        memory = sum(resident_bytes(pid) for pid in processes)
        if len(processes) > self._limits["processes"]:
            self._end_sut("processes")
        elif memory > (self._limits["memory_mib"] * MIB) * 1.25:
            self._end_sut("memory")

    def _end_sut(self, why: str) -> None:
        if self._sut is None:
            return
        self._why = why
        for kill in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                kill(self._sut, signal.SIGKILL)
        _, status = os.waitpid(self._sut, 0)
        self._forget(status)

    def _reap(self) -> None:
        """Collect every child that has ended; the SUT's end is told to the judge."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid == self._sut:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(pid, signal.SIGKILL)
                self._forget(status)

    def _forget(self, status: int) -> None:
        pid, self._sut = self._sut, None
        kill_descendants()
        self._tell({"exited": pid, "status": status, "why": self._why})

    def _tell(self, message: dict[str, Any]) -> None:
        with contextlib.suppress(OSError):  # the judge is gone; run() will see it
            self._control.sendall(json.dumps(message).encode() + b"\n")


def become_sut(request: dict[str, Any], already_running: int, call_fd: int, output_fd: int, stacks_fd: int) -> None:
    """Turn this fresh fork into a SUT and serve until the judge hangs up. Never returns."""
    try:
        os.setsid()
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(output_fd, 1)
        os.dup2(output_fd, 2)
        os.close(output_fd)
        for stream, fd in (("stdout", 1), ("stderr", 2)):
            setattr(sys, stream, open(fd, "w", encoding="utf-8", errors="replace", buffering=1, closefd=False))  # noqa: SIM115
        faulthandler.register(signal.SIGUSR1, file=stacks_fd, all_threads=True)
        os.chdir(request["cwd"])
        sys.path[:0] = request["paths"]
        sandbox.limit(request["limits"]["memory_mib"], request["limits"]["processes"], already_running)
        sandbox.become_nobody()
        sandbox.prctl(sandbox.PR_SET_PDEATHSIG, signal.SIGKILL)  # after the uid: changing that clears it
        serve(socket.socket(fileno=call_fd), Host(request["package"], request["modules"]))
    finally:
        os._exit(0)


def descendants(ancestor: int) -> list[int]:
    """Return the process ids below `ancestor` that have not ended (Linux; elsewhere none are seen)."""
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


def resident_bytes(pid: int) -> int:
    """Return a process's share of resident memory in bytes; what forks have in common is counted once. 0 if it is gone.

    `Pss` of https://man7.org/linux/man-pages/man5/proc_pid_smaps.5.html, in KiB.
    """
    with contextlib.suppress(OSError), open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as rollup:
        for line in rollup:
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    return 0


def kill_descendants(seconds: float = 2.0) -> None:
    """Kill whatever the last SUT left behind, also what has left its process group.

    Orphans come back to this process, which is their subreaper, so that none gets away. What forks and ends, over and
    over, is faster than a look at all of /proc, and may not be seen there: hence the other two.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        sandbox.kill_user(sandbox.FIRST_UID + os.getpid())
        left = _children() or descendants(os.getpid())
        if not left:
            return
        _kill(left)
        with contextlib.suppress(ChildProcessError):
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass


def end_strays(zygote: int, mark: str) -> None:
    """Kill what a zygote that was killed has left: it has its SUTs' uid, or the zygote's mark in its environment."""
    uid = sandbox.FIRST_UID + zygote
    for _ in range(20):
        strays = [pid for pid, stat in _stats() if stat[0] != "Z" and _is_of(pid, uid, mark)]
        if not strays:
            return
        _kill(strays)
        sandbox.kill_user(uid)


def _kill(pids: list[int]) -> None:
    """Kill processes; they are all stopped first, so that none forks while the others are being killed."""
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, number)


def _children() -> list[int]:
    """Return this process's children, orphans that came to it among them, where the kernel lists them."""
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
    """Return how many threads this process's user has running."""
    count = 0
    for pid, stat in _stats():
        with contextlib.suppress(OSError):
            if os.stat(f"/proc/{pid}").st_uid == os.geteuid():
                count += int(stat[17])  # num_threads, proc_pid_stat(5)
    return count


def _stats() -> list[tuple[int, list[str]]]:
    """Return (pid, the fields of /proc/PID/stat after the command's name) of all processes."""
    found = []
    for entry in os.listdir("/proc") if sys.platform == "linux" else ():
        if entry.isdigit():
            with contextlib.suppress(OSError), open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as stat:
                found.append((int(entry), stat.read().rpartition(")")[2].split()))
    return found


def main() -> None:
    """Start the zygote on the control socket that the judge has passed."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the judge, which then hangs up
    sandbox.prctl(sandbox.PR_SET_CHILD_SUBREAPER, 1)
    Zygote(socket.socket(fileno=int(sys.argv[1]))).run()


if __name__ == "__main__":
    main()
