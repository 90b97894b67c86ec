"""The process that SUTs are forked from: warm, single-threaded, without tests or solutions in it.

Run as a script: `python -P -s zygote.py CONTROL_FD PATH...`. `protocol.py` has the requests that the judge sends over
the control socket, and the events that it gets. One SUT lives at a time. When the judge ends, however that happens, the
zygote kills the SUT and ends; when the zygote ends, its parent does that, see `guardian.py`.
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
    sys.path[:] = sys.argv[2:]  # the judge's

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

WATCH_SECONDS: Final = 0.1  # how often a living SUT's processes and memory are looked at
RECOUNT_SECONDS: Final = 5.0
MIB: Final = 1 << 20


class Zygote:
    """The loop of this process."""

    def __init__(self, control: socket.socket, uid: int | None) -> None:
        self._control = control
        self._buffer = b""
        self._fds: list[int] = []
        self._sut: int | None = None
        self._request: Spawn | None = None  # that the SUT was forked for
        self._watch_at = 0.0  # by the monotonic clock; not at once, for a look at all of /proc takes a while
        self._uid = uid
        self._why: Why | None = None
        self._others, self._counted_at = 0, -RECOUNT_SECONDS
        if uid is None and os.geteuid():  # now, and not when the first SUT waits for it
            self._count_others()
        self._alarm, self._wake = os.pipe()
        os.set_blocking(self._alarm, False)
        os.set_blocking(self._wake, False)
        signal.set_wakeup_fd(self._wake)
        signal.signal(signal.SIGCHLD, lambda *_: None)

    def run(self) -> None:
        """Serve until the judge closes the control socket."""
        heard = poll_for(self._control, self._alarm)
        try:
            while True:
                ready = {fd for fd, _ in heard.poll(WATCH_SECONDS * 1000 if self._sut else None)}
                if self._alarm in ready:
                    with contextlib.suppress(BlockingIOError):
                        os.read(self._alarm, 4096)
                if self._control.fileno() in ready and not self._read_requests():
                    return
                self._reap()
                if self._sut and time.monotonic() >= self._watch_at:  # by the clock: a SUT can keep this loop busy
                    self._watch()
                    self._watch_at = time.monotonic() + WATCH_SECONDS
        finally:
            self._end_sut("asked")

    def _read_requests(self) -> bool:
        try:
            data, fds, _, _ = socket.recv_fds(self._control, 65536, 4)
        except ConnectionResetError:  # the judge was killed with something of ours unread
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
                    with contextlib.suppress(ImportError):  # the learner's own import will report it
                        importlib.import_module(module)
                prepare()
                gc.collect()
                gc.freeze()  # a SUT that collects garbage need not look through it, nor copy what it looks at
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
        others = 0 if limits.counts_apart(tier) else self._count_others()
        try:
            fork = self._fork_apart if tier is Tier.STRONG else self._fork
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
            told = pipe.read()
        if told == b"ok":
            self._watch_at = time.monotonic() + WATCH_SECONDS
            self._send(Spawned(pid))
        else:
            self._end_sut("asked")
            self._send(Unavailable(told.decode(errors="replace") or "it ended at once"))

    def _count_others(self) -> int:
        """Return how many threads of this user are no SUT's; RLIMIT_NPROC counts them with the SUT's."""
        if time.monotonic() - self._counted_at > RECOUNT_SECONDS:
            self._others, self._counted_at = threads_of_user(), time.monotonic()
        return self._others

    def _fork(self, become: Callable[[], NoReturn]) -> int:
        pid = os.fork()
        if pid == 0:
            become()
        return pid

    def _fork_apart(self, become: Callable[[], NoReturn]) -> int:
        """Fork process 1 of namespaces of its own. Raises `OSError`.

        That is a grandchild, for who has left the namespaces cannot come back. It is taken in by this process, which is
        its subreaper, before it begins.
        """
        told, tell = os.pipe()
        begun, begin = os.pipe()
        middle = os.fork()
        if middle == 0:
            _leave(become, self._uid, tell, begun, begin)
        os.close(tell)
        os.close(begun)
        with open(told, "rb") as pipe:
            answer = pipe.read().decode()
        os.waitpid(middle, 0)
        os.close(begin)
        if not answer.isdecimal():
            raise OSError(answer or "the process that was to fork it ended")
        return int(answer)

    def _watch(self) -> None:
        """End a SUT that has too many processes, or too much memory or too many descriptors over all of them."""
        assert self._request is not None
        processes, most = descendants(os.getpid()), self._request.processes
        memory = sum(map(memory_bytes, processes))  # first, so that a fork bomb meets RLIMIT_NPROC, and says so itself
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
                self._forget(pid, status)

    def _forget(self, pid: int, status: int) -> None:
        self._sut = None
        if self._request is None or self._request.tier is not Tier.STRONG:  # there everything ends with process 1
            kill_descendants(self._uid)
        self._send(Exited(pid, status, self._why))

    def _send(self, event: ZygoteEvent) -> None:
        with contextlib.suppress(OSError):  # the judge is gone; run() will see it
            self._control.sendall(msgspec.json.encode(event) + b"\n")


def _leave(become: Callable[[], NoReturn], uid: int | None, tell: int, begun: int, begin: int) -> NoReturn:
    """Fork a SUT in namespaces of its own, and tell its process id or what has stood in the way."""
    try:
        namespaces.enter(with_user=uid is None)
        pid = os.fork()
        if pid == 0:
            os.close(tell)
            os.close(begin)
            os.read(begun, 1)  # to its end: the zygote has taken it in
            become()
        os.write(tell, str(pid).encode())
    except OSError as error:
        os.write(tell, str(error).encode())
    finally:
        os._exit(0)


def main() -> None:
    """Start the zygote on the control socket that the judge has passed."""
    for name in ("KATA_ZYGOTE", "PYTHONHASHSEED"):  # of no concern to a SUT
        os.environ.pop(name, None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the judge, which then hangs up
    os.umask(0o022)  # whatever the judge's: a SUT with a uid of its own reads what is made for it
    uid = limits.spare_uid()
    guard(uid)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # the guardian is gone
    if sys.platform == "linux":
        prctl(PR_SET_CHILD_SUBREAPER, 1)
    Zygote(socket.socket(fileno=int(sys.argv[1])), uid).run()


if __name__ == "__main__":
    main()
