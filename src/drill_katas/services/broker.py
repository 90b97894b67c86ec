"""The judge's side of what the SUT reaches over a unix socket: upstream services, and the server of its databases.

A connection names its service in the first frame; from then on the service owns it, on a thread of
its own. Every request a service is about to carry out is a *step*, at which a check can prepare trouble.
"""

from __future__ import annotations

import contextlib
import itertools
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from drill_katas.files import RunFolder
from drill_katas.machine.cpu_time import Meter, Wait
from drill_katas.machine.shortage import shortage
from drill_katas.services.kept import Kept, KeptChannel, TooMuch
from drill_katas.services.steps import Closable, SutKilled
from drill_katas.sql.sqlite_limits import MOST_STATEMENTS
from drill_katas.sut.protocol import HELLOS
from drill_katas.sut.wire import Closed, WireError

if TYPE_CHECKING:
    from collections.abc import Callable

    from drill_katas.services.calls import Call
    from drill_katas.services.event_loop import EventLoopThread
    from drill_katas.services.sql_server import SqlServer

MOST_CONNECTIONS: Final = 200  # at once; each has a thread of the judge's, and may have a request half sent


class Service(Closable, Protocol):
    """Something the SUT can connect to."""

    def attach(self, services: Services) -> dict[str, Any]:
        """Get ready to be connected to, and return what the SUT needs to know to do so."""

    def serve(self, channel: KeptChannel) -> None:
        """Serve one connection until it is closed."""


class Services:
    """The services of one check, behind one unix socket in a folder that is made in `place`."""

    def __init__(self, place: Path | None = None) -> None:
        self._run = RunFolder(place)
        self.folder = self._run.path
        self.address = str(self.folder / "judge")
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(self.address)
        self.folder.chmod(0o711)  # a SUT forked by root has a uid of its own
        Path(self.address).chmod(0o666)
        self._listener.listen(64)
        self.note_fault: Callable[[str], None] = lambda _: None  # `Trial.note_fault` of the check that runs
        self.kept = Kept()  # what the check that runs keeps of the SUT
        self.wait: Callable[[float], Wait] = lambda seconds: Wait(Meter(), seconds)  # in own time of that check
        self.note_server: Callable[[int], None] = lambda _: None  # gets the process id of a server that works for it
        self.most_statements = MOST_STATEMENTS  # that are kept of this check
        self._services: dict[str, Service] = {}
        self._things: list[Closable] = []
        self._loop: EventLoopThread | None = None
        self._sql: SqlServer | None = None
        self._channels: set[KeptChannel] = set()
        self._names = (str(number) for number in itertools.count(1))
        self._lock = threading.Lock()
        self._free = threading.Semaphore(MOST_CONNECTIONS)
        self._steps_left: int | None = None
        self._trouble: Callable[[str, Closable], None] = lambda *_: None
        threading.Thread(target=self._accept, daemon=True).start()

    def add(self, service: Service) -> str:
        """Register a service and return the name it is reached by."""
        name = next(self._names)
        self._services[name] = service
        return name

    def keep(self, thing: Closable) -> None:
        """Close this too when the check is over."""
        self._things.append(thing)

    def socket_path(self) -> str:
        """Return a path to listen on."""
        return str(self.folder / next(self._names))

    def note_error(self, error: BaseException) -> None:
        """Note a fault of the judge's when `error` shows that it ran out of something. Thread-safe."""
        if culprit := shortage(error):
            self.note_fault(culprit)

    @property
    def loop(self) -> EventLoopThread:
        """The event loop of what the judge serves and asks over HTTP; it is started when first needed."""
        if self._loop is None:
            from drill_katas.services.event_loop import EventLoopThread  # noqa: PLC0415 - few katas need it

            self._loop = EventLoopThread(self.note_error)
        return self._loop

    @property
    def sql(self) -> SqlServer:
        """The SQL server of this check; it is started when first needed."""
        if self._sql is None:
            from drill_katas.services.sql_server import SqlServer  # noqa: PLC0415 - not every kata has a database

            self._sql = SqlServer(self)
            self._sql.arm(armed=self._steps_left is not None)
        return self._sql

    def begin(self, call: Call | None, trace_id: str | None) -> None:
        """Ascribe what the SUT asks for from now on to a call of the check's, and to its trace."""
        if self._sql is not None:
            self._sql.begin(call, trace_id)

    def raise_end(self) -> None:
        """Raise `LimitExceeded` or `NotJudged` if the SUT or a service was ended ahead of its check."""
        self.kept.expect_within()
        if self._sql is not None:
            self._sql.raise_end()

    def arm(self, step: int, trouble: Callable[[str, Closable], None]) -> None:
        """Call `trouble` before the `step`-th request from now (1 is the next) and all that follow, and tell it which.

        It raises `SutKilled`, `Refused` or `Unanswered`, or lets the request through.
        """
        with self._lock:
            self._steps_left, self._trouble = step, trouble
        if self._sql is not None:
            self._sql.arm(armed=True)

    def disarm(self) -> None:
        """Carry out all requests from now on."""
        self._steps_left = None
        if self._sql is not None:
            self._sql.arm(armed=False)

    def step(self, request: str, service: Closable) -> None:
        """Count a request that a service is about to carry out. Raises what its trouble is."""
        with self._lock:
            if self._steps_left is None:
                return
            self._steps_left -= 1
            if self._steps_left <= 0:
                self._trouble(request, service)

    def clear(self) -> None:
        """Close all services and connections: the check is over."""
        self.disarm()
        for channel in tuple(self._channels):
            channel.close()
        for service in (*self._services.values(), *self._things):
            service.close()
        if self._sql is not None:
            self._sql.close()
        self._sql = None
        self._channels, self._services, self._things, self.kept = set(), {}, [], Kept()

    def close(self) -> None:
        """End the server."""
        self.clear()
        if self._loop:
            self._loop.close()
        self._listener.close()
        self._run.close()

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError as error:
                if self._listener.fileno() < 0:  # closed: the session is over
                    return
                self.note_error(error)
                time.sleep(0.05)  # out of file descriptors, until the check lets go of some
                continue
            if not self._free.acquire(blocking=False):
                sock.close()
                continue
            channel = KeptChannel(sock, self.kept)
            self._channels.add(channel)
            threading.Thread(target=self._serve, args=(channel,), daemon=True).start()

    def _serve(self, channel: KeptChannel) -> None:
        try:
            self._converse(channel)
        finally:
            self._channels.discard(channel)
            self._free.release()

    def _converse(self, channel: KeptChannel) -> None:
        with contextlib.suppress(Closed, WireError, OSError, TooMuch), contextlib.closing(channel):
            hello = channel.receive(5, HELLOS)
            service = self._services.get(hello.service) if hello else None
            if service is None:
                return
            try:
                service.serve(channel)
            except SutKilled:
                channel.receive(timeout=5)  # until the SUT is gone, which closes the connection
