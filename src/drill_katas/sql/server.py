"""The SQL server of one check, a process that `nursery.py` forks and that ends when the judge closes the connection.

A SUT connects to its socket. The judge sends requests over a control channel; `protocol.py` defines the messages.
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
from drill_katas.sql.records import Records, TooManyRecords
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
class FirstReading:
    """The first reading of a running request: the processor time of its thread so far, and the time of the reading."""

    request: AnySqlRequest | None = None
    used: float = 0.0
    at: float = 0.0


@dataclass
class Client:
    """The thread of one connection of the SUT; `clock` is the clock of its processor time."""

    clock: int
    conversation: Conversation
    seen: FirstReading = field(default_factory=FirstReading)


class Server:
    """The server process: the main thread answers the judge and limits the time of the other threads."""

    def __init__(self, listener: socket.socket, control: Channel, steps: Channel, shared: Shared) -> None:
        self._listener = listener
        self._control = control
        self._steps = Steps(steps)
        self._shared = shared
        self._records = Records(shared, sqlite_limits.MOST_STATEMENTS)
        self._databases: dict[int, Database] = {}
        self._added = threading.Condition()
        self._clients: dict[int, Client] = {}
        self._free = threading.Semaphore(sqlite_limits.MOST_CONNECTIONS)
        self._watch_at = 0.0
        self._ballast = bytes(BALLAST)

    def run(self) -> NoReturn:
        """Serve until the judge closes the connection, or a statement exceeds a limit."""
        try:
            threading.stack_size(sqlite_limits.STACK)
            threading.Thread(target=self._run_or_end, args=(self._accept,), daemon=True).start()
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
        except BaseException as fault:  # noqa: BLE001 - the judge reports it as a defect of the server
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
                answer = self._databases[request.database].connections.state()
        self._control.send(ControlReply(msgspec.Raw(msgspec.json.encode(answer))))

    def _add(self, request: Add) -> None:
        table = ConnectionTable(request.most)
        made = Database(request.database, table, request.round_trip, self._records, self._shared, self._steps)
        self._records.open(request.database)
        with self._added:
            self._databases[request.database] = made
            self._added.notify_all()

    def _watch(self) -> None:
        """End this process if a statement exceeds its time limit."""
        sqlite_limits.postpone_cpu_limit()
        for client in list(self._clients.values()):
            running, seen = client.conversation.running, client.seen
            if running is None:
                seen.request = None
                continue
            try:
                used = time.clock_gettime(client.clock)
            except OSError:  # the thread ended
                continue
            if running is not seen.request:
                client.seen = FirstReading(running, used, time.monotonic())
            elif used - seen.used > sqlite_limits.MOST_SECONDS:
                self._end(End.TIME, client.conversation.describe(running))
            elif time.monotonic() - seen.at > sqlite_limits.MOST_WAIT:
                self._end(End.WAIT, client.conversation.describe(running))

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError:
                time.sleep(sqlite_limits.TICK)  # wait until a connection frees a file descriptor
                continue
            if not self._free.acquire(blocking=False):
                sock.close()
                continue
            channel = Channel(sock, max_frame=sqlite_limits.MOST_REQUEST)
            try:
                threading.Thread(target=self._run_or_end, args=(self._serve_connection, channel), daemon=True).start()
            except RuntimeError:  # no memory for its stack, or the limit on threads is reached
                self._free.release()
                sock.close()

    def _run_or_end(self, act: Callable[..., None], *args: Channel) -> None:
        """Run the function of a thread; an exception in it ends the process."""
        try:
            act(*args)
        except MemoryError:
            self._end_for_memory()
        except BaseException as fault:  # noqa: BLE001 - as in `run`
            self._end(End.FAULT, repr(fault))

    def _serve_connection(self, channel: Channel) -> None:
        thread = threading.get_ident()
        try:
            with contextlib.suppress(Closed, WireError, OSError), contextlib.closing(channel):
                hello = channel.receive(HELLO_SECONDS, HELLOS)
                database = self._find(hello.service) if hello else None
                if database is not None:
                    conversation = Conversation(database, channel)
                    self._clients[thread] = Client(_clock_of(thread), conversation)
                    self._converse(conversation)
        finally:
            self._clients.pop(thread, None)
            self._free.release()

    def _converse(self, conversation: Conversation) -> None:
        try:
            conversation.run()
        except MemoryError:
            self._end_for_memory()
        except TooManyRecords:
            running = conversation.running
            self._end(End.KEPT, conversation.describe(running) if running else "")

    def _find(self, service: str) -> Database | None:
        """Return the database with this number; wait for it if the judge's `Add` has not arrived yet."""
        number = int(service) if service.isdecimal() else UNKNOWN
        if not 0 < number <= self._shared.words[DATABASES]:
            return None
        with self._added:
            self._added.wait_for(lambda: number in self._databases)
        return self._databases[number]

    def _end_for_memory(self) -> NoReturn:
        self._ballast = b""  # frees memory for the lines below
        with contextlib.suppress(MemoryError):
            for client in self._clients.values():
                if client.conversation.running is not None:
                    self._end(End.MEMORY, client.conversation.describe(client.conversation.running))
        os._exit(End.MEMORY)

    def _end(self, end: End, text: str) -> NoReturn:
        """Leave the statement's text on the shared page and end this process."""
        self._shared.write_text(text)
        os._exit(end)


def _clock_of(thread: int) -> int:
    """Return the clock of a thread's processor time; the wall clock on macOS, which has no such clock."""
    return time.pthread_getcpuclockid(thread) if sys.platform == "linux" else time.CLOCK_MONOTONIC
