"""The zygote, the prefork process of SUTs: single-threaded, with all libraries imported, without checks or solutions.

Run as a script: `python -P -s zygote.py CONTROL_FD PATH...`. `protocol.py` defines the judge's requests and the
zygote's events. One SUT runs at a time. When the judge ends in any way, the zygote kills the SUT and ends. When the
zygote ends, its guardian kills the SUT; see `guardian.py`.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import os
import signal
import socket
import sys
import time
from typing import TYPE_CHECKING, Final, NoReturn

if __name__ == "__main__":
    sys.path[:] = sys.argv[2:]  # the judge's `import_path()`

import msgspec

from drill_katas.sandbox import limits, namespaces
from drill_katas.sandbox.child import become_sut, prepare
from drill_katas.sandbox.guardian import guard
from drill_katas.sandbox.procfs import (
    descendants,
    descriptors,
    kill_descendants,
    memory_bytes,
    threads,
    threads_of_user,
)
from drill_katas.sandbox.protocol import (
    REQUESTS,
    Exited,
    Kill,
    Preload,
    Rest,
    Rested,
    Spawn,
    Spawned,
    Unavailable,
)
from drill_katas.sandbox.syscalls import PR_SET_CHILD_SUBREAPER, prctl
from drill_katas.sandbox.tier import Tier
from drill_katas.sut.wire import poll_for

if TYPE_CHECKING:
    from collections.abc import Callable

    from drill_katas.sandbox.protocol import Why, ZygoteEvent, ZygoteRequest

WATCH_SECONDS: Final = 0.1  # between two readings of a SUT's processes, memory and descriptors
RECOUNT_SECONDS: Final = 5.0
MIB: Final = 1 << 20
MOST_FDS: Final = 6  # of one request


class Zygote:
    """The main loop of the zygote process."""

    def __init__(self, control: socket.socket, uid: int | None) -> None:
        self._control = control
        self._buffer = b""
        self._fds: list[int] = []
        self._sut: int | None = None
        self._request: Spawn | None = None  # the request that started the SUT
        self._watch_at = 0.0  # monotonic time of the next reading
        self._uid = uid
        self._why: Why | None = None
        self._others, self._counted_at = 0, -RECOUNT_SECONDS
        if uid is None and os.geteuid():  # now, so that the first SUT does not wait for it
            self._count_others()
        self._alarm, self._wake = os.pipe()
        os.set_blocking(self._alarm, False)
        os.set_blocking(self._wake, False)
        signal.set_wakeup_fd(self._wake)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def run(self) -> None:
        """Serve until the judge closes the control socket."""
        poll = poll_for(self._control, self._alarm)
        try:
            while True:
                ready = {fd for fd, _ in poll.poll(WATCH_SECONDS * 1000 if self._sut else None)}
                if self._alarm in ready:
                    with contextlib.suppress(BlockingIOError):
                        os.read(self._alarm, 4096)
                if self._control.fileno() in ready and not self._read_requests():
                    return
                self._reap()
                if self._sut and time.monotonic() >= self._watch_at:  # a SUT can wake this loop more often
                    self._watch()
                    self._watch_at = time.monotonic() + WATCH_SECONDS
        finally:
            self._end_sut("asked")

    def _read_requests(self) -> bool:
        try:
            data, fds, _, _ = socket.recv_fds(self._control, 65536, MOST_FDS)
        except ConnectionResetError:  # the judge was killed and left some of our events unread
            return False
        if not data:
            return False
        self._buffer += data
        self._fds += fds
        *lines, self._buffer = self._buffer.split(b"\n")
        for line in lines:
            self._serve(REQUESTS.decode(line))
        return True

    def _serve(self, request: ZygoteRequest) -> None:
        match request:
            case Preload():
                for module in request.modules:
                    with contextlib.suppress(ImportError):  # the learner's import of it will report the error
                        importlib.import_module(module)
                prepare()
                gc.collect()
                gc.freeze()  # so that a garbage collection in a SUT does not scan and copy these objects
            case Spawn():
                self._spawn(request)
            case Kill():
                if request.pid == self._sut:
                    self._end_sut(request.why)
            case Rest():
                self._end_sut("asked")
                self._send(Rested(request.mark))

    def _spawn(self, request: Spawn) -> None:
        self._end_sut("replaced")
        fds, self._fds = self._fds, []
        ready, theirs = os.pipe()
        tier = request.tier
        others = 0 if limits.has_own_process_count(tier) else self._count_others()
        try:
            fork = self._fork_in_namespaces if tier is Tier.STRONG else self._fork
            pid = fork(functools.partial(become_sut, request, self._uid, others, theirs, fds))
        except OSError as error:
            os.close(ready)
            self._send(Unavailable(str(error)))
            return
        finally:
            for fd in (*fds, theirs):
                os.close(fd)
        self._sut, self._request, self._why = pid, request, None
        with open(ready, "rb", closefd=True) as pipe:
            report = pipe.read()
        if report == b"ok":
            self._watch_at = time.monotonic() + WATCH_SECONDS
            self._send(Spawned(pid))
        else:
            self._end_sut("asked")
            self._send(Unavailable(report.decode(errors="replace") or "the SUT exited at once"))

    def _count_others(self) -> int:
        """Return the number of this user's threads outside of SUTs, because RLIMIT_NPROC counts them as well."""
        if time.monotonic() - self._counted_at > RECOUNT_SECONDS:
            self._others, self._counted_at = threads_of_user(), time.monotonic()
        return self._others

    def _fork(self, become: Callable[[], NoReturn]) -> int:
        pid = os.fork()
        if pid == 0:
            become()
        return pid

    def _fork_in_namespaces(self, become: Callable[[], NoReturn]) -> int:
        """Fork process 1 of new namespaces and return its pid. Raises `OSError`.

        It is a grandchild, because a process cannot return to namespaces that it left: a child enters new namespaces
        and forks. The grandchild waits until this process, its subreaper, has adopted it.
        """
        pid_pipe, pid_end = os.pipe()
        start_pipe, start_end = os.pipe()
        child = os.fork()
        if child == 0:
            _fork_as_first(become, self._uid, pid_end, start_pipe, start_end)
        os.close(pid_end)
        os.close(start_pipe)
        with open(pid_pipe, "rb") as pipe:
            answer = pipe.read().decode()
        os.waitpid(child, 0)
        os.close(start_end)
        if not answer.isdecimal():
            raise OSError(answer or "the intermediate process exited")
        return int(answer)

    def _watch(self) -> None:
        """Kill a SUT whose processes together exceed the limit on processes, memory or descriptors."""
        assert self._request is not None
        processes, most = descendants(os.getpid()), self._request.processes
        memory = sum(map(memory_bytes, processes))  # slow, so a fork bomb meanwhile meets RLIMIT_NPROC and reports that
        if len(processes) > most or sum(map(threads, processes)) > most + limits.THREADS:
            self._end_sut("processes")
        elif memory > self._request.memory_mib * MIB * 1.25:
            self._end_sut("memory")
        elif sum(map(descriptors, processes)) > limits.DESCRIPTORS:
            self._end_sut("descriptors")

    def _end_sut(self, why: Why) -> None:
        if self._sut is None:
            return
        self._why = why
        for kill in (os.killpg, os.kill):
            with contextlib.suppress(ProcessLookupError, PermissionError):
                kill(self._sut, signal.SIGKILL)
        pid, status = os.waitpid(self._sut, 0)
        self._forget(pid, status)

    def _reap(self) -> None:
        """Reap every exited child; report the SUT's exit to the judge."""
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
                self._forget(pid, status)

    def _forget(self, pid: int, status: int) -> None:
        self._sut = None
        if self._request is None or self._request.tier is not Tier.STRONG:  # strong: all end with process 1
            kill_descendants(self._uid)
        self._send(Exited(pid, status, self._why))

    def _send(self, event: ZygoteEvent) -> None:
        with contextlib.suppress(OSError):  # the judge is gone; `run` ends
            self._control.sendall(msgspec.json.encode(event) + b"\n")


