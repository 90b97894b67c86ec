"""The judge's side of the SQL server of one check."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, Protocol, TypeVar

import msgspec

from drill_katas.failures import CheckEnded, LimitExceeded, NotJudged
from drill_katas.services.injected_errors import AnswerLost, StepRefused, SutKilled
from drill_katas.services.sql_nursery import NURSERY
from drill_katas.sql import sqlite_limits
from drill_katas.sql.ends import End
from drill_katas.sql.protocol import (
    CONTROL_REPLIES,
    SERVING,
    STEP_QUESTIONS,
    Add,
    ControlRequest,
    KeepAtMost,
    Ping,
    StepAnswer,
)
from drill_katas.sql.shared import ARMED, CAUSE, CHANGES, DATABASES, Shared, new_page
from drill_katas.sut.wire import Channel, Closed, WireError
from drill_katas.text import truncate

if TYPE_CHECKING:
    from collections.abc import Callable

    from drill_katas.services.calls import Call
    from drill_katas.services.injected_errors import Closable

T = TypeVar("T")
SHOWN: Final = 160  # characters of a statement in a message
ASK_SECONDS: Final = 30.0
END_SECONDS: Final = 5.0
MOST_ANSWER: Final = 200_000_000  # bytes
LIMIT: Final = "in the database {statement} {used}; the judge stopped the database and the check"
USED: Final = {
    End.TIME: "took more than the 1 s of processor time that a statement may take",
    End.MEMORY: "took more than the 512 MiB of memory that all databases of a check may take",
    End.KEPT: "exceeded the number of statements, or the size of their texts, that the judge records per check",
}
CRASHES: Final = {-signal.SIGXCPU: End.TIME, -signal.SIGABRT: End.MEMORY, -signal.SIGSEGV: End.MEMORY}
"""The limit that a statement exceeded, by the signal from the kernel; SIGSEGV is a stack overflow."""
BUSY: Final = "the machine is too busy; run the check again, alone"


class Cause(NamedTuple):
    """The call of the check in progress, and its trace id."""

    call: Call | None = None
    trace_id: str | None = None


class Broker(Protocol):
    """The part of `Services` that a SQL server uses."""

    folder: Path
    most_statements: int
    note_server: Callable[[int], None]

    def socket_path(self) -> str:
        """Return a new path to listen on."""

    def background(self, act: Callable[..., None]) -> None:
        """Run `act` on a thread of its own. An exception in it is a fault of the judge."""

    def step(self, request: str, service: Closable) -> None:
        """Count a request before it is executed. Raises the injected fault."""


class SqlServer:
    """The process that serves the databases of a check at `address`."""

    def __init__(self, services: Broker) -> None:
        self.address = services.socket_path()
        self.texts: dict[int, str] = {}  # texts of statements by number
        self.causes = [Cause()]
        self._services = services
        self._databases: list[Closable] = []
        self._lock = threading.Lock()
        self._end: CheckEnded | None = None
        page = new_page(str(services.folder))
        self._shared = Shared(page)
        control, steps = socket.socketpair(), socket.socketpair()
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener, control[1], steps[1]:
            listener.bind(self.address)
            Path(self.address).chmod(0o666)
            listener.listen(sqlite_limits.MOST_CONNECTIONS)
            NURSERY.hand([listener.fileno(), control[1].fileno(), steps[1].fileno(), page])
        os.close(page)
        self._control, self._steps = Channel(control[0], max_frame=MOST_ANSWER), Channel(steps[0])
        self._control.send(KeepAtMost(services.most_statements))
        services.background(self._answer_steps)

    def add(self, database: Closable, round_trip: float, most: int | None) -> int:
        """Open a database and return its number."""
        self._databases.append(database)
        number = len(self._databases)
        with contextlib.suppress(Closed):  # it exited; the next `ask` raises the reason
            self._control.send(Add(number, round_trip, most))
        self._shared.words[DATABASES] = number
        return number

    def begin(self, call: Call | None, trace_id: str | None) -> None:
        """Attribute all further statements to this call and trace."""
        if call is None and trace_id is None:
            self._shared.words[CAUSE] = 0
        else:
            self.causes.append(Cause(call, trace_id))
            self._shared.words[CAUSE] = len(self.causes) - 1

    def arm(self, *, armed: bool) -> None:
        """Set whether the server asks the judge before each step."""
        self._shared.words[ARMED] = armed

    @property
    def changes(self) -> int:
        """A counter that changes with each recorded statement."""
        return self._shared.words[CHANGES]

    def ask(self, request: ControlRequest, answer: type[T]) -> T:
        """Send a request and return its answer. Raises `LimitExceeded` or `NotJudged` if the server exited."""
        with self._lock:
            reply = self._exchange(request) if self._end is None else None
            if reply is None:
                raise self._end or NotJudged(f"the SQL server gave no answer within {ASK_SECONDS:.0f} s: {BUSY}")
            return msgspec.json.decode(reply, type=answer)

    def raise_end(self) -> None:
        """Raise `LimitExceeded` or `NotJudged` if the server exited or exits before the end of the check."""
        self.ask(Ping(), type(None))

    def close(self) -> None:
        """End the server and wait until it is gone."""
        with self._lock, contextlib.suppress(OSError, Closed, WireError):
            self._control.socket.shutdown(socket.SHUT_WR)
            while self._control.receive(END_SECONDS, CONTROL_REPLIES) is not None:
                pass
        with contextlib.suppress(OSError):
            self._steps.socket.shutdown(socket.SHUT_RDWR)  # wakes its thread, which closes the socket
        self._control.close()
        self._shared.close()

    def _exchange(self, request: ControlRequest) -> msgspec.Raw | None:
        """Send a request and return its answer as JSON; return None, and set `_end`, if the server exited."""
        with contextlib.suppress(Closed):
            self._control.send(request)
        try:
            reply = self._control.receive(ASK_SECONDS, CONTROL_REPLIES)
        except (Closed, WireError):
            self._end = self._explain(None)
            return None
        if reply is not None and isinstance(reply.exited, int):
            self._end = self._explain(reply.exited)
            return None
        return reply.answer if reply is not None else None

    def _explain(self, status: int | None) -> CheckEnded:
        """Return the exception for a server that exited with this wait status; None is an unknown status."""
        code = 0 if status is None else os.waitstatus_to_exitcode(status)
        end = CRASHES.get(code) or next((each for each in End if each == code), None)
        text = self._shared.text()  # the statement in progress
        if end in USED:
            statement = f"the statement {truncate(text, SHOWN)}" if text else "a statement"
            return LimitExceeded(LIMIT.format(statement=statement, used=USED[end]))
        if end is End.WAIT:
            return NotJudged(
                f"the statement {truncate(text, SHOWN)} took over {sqlite_limits.MOST_WAIT:.0f} s of wall time: {BUSY}"
            )
        how = "with its parent" if status is None else signal.Signals(-code).name if code < 0 else f"exit status {code}"
        return NotJudged(f"the SQL server exited ({text or how}); run the check again")

    def _answer_steps(self) -> None:
        """Read the server's process id, and then answer its questions about steps."""
        with contextlib.suppress(Closed, WireError, OSError), contextlib.closing(self._steps):
            serving = self._steps.receive(None, SERVING)
            self._services.note_server(serving.pid if serving else 0)
            while (question := self._steps.receive(None, STEP_QUESTIONS)) is not None:
                self._steps.send(self._step(self._databases[question.database - 1], question.step))

    def _step(self, database: Closable, step: str) -> StepAnswer:
        try:
            self._services.step(step, database)
        except AnswerLost as lost:
            return StepAnswer(refused=str(lost))
        except StepRefused as refused:
            return StepAnswer(refused=str(refused), carried_out=False)
        except SutKilled:
            return StepAnswer(ends=True)
        return StepAnswer()
