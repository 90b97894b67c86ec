"""The server's side of one connection: executes the SUT's requests on a SQLite connection."""

from __future__ import annotations

import contextlib
import re
import sqlite3
import time
from typing import TYPE_CHECKING, Any, Final

from drill_katas.sql.connections import SutConnection
from drill_katas.sql.databases import Database, SutKilled
from drill_katas.sql.messages import without_data
from drill_katas.sql.records import Record
from drill_katas.sql.shared import ARMED, CAUSE
from drill_katas.sql.sqlite_limits import Work, bound_pages, connect, fetch, size_of
from drill_katas.sut.driver import from_wire, to_wire
from drill_katas.sut.protocol import (
    SQL_REQUESTS,
    AnySqlRequest,
    Commit,
    Connect,
    Execute,
    ExecuteMany,
    Isolation,
    Rollback,
    SqlReply,
    Statement,
)

if TYPE_CHECKING:
    from typing import TypeAlias

    from drill_katas.sut.wire import Channel

    Values: TypeAlias = list[Any] | dict[str, Any]

LEAVE_SECONDS: Final = 5.0  # until a killed SUT is gone
ERRORS: Final = (sqlite3.Error, OverflowError, ValueError, KeyError, TypeError)
TRACE: Final = re.compile(r"[0-9a-f]{32}")
PING: Final = "SELECT 1"  # SQLAlchemy's `pool_pre_ping`; not a step, because a refused ping discards a good connection
_SETTING: Final = re.compile(r"\s*PRAGMA\b", re.IGNORECASE)  # not a use, because pools run PRAGMAs after a return
_BOOKKEEPING: Final = re.compile(r"\s*(BEGIN|COMMIT|END|ROLLBACK|SAVEPOINT|RELEASE|PRAGMA)\b", re.IGNORECASE)


