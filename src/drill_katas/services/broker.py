"""The judge's end of the unix socket through which the SUT reaches its upstream services and its SQL server.

The first frame of a connection names its service. The service then serves the connection on a thread of its own. Each
request that a service is about to execute is a *step*, at which a check can inject a fault.
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
from drill_katas.services.injected_errors import Closable, SutKilled
from drill_katas.services.retained import CountedChannel, RetainedBytes, RetentionExceeded
from drill_katas.sql.sqlite_limits import MOST_STATEMENTS
from drill_katas.sut.protocol import HELLOS
from drill_katas.sut.wire import Closed, WireError

if TYPE_CHECKING:
    from collections.abc import Callable

    from drill_katas.services.calls import Call
    from drill_katas.services.event_loop import EventLoopThread
    from drill_katas.services.sql_server import SqlServer

MOST_CONNECTIONS: Final = 200  # at once; each has a thread in the judge and a buffer for a partial request


class Service(Closable, Protocol):
    """A service that the SUT can connect to."""

    def attach(self, services: Services) -> dict[str, Any]:
        """Get ready for connections; return the JSON object from which the SUT connects."""

    def serve(self, channel: CountedChannel) -> None:
        """Serve one connection until it closes."""


class Services:
    """The services of one check, behind one unix socket in a new folder within `place`."""

    def __init__(self, place: Path | None = None) -> None:
        self._run = RunFolder(place)
        self.folder = self._run.path
        self.address = str(self.folder / "judge")
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(self.address)
        self.folder.chmod(0o711)  # for a SUT that root forks, because it runs as another user
        Path(self.address).chmod(0o666)
        self._listener.listen(64)
        self.note_fault: Callable[[str], None] = lambda _: None  # `CheckContext.note_fault` of the running check
        self.retained = RetainedBytes()  # of the running check
        self.wait: Callable[[float], Wait] = lambda seconds: Wait(Meter(), seconds)  # in the check's CPU-adjusted time
        self.note_server: Callable[[int], None] = lambda _: None  # gets the process id of the SQL server
        self.most_statements = MOST_STATEMENTS  # that are recorded in one check
        self._services: dict[str, Service] = {}
        self._things: list[Closable] = []
        self._loop: EventLoopThread | None = None
        self._sql: SqlServer | None = None
        self._channels: set[CountedChannel] = set()
        self._names = (str(number) for number in itertools.count(1))
        self._lock = threading.Lock()
        self._free = threading.Semaphore(MOST_CONNECTIONS)
        self._steps_left: int | None = None
        self._fault: Callable[[str, Closable], None] = lambda *_: None
        self.background(self._accept)

    def add(self, service: Service) -> str:
        """Register a service and return its name for connections."""
        name = next(self._names)
        self._services[name] = service
        return name

    def keep(self, thing: Closable) -> None:
        """Close `thing` at the end of the check."""
        self._things.append(thing)

    def socket_path(self) -> str:
        """Return a new path to listen on."""
        return str(self.folder / next(self._names))

    def background(self, act: Callable[..., None], *args: object) -> None:
        """Run `act` on a thread of its own. An exception in it is a fault of the judge, not of the submission."""
        threading.Thread(target=self._noting, args=(act, *args), daemon=True).start()

    def note_error(self, error: BaseException) -> None:
        """Note a fault of the judge if `error` shows that a resource ran out. Thread-safe."""
        if culprit := shortage(error):
            self.note_fault(culprit)

    @property
    def loop(self) -> EventLoopThread:
        """The event loop of the judge's HTTP servers and clients; the first use starts it."""
        if self._loop is None:
            from drill_katas.services.event_loop import EventLoopThread  # noqa: PLC0415 - few katas need it

            self._loop = EventLoopThread(self.note_error)
        return self._loop

    @property
    def sql(self) -> SqlServer:
        """The SQL server of this check; the first use starts it."""
        if self._sql is None:
            from drill_katas.services.sql_server import SqlServer  # noqa: PLC0415 - not every kata has a database

            self._sql = SqlServer(self)
            self._sql.arm(armed=self._steps_left is not None)
        return self._sql

    def begin(self, call: Call | None, trace_id: str | None) -> None:
        """Attribute all further SQL statements to this call of the check and to its trace."""
        if self._sql is not None:
            self._sql.begin(call, trace_id)

    def raise_end(self) -> None:
        """Raise `LimitExceeded` or `NotJudged` if the SUT or a service was ended before the check."""
        self.retained.raise_if_exceeded()
        if self._sql is not None:
            self._sql.raise_end()

    def arm(self, step: int, fault: Callable[[str, Closable], None]) -> None:
        """Call `fault(request, service)` before the `step`-th request from now (1 is the next) and all later ones.

        `fault` raises `SutKilled`, `StepRefused` or `AnswerLost`, or lets the request through.
        """
        with self._lock:
            self._steps_left, self._fault = step, fault
        if self._sql is not None:
            self._sql.arm(armed=True)

    def disarm(self) -> None:
        """Execute all requests from now on."""
        self._steps_left = None
        if self._sql is not None:
            self._sql.arm(armed=False)

    def step(self, request: str, service: Closable) -> None:
        """Count a request that a service is about to execute. Raises the injected fault."""
        with self._lock:
            if self._steps_left is None:
                return
            self._steps_left -= 1
            if self._steps_left <= 0:
                self._fault(request, service)

    def clear(self) -> None:
        """Close all services and connections at the end of a check."""
        self.disarm()
        for channel in tuple(self._channels):
            channel.close()
        for service in (*self._services.values(), *self._things):
            service.close()
        if self._sql is not None:
            self._sql.close()
        self._sql = None
        self._channels, self._services, self._things, self.retained = set(), {}, [], RetainedBytes()

    def close(self) -> None:
        """Close everything for good."""
        self.clear()
        if self._loop:
            self._loop.close()
        self._listener.close()
        self._run.close()

    def _noting(self, act: Callable[..., None], *args: object) -> None:
        try:
            act(*args)
        except BaseException as error:
            self.note_fault(shortage(error) or f"a thread of the judge raised {error!r}; report this defect")
            raise

    def _accept(self) -> None:
        while True:
            try:
                sock, _ = self._listener.accept()
            except OSError as error:
                if self._listener.fileno() < 0:  # `close` was called
                    return
                self.note_error(error)
                time.sleep(0.05)  # wait until the check closes some file descriptors
                continue
            if not self._free.acquire(blocking=False):
                sock.close()
                continue
            channel = CountedChannel(sock, self.retained)
            self._channels.add(channel)
            try:
                self.background(self._serve, channel)
            except RuntimeError as error:  # the limit on threads is reached, or there is no memory for its stack
                self.note_error(error)
                self._forget(channel)
                channel.close()

    def _serve(self, channel: CountedChannel) -> None:
        try:
            self._converse(channel)
        finally:
            self._forget(channel)

    def _forget(self, channel: CountedChannel) -> None:
        self._channels.discard(channel)
        self._free.release()

    def _converse(self, channel: CountedChannel) -> None:
        with contextlib.suppress(Closed, WireError, OSError, RetentionExceeded), contextlib.closing(channel):
            hello = channel.receive(5, HELLOS)
            service = self._services.get(hello.service) if hello else None
            if service is None:
                return
            try:
                service.serve(channel)
            except SutKilled:
                channel.receive(timeout=5)  # until the SUT is gone, because it must not see a closed connection