def _fork_as_first(
    become: Callable[[], NoReturn], uid: int | None, pid_end: int, start_pipe: int, start_end: int
) -> NoReturn:
    """Enter new namespaces, fork process 1 of them, and write its process id or the error to `pid_end`."""
    try:
        namespaces.enter(with_user=uid is None)
        pid = os.fork()
        if pid == 0:
            os.close(pid_end)
            os.close(start_end)
            os.read(start_pipe, 1)  # ends when the zygote has adopted this process
            become()
        os.write(pid_end, str(pid).encode())
    except OSError as error:
        os.write(pid_end, str(error).encode())
    finally:
        os._exit(0)


def main() -> None:
    """Start the zygote on the control socket from the judge."""
    for name in ("KATA_ZYGOTE", "PYTHONHASHSEED"):  # so that a SUT does not see them
        os.environ.pop(name, None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # because the judge handles Ctrl-C and then closes the socket
    os.umask(0o022)  # so that a SUT with another uid can read its files
    uid = limits.spare_uid()
    guard(uid)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the guardian ended
    if sys.platform == "linux":
        prctl(PR_SET_CHILD_SUBREAPER, 1)
    Zygote(socket.socket(fileno=int(sys.argv[1])), uid).run()


if __name__ == "__main__":
    main()