class Conversation:
    """Answers the requests of one connection. `running` is the request in progress, or None."""

    def __init__(self, database: Database, channel: Channel) -> None:
        self.running: AnySqlRequest | None = None
        self._database = database
        self._words = database.shared.words
        self._channel = channel
        self._sqlite = connect(database.uri)
        self._is_bounded = bound_pages(self._sqlite)
        self._work = Work(self._sqlite)
        self._connection = SutConnection(database.next_number(), channel, self._sqlite)
        self._began = False  # the open transaction has a statement that counts as its first
        self._received_at = 0.0  # arrival time of the running request
        self._cause = 0

    def run(self) -> None:
        """Answer requests until the SUT closes the connection. Raises `Closed` and `WireError`."""
        try:
            if not self._database.connections.admit(self._connection):
                self._channel.receive()
                self._channel.send(
                    _refusal(f"too many connections: the server takes {self._database.connections.most}")
                )
                return
            while (request := self._channel.receive(None, SQL_REQUESTS)) is not None:
                self._received_at = time.monotonic()
                if self._database.round_trip:
                    time.sleep(self._database.round_trip)
                self.running = request
                answer = self._answer(request)
                self.running = None  # before sending, because a SUT that reads slowly is not a slow statement
                self._channel.send(answer)
        except SutKilled:
            self._channel.receive(timeout=LEAVE_SECONDS)  # until the SUT is gone, which closes the connection
        finally:
            self._database.connections.remove(self._connection)
            with contextlib.suppress(sqlite3.Error):
                self._sqlite.close()

    def describe(self, request: AnySqlRequest) -> str:
        """Return a request's SQL or a phrase for it, for a message."""
        match request:
            case Execute(sql=sql) | ExecuteMany(sql=sql):
                return " ".join(sql.split())
            case Connect():
                return "the opening of a connection"
            case Rollback() if not self._sqlite.in_transaction:  # the pool sends it
                return "the ROLLBACK as the connection returns to its pool"
        return type(request).__name__.upper()

    def _answer(self, request: AnySqlRequest) -> SqlReply:
        self._cause = self._words[CAUSE]
        sql = request.sql if isinstance(request, Execute | ExecuteMany) else None
        if sql is not None and not _SETTING.match(sql):
            self._connection.note(sql, self._cause)
        if self._words[ARMED] and sql != PING:
            refused, carried_out = self._database.ask_step(self.describe(request))
            if carried_out:
                answer = self._carry_out(request)
            elif isinstance(request, Commit | Rollback):
                self._carry_out(Rollback())  # as PostgreSQL does if it cannot commit
            return _refusal(refused) if refused else answer
        return self._carry_out(request)

    def _carry_out(self, request: AnySqlRequest) -> SqlReply:
        self._work.begin()
        try:
            return self._execute(request) if isinstance(request, Execute | ExecuteMany) else self._frame(request)
        except ERRORS as error:
            return self._error(error, "")
        finally:
            self._began = self._began and self._sqlite.in_transaction

    def _frame(self, request: Connect | Commit | Rollback | Isolation) -> SqlReply:
        """Execute a request without SQL."""
        match request:
            case Commit():
                self._sqlite.commit()
            case Rollback():
                self._sqlite.rollback()
                self._connection.note_return()
            case Isolation():
                self._sqlite.isolation_level = request.level
        return SqlReply()

    def _execute(self, request: Statement) -> SqlReply:
        """Execute a statement and record it, with the size of its error message if it fails."""
        self._is_bounded = self._is_bounded or bound_pages(self._sqlite)
        sql, many = request.sql, isinstance(request, ExecuteMany)
        sent = [_from_wire(row) for row in (request.rows if isinstance(request, ExecuteMany) else [request.parameters])]
        try:
            cursor = self._sqlite.executemany(sql, sent) if many else self._sqlite.execute(sql, sent[0])
            rows, size = fetch(cursor)
        except ERRORS as error:
            answer, failed = self._error(error, sql), type(error).__name__
            rows, size = [], len(answer.message)
        else:
            answer, failed = _result(cursor, rows), ""
        if not (_BOOKKEEPING.match(sql) and _is_setting(rows)):
            sent_size = size_of(row.values() if isinstance(row, dict) else row for row in sent)
            self._record(request, rows=len(rows), size=sent_size + size, failed=failed)
        return answer

    def _record(self, request: Statement, *, rows: int, size: int, failed: str) -> None:
        began, self._began = self._sqlite.in_transaction and not self._began, self._sqlite.in_transaction
        trace = request.trace
        records = self._database.records
        made = Record(
            text=records.number_of(request.sql),
            rows=rows,
            size=size,
            work=self._work.done,
            connection=self._connection.number,
            cause=self._cause,
            began=began,
            at=self._received_at,
            seconds=time.monotonic() - self._received_at,
            trace_id=trace if isinstance(trace, str) and TRACE.fullmatch(trace) else None,
            failed=failed,
        )
        records.add(self._database.number, made)

    def _error(self, error: Exception, sql: str) -> SqlReply:
        kind = type(error).__name__ if isinstance(error, sqlite3.Error) else "ProgrammingError"
        return SqlReply(error=kind, message=without_data(error, self._sqlite, sql))


def _is_setting(rows: list[tuple[object, ...]]) -> bool:
    """Return whether rows are the answer of a PRAGMA about a setting; other PRAGMAs read tables and are recorded."""
    return not rows or (len(rows) == 1 and len(rows[0]) == 1)


def _result(cursor: sqlite3.Cursor, rows: list[tuple[object, ...]]) -> SqlReply:
    return SqlReply(
        columns=[column[0] for column in cursor.description] if cursor.description else None,
        rows=[[to_wire(value) for value in row] for row in rows],
        rowcount=cursor.rowcount,
        lastrowid=cursor.lastrowid,
    )


def _refusal(message: str) -> SqlReply:
    return SqlReply(error="OperationalError", message=message)


def _from_wire(parameters: list[Any] | dict[str, Any]) -> Values:
    if isinstance(parameters, dict):
        return {name: from_wire(value) for name, value in parameters.items()}
    return [from_wire(value) for value in parameters]
