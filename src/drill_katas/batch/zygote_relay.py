"""Passes messages between a confined judge and the zygotes of its SUTs.

The judge runs hostile code, so nothing in its requests counts but their kind: the relay chooses the program, the limits
and the sandbox, and the judge gets a made-up process id, which names no process anywhere.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import threading
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace

from drill_katas.sandbox.protocol import REQUESTS, Exited, Kill, Spawn, Spawned, Unavailable
from drill_katas.sut.wire import Closed, WireError, encode, poll_for

if TYPE_CHECKING:
    from drill_katas.judge.zygote_client import ZygoteClient
    from drill_katas.sandbox.protocol import ZygoteEvent, ZygoteRequest

MADE_UP: Final = 1 << 30  # above every process id of Linux
FDS: Final = 4  # of a SUT: calls, output, stacks, dialer
MOST_LINE: Final = 1 << 16


class ZygoteRelay:
    """Relays between one zygote and a judge until either closes its socket; `spawn` is sent for every SUT."""

    def __init__(self, zygote: ZygoteClient, spawn: Spawn) -> None:
        self._zygote = zygote
        self._spawn = spawn
        self._ours, self._theirs = socket.socketpair()
        self._began = 0  # SUTs so far
        self._is_starting = False  # a SUT; no request is read meanwhile, so that neither side fills up
        self._pids: dict[int, int] = {}  # the real process id of each made-up one
        self._fds: list[int] = []
        self._line = b""
        self._thread = threading.Thread(target=self._relay, daemon=True)
        self._thread.start()

    def detach(self) -> int:
        """Return the file descriptor of the judge's end; the caller now owns it."""
        return self._theirs.detach()

    def close(self) -> None:
        """Stop relaying."""
        with contextlib.suppress(OSError):
            self._ours.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._ours.close()
        self._theirs.close()
        for fd in self._fds:
            os.close(fd)

    def _relay(self) -> None:
        poll = poll_for(self._ours, self._zygote)
        with contextlib.suppress(OSError, Closed, WireError, msgspec.MsgspecError):
            while True:
                poll.modify(self._ours, 0 if self._is_starting else select.POLLIN)  # 0: only if it is closed
                ready = [fd for fd, _ in poll.poll()]
                if self._ours.fileno() in ready and (self._is_starting or not self._pass_requests()):
                    return
                if self._zygote.fileno() in ready:
                    self._pass_events()

    def _pass_requests(self) -> bool:
        """Read from the judge; return False at the end of its messages, or if it sends too much."""
        data, fds, _, _ = socket.recv_fds(self._ours, MOST_LINE, FDS)
        self._fds += fds
        *lines, self._line = (self._line + data).split(b"\n")
        for line in lines:
            self._pass_request(REQUESTS.decode(line))
        return bool(data) and len(self._line) < MOST_LINE and len(self._fds) <= FDS

    def _pass_request(self, request: ZygoteRequest) -> None:
        fds, self._fds = self._fds, []
        try:
            if isinstance(request, Spawn) and len(fds) == FDS:
                self._is_starting = True
                self._zygote.pass_on(self._spawn, fds)
            elif isinstance(request, Kill) and request.pid in self._pids:
                self._zygote.pass_on(replace(request, pid=self._pids[request.pid]), ())
        finally:
            for fd in fds:
                os.close(fd)

    def _pass_events(self) -> None:
        """Pass all events of the zygote to the judge. Raises `Closed` if the zygote ended."""
        while (event := self._zygote.next_event(0)) is not None:
            self._ours.sendall(encode(self._renamed(event)) + b"\n")

    def _renamed(self, event: ZygoteEvent) -> ZygoteEvent:
        if isinstance(event, Spawned | Unavailable):
            self._is_starting = False
        if isinstance(event, Spawned):
            self._began += 1
            self._pids = {MADE_UP + self._began: event.pid}
            return Spawned(MADE_UP + self._began)
        if isinstance(event, Exited):
            return replace(event, pid=next((name for name, pid in self._pids.items() if pid == event.pid), 0))
        return event
