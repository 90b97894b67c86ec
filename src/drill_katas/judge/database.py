"""The SQL server: a real SQLite database for the SUT, in the judge, where every statement is seen."""

from __future__ import annotations

import contextlib
import itertools
import re
import sqlite3
import time
from typing import TYPE_CHECKING, Any, Final

from drill_katas.judge.bounds import MOST_WORK, bound, fetch, size_of
from drill_katas.judge.probe import Held, Line, Lines, Statement, Usage, usage_by_call
from drill_katas.judge.trouble import Refused, Unanswered
from drill_katas.sql.messages import without_data
from drill_katas.sut.driver import from_wire, to_wire

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import TypeAlias

    from drill_katas.judge.services import Services
    from drill_katas.sut.wire import Channel

    Values: TypeAlias = list[Any] | dict[str, Any]

_SERIALS = itertools.count(1)
_BOOKKEEPING: Final = re.compile(r"\s*(BEGIN|COMMIT|END|ROLLBACK|SAVEPOINT|RELEASE|PRAGMA)\b", re.IGNORECASE)
WORK_UNIT: Final = 5  # instructions of SQLite's virtual machine between two counts
ERRORS: Final = (sqlite3.Error, OverflowError, ValueError, KeyError, TypeError)
LOCK_SECONDS: Final = 2.0  # how long a statement waits for another connection's lock


class Database:
    """A fresh, empty SQLite database; hand it to `sut.open`, and the SUT gets a SQLAlchemy engine on it.

    It lives until the check ends, so it survives a SUT that is killed. `round_trip` is added to every statement, in
    seconds, as a network would; it may be set at any time. With `connections` it takes that many at once, and refuses
    one more with an `OperationalError`. With `client` the SUT gets `world.<client>(connect)` in place of an engine, and
    `connect(**options)` returns engines, with options of SQLAlchemy's `create_engine`.
    """

    def __init__(self, *, round_trip: float = 0.0, connections: int | None = None, client: str | None = None) -> None:
        self.statements: list[Statement] = []
        self._lines = Lines(connections)
        self._client = client
        self.round_trip = round_trip
        self._uri = f"file:/kata-{next(_SERIALS)}?vfs=memdb"
        self._anchor = self._connect()  # the database lives as long as a connection to it does
        self._numbers = itertools.count(1)
        self._wire: dict[str, Any] | None = None

    def attach(self, services: Services) -> dict[str, Any]:
        """Be reachable through `services`; the database's name and address for the SUT."""
        if self._wire is None:
            self._services = services
            place = {"address": services.address, "service": services.add(self)}
            self._wire = {"$database": place | ({"client": self._client} if self._client else {})}
        return self._wire

    @property
    def open_connections(self) -> int:
        """How many connections the SUT has open now, in use or idle in a pool."""
        return len(self._lines.open())

    @property
    def peak_connections(self) -> int:
        """The most connections that were open at once."""
        return self._lines.peak

    def held(self) -> list[Held]:
        """Return the connections that are checked out of their pool now, the oldest first.

        Such a one has executed something since its last return, or has a transaction open. A pool returns a connection
        with a rollback, by default: where it is told otherwise (`pool_reset_on_return`) returns are not seen.
        """
        return [held for line in self._lines.open() if (held := line.held())]

    def close(self) -> None:
        """Forget all data."""
        self._anchor.close()

    @contextlib.contextmanager
    def recorded(self) -> Iterator[list[Statement]]:
        """Record the statements of a block: no BEGIN, COMMIT, ROLLBACK, SAVEPOINT or PRAGMA.

        Yields the list of them, which is empty until the block ends.
        """
        before = len(self.statements)
        seen: list[Statement] = []
        yield seen
        seen += self.statements[before:]

    def usage(self) -> list[Usage]:
        """Return what each call, or request over HTTP, has cost so far; those without statements are left out."""
        return usage_by_call(self.statements)

    def serve(self, channel: Channel) -> None:
        """Serve one connection of the SUT's with a SQLite connection of its own."""
        connection = _Connection(self, self._connect(), next(self._numbers), channel)
        try:
            if not self._lines.admit(connection.line):
                channel.receive()
                channel.send(_refusal(f"too many connections: the server takes {self._lines.most}"))
                return
            while (request := channel.receive()) is not None:
                connection.asked = time.monotonic()
                if self.round_trip:
                    time.sleep(self.round_trip)
                channel.send(self._answer(connection, request))
        finally:
            self._lines.remove(connection.line)
            connection.close()

    @property
    def call(self) -> str:
        """The call of the check's that is under way; "" when there is none."""
        call = self._services.call
        return call.text if call else ""

    def _answer(self, connection: _Connection, request: dict[str, Any]) -> dict[str, Any]:
        connection.line.note(request, self._services.call, self._services.trace_id)
        try:
            self._services.step(connection.in_words(request), self)
        except Unanswered as lost:
            connection.answer(request)
            return _refusal(str(lost))
        except Refused as refused:
            return _refusal(str(refused))
        return connection.answer(request)

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._uri, uri=True, timeout=LOCK_SECONDS, check_same_thread=False)
        bound(connection)
        return connection


