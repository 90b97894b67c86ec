"""The SQL server of one check: a process forked by `nursery.py`, which ends when the judge hangs up.

A SUT connects to its socket. The judge asks over a control channel; `protocol.py` has the messages.
"""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NoReturn

import msgspec

from drill_katas.sql import sqlite_limits
from drill_katas.sql.connections import ConnectionTable
from drill_katas.sql.conversation import Conversation
from drill_katas.sql.databases import Database, Steps
from drill_katas.sql.ends import End
from drill_katas.sql.protocol import (
    CONTROL_REQUESTS,
    Add,
    ControlReply,
    ControlRequest,
    KeepAtMost,
    Look,
    Ping,
    RoundTrip,
    Take,
)
from drill_katas.sql.records import Records, TooMuch
from drill_katas.sql.shared import DATABASES, Shared
from drill_katas.sut.protocol import HELLOS
from drill_katas.sut.wire import Channel, Closed, WireError

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from drill_katas.sut.protocol import AnySqlRequest

HELLO_SECONDS: Final = 5.0
UNKNOWN: Final = -1
BALLAST: Final = 1 << 20  # bytes


@dataclass
class Seen:
    """A request as it was first seen running: how much processor time its thread had used, and when that was."""

    request: AnySqlRequest | None = None
    used: float = 0.0
    at: float = 0.0


@dataclass
class Guest:
    """A thread that serves one connection of the SUT's."""

    clock: int
    conversation: Conversation
    seen: Seen = field(default_factory=Seen)


class Server:
    """The process: the main thread answers the judge and watches the others."""

    def __init__(self, listener: socket.socket, control: Channel, steps: Channel, shared: Shared) -> None:
        self._listener = listener
        self._control = control
        self._steps = Steps(steps)
        self._shared = shared
        self._records = Records(shared, sqlite_limits.MOST_STATEMENTS)
        self._databases: dict[int, Database] = {}
        self._added = threading.Condition()
        self._guests: dict[int, Guest] = {}
        self._free = threading.Semaphore(sqlite_limits.MOST_CONNECTIONS)
        self._watch_at = 0.0
        self._ballast = bytes(BALLAST)

    def run(self) -> NoReturn:
        """Serve until the judge hangs up, or a statement goes beyond a bound."""
        try:
            threading.stack_size(sqlite_limits.STACK)
            threading.Thread(target=self._guarded, args=(self._accept,), daemon=True).start()
            while True:
                request = self._control.receive(sqlite_limits.TICK, CONTROL_REQUESTS)
                if request is not None:
                    self._serve(request)
                if time.monotonic() >= self._watch_at:
                    self._watch()
                    self._watch_at = time.monotonic() + sqlite_limits.TICK
        except Closed:
            os._exit(End.OVER)
        except MemoryError:
            self._end_for_memory()
        except BaseException as fault:  # noqa: BLE001 - the judge reports it as its own
            self._end(End.FAULT, repr(fault))

    def _serve(self, request: ControlRequest) -> None:
        match request:
            case KeepAtMost():
                self._records = Records(self._shared, request.statements)
                return
            case Add():
                self._add(request)
                return
            case Ping():
                answer: object = None
            case RoundTrip():
                self._databases[request.database].round_trip = request.seconds
                answer = None
            case Take():
                answer = self._records.take(request.database)
            case Look():
                answer = self._databases[request.database].connections.look()
        self._control.send(ControlReply(msgspec.Raw(msgspec.json.encode(answer))))

    def _add(self, request: Add) -> None:
        table = ConnectionTable(request.most)
        made = Database(request.database, table, request.round_trip, self._records, self._shared, self._steps)
        self._records.open(request.database)
        with self._added:
            self._databases[request.database] = made
            self._added.notify_all()

    def _watch(self) -> None:
        """End this process if a statement takes too long."""
        sqlite_limits.put_off_belt()
        for guest in list(self._guests.values()):
            running, seen = guest.conversation.running, guest.seen
            if running is None:
                seen.request = None
                continue
            try:
                used = time.clock_gettime(guest.clock)
            except OSError:  # the thread has just ended
                continue
            if running is not seen.request:
                guest.seen = Seen(running, used, time.monotonic())
            elif used - seen.used > sqlite_limits.MOST_SECONDS:
                self._end(End.TIME, guest.conversation.in_words(running))
            elif time.monotonic() - seen.at > sqlite_limits.MOST_WAIT:
                self._end(End.WAIT, guest.conversation.in_words(running))

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                time.sleep(sqlite_limits.TICK)  # out of file descriptors, until connections end
                continue
            if not self._free.acquire(blocking=False):
                sock.close()
                continue
            channel = Channel(sock, max_frame=sqlite_limits.MOST_REQUEST)
            try:
                threading.Thread(target=self._guarded, args=(self._host, channel), daemon=True).start()
            except RuntimeError:  # no memory for its stack, or no thread left to this user
                self._free.release()
                sock.close()

    def _guarded(self, act: Callable[..., None], *args: Channel) -> None:
        """Run a thread; what it cannot go on after ends the process."""
        try:
            act(*args)
        except MemoryError:
            self._end_for_memory()
        except BaseException as fault:  # noqa: BLE001 - as above
            self._end(End.FAULT, repr(fault))

    def _host(self, channel: Channel) -> None:
        thread = threading.get_ident()
        try:
            with contextlib.suppress(Closed, WireError, OSError), contextlib.closing(channel):
                hello = channel.receive(HELLO_SECONDS, HELLOS)
                database = self._find(hello.service) if hello else None
                if database is not None:
                    conversation = Conversation(database, channel)
                    self._guests[thread] = Guest(_clock_of(thread), conversation)
                    self._converse(conversation)
        finally:
            self._guests.pop(thread, None)
            self._free.release()

    def _converse(self, conversation: Conversation) -> None:
        try:
            conversation.run()
        except MemoryError:
            self._end_for_memory()
        except TooMuch:
            running = conversation.running
            self._end(End.KEPT, conversation.in_words(running) if running else "")

    def _find(self, service: str) -> Database | None:
        """Return the database of this name; wait for one that the judge has added and that is still under way."""
        number = int(service) if service.isdecimal() else UNKNOWN
        if not 0 < number <= self._shared.words[DATABASES]:
            return None
        with self._added:
            self._added.wait_for(lambda: number in self._databases)
        return self._databases[number]

    def _end_for_memory(self) -> NoReturn:
        self._ballast = b""  # room for what comes now
        with contextlib.suppress(MemoryError):
            for guest in self._guests.values():
                if guest.conversation.running is not None:
                    self._end(End.MEMORY, guest.conversation.in_words(guest.conversation.running))
        os._exit(End.MEMORY)

    def _end(self, end: End, text: str) -> NoReturn:
        """End this process, and leave which statement it was."""
        self._shared.write_text(text)
        os._exit(end)


def _clock_of(thread: int) -> int:
    """Return the clock of a thread's processor time; on macOS, which has none, the wall clock."""
    return time.pthread_getcpuclockid(thread) if sys.platform == "linux" else time.CLOCK_MONOTONIC
