"""What a database knows of its connections: who holds one, and what each call of the SUT has cost."""

from __future__ import annotations

import itertools
import socket
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterable

    from drill_katas.sut.wire import Channel

SHOWN: Final = 100  # characters of a statement or call in a message


@dataclass(frozen=True)
class Statement:
    """One SQL statement the SUT executed.

    `rows` is how many it fetched, `size` how many bytes its parameters and these rows hold, `work` about how many
    instructions SQLite's virtual machine carried out for it: rows that were only looked through cost some, too.
    `call` is the check's call that caused it, as text; "" where the contract has none. `began` says that it opened a
    transaction. `at` is when it came in, by the judge's clock, and `seconds` how long it took, with the round trip.
    `trace_id` is what the SUT says, and no verdict rests on it. `failed` is the class of the error that the statement
    has raised, such as "IntegrityError", and its message counts in `size`; "" where it was carried out.
    """

    sql: str
    rows: int
    size: int
    work: int
    connection: int
    call: str = ""
    began: bool = False
    at: float = 0.0
    seconds: float = 0.0
    trace_id: str | None = None
    failed: str = ""


@dataclass(frozen=True)
class Usage:
    """What one call or request has cost: statements, the rows they fetched, transactions and connections used.

    `call` is the check's call, such as `ledger.apply(...)`; of a request over HTTP it is the trace id.
    """

    call: str
    statements: int
    rows: int
    transactions: int
    connections: int


@dataclass(frozen=True)
class Held:
    """A connection that is checked out of its pool, as the database sees it.

    `call` is the call during which it was taken, with its result; `trace_id` the trace of that call. Either is empty
    where there was none. `sql` is its last statement, `seconds` how long ago it was taken.
    """

    connection: int
    call: str
    trace_id: str | None
    sql: str
    in_transaction: bool
    seconds: float

    def __str__(self) -> str:
        """Say it on one line, without what is different every time."""
        since = f" since {_cut(self.call)}" if self.call else ""
        sql = f", last statement {_cut(self.sql)}" if self.sql else ""
        return f"connection {self.connection}{since}{sql}{', in an open transaction' if self.in_transaction else ''}"


@dataclass
class _Use:
    """The use of a connection since its last return to the pool."""

    call: object
    trace_id: str | None
    sql: str = ""
    since: float = field(default_factory=time.monotonic)


class Line:
    """One open connection of the SUT's."""

    def __init__(self, number: int, channel: Channel, sqlite: sqlite3.Connection) -> None:
        self.number = number
        self._channel = channel
        self._sqlite = sqlite
        self._use: _Use | None = None

    def note(self, request: dict[str, Any], call: object, trace_id: str | None) -> None:
        """Note a request that is about to be carried out, or refused: either way somebody uses the connection."""
        if "sql" in request:
            self._use = self._use or _Use(call, trace_id)
            self._use.sql = " ".join(str(request["sql"]).split())

    def returned(self) -> None:
        """Note a rollback that was carried out: so a pool takes a connection back."""
        self._use = None

    @property
    def gone(self) -> bool:
        """Whether the SUT has closed it, even if nobody has come to read that yet."""
        try:
            return not self._channel.socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def held(self) -> Held | None:
        """Return what holds it, or None. A transaction that is open is somebody's, whatever came before it."""
        use, in_transaction = self._use, self._sqlite.in_transaction
        if use is None:
            return Held(self.number, "", None, "", in_transaction, 0.0) if in_transaction else None
        age = time.monotonic() - use.since
        return Held(self.number, str(use.call or ""), use.trace_id, use.sql, in_transaction, age)


class Lines:
    """The connections that are open, at most `most` of them."""

    def __init__(self, most: int | None) -> None:
        self.peak = 0
        self.most = most
        self._lines: dict[int, Line] = {}
        self._lock = threading.Lock()

    def admit(self, line: Line) -> bool:
        """Add a connection, unless there are as many as there may be."""
        with self._lock:
            count = len(self.open())
            if self.most is not None and count >= self.most:
                return False
            self._lines[line.number] = line
            self.peak = max(self.peak, count + 1)
            return True

    def remove(self, line: Line) -> None:
        """Forget a connection that is closed."""
        with self._lock:
            self._lines.pop(line.number, None)

    def open(self) -> list[Line]:
        """Return the open ones, the oldest first."""
        return [line for line in list(self._lines.values()) if not line.gone]


def usage_by_call(statements: Iterable[Statement]) -> list[Usage]:
    """Add statements up by the call or the request that caused them, in the order in which these began.

    Statements of two calls with the same text that follow one another are added up together; requests over HTTP may
    run at the same time, and are told apart by their traces.
    """
    runs: dict[tuple[int, str] | str, list[Statement]] = {}
    for number, (call, together) in enumerate(itertools.groupby(statements, key=lambda each: each.call)):
        for statement in together:
            cause = (number, call) if call else statement.trace_id or ""
            runs.setdefault(cause, []).append(statement)
    return [
        Usage(
            call=run[0].call or run[0].trace_id or "",
            statements=len(run),
            rows=sum(each.rows for each in run),
            transactions=sum(each.began for each in run),
            connections=len({each.connection for each in run}),
        )
        for run in runs.values()
    ]


def _cut(text: str) -> str:
    """Leave out the middle of a long text: a statement is known by its head, a call by its result, too."""
    text = " ".join(text.split())
    return text if len(text) <= SHOWN else f"{text[: SHOWN // 2]}...{text[-SHOWN // 2 :]}"