def _refusal(message: str) -> dict[str, Any]:
    return {"error": "OperationalError", "message": message}


class _Connection:
    """Carries out the requests of one connection."""

    def __init__(self, database: Database, sqlite: sqlite3.Connection, number: int, channel: Channel) -> None:
        self.line = Line(number, channel, sqlite)
        self._database = database
        self._sqlite = sqlite
        self.asked = 0.0  # when the request came in that is being carried out
        self._work = 0
        self._began = False  # a statement has been counted as the one that opened the transaction
        sqlite.set_progress_handler(self._count_work, WORK_UNIT)

    def in_words(self, request: dict[str, Any]) -> str:
        """Name a request as the person who wrote the SQL would."""
        if "sql" in request:
            return " ".join(str(request["sql"]).split())
        if request["op"] == "hello":
            return "the opening of a connection"
        if request["op"] == "rollback" and not self._sqlite.in_transaction:  # nobody wrote that
            return "the connection's return to its pool"
        return str(request["op"]).upper()

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        self._work = 0
        try:
            return self._execute(request) if "sql" in request else self._carry_out(request)
        except ERRORS as error:
            return self._error(error, "")
        finally:
            self._began = self._began and self._sqlite.in_transaction

    def close(self) -> None:
        with contextlib.suppress(sqlite3.Error):
            self._sqlite.close()

    def _count_work(self) -> int:
        self._work += WORK_UNIT
        if self._work <= MOST_WORK:
            return 0  # go on
        self._work = 0
        return 1

    def _carry_out(self, request: dict[str, Any]) -> dict[str, Any]:
        match request["op"]:
            case "commit":
                self._sqlite.commit()
            case "rollback":
                self._sqlite.rollback()
                self.line.returned()
            case "isolation":
                self._sqlite.isolation_level = request["level"]
        return {}

    def _execute(self, request: dict[str, Any]) -> dict[str, Any]:
        """Execute a statement and record it, with the size of its error message if it fails."""
        sql, many = request["sql"], request["op"] == "executemany"
        sent = [_from_wire(row) for row in (request["rows"] if many else [request["parameters"]])]
        try:
            cursor = self._sqlite.executemany(sql, sent) if many else self._sqlite.execute(sql, sent[0])
            rows, size = fetch(cursor)
        except ERRORS as error:
            answer, failed = self._error(error, sql), type(error).__name__
            rows, size = [], len(answer["message"])
        else:
            answer, failed = _result(cursor, rows), ""
        if not _BOOKKEEPING.match(sql):
            sent_size = size_of(row.values() if isinstance(row, dict) else row for row in sent)
            self._record(request, rows=len(rows), size=sent_size + size, failed=failed)
        return answer

    def _record(self, request: dict[str, Any], *, rows: int, size: int, failed: str) -> None:
        began, self._began = self._sqlite.in_transaction and not self._began, self._sqlite.in_transaction
        made = Statement(
            sql=request["sql"],
            rows=rows,
            size=size,
            work=self._work,
            connection=self.line.number,
            call=self._database.call,
            began=began,
            at=self.asked,
            seconds=time.monotonic() - self.asked,
            trace_id=request.get("trace"),
            failed=failed,
        )
        self._database.statements.append(made)

    def _error(self, error: Exception, sql: str) -> dict[str, Any]:
        kind = type(error).__name__ if isinstance(error, sqlite3.Error) else "ProgrammingError"
        return {"error": kind, "message": without_data(error, self._sqlite, sql)}


def _result(cursor: sqlite3.Cursor, rows: list[tuple[object, ...]]) -> dict[str, Any]:
    return {
        "columns": [column[0] for column in cursor.description] if cursor.description else None,
        "rows": [[to_wire(value) for value in row] for row in rows],
        "rowcount": cursor.rowcount,
        "lastrowid": cursor.lastrowid,
    }


def _from_wire(parameters: list[Any] | dict[str, Any]) -> Values:
    if isinstance(parameters, dict):
        return {name: from_wire(value) for name, value in parameters.items()}
    return [from_wire(value) for value in parameters]
