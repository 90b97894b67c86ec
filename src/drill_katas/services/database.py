"""Databases for the SUT: SQLite in the check's SQL server, which records every statement."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from drill_katas.services.attachment import Resource
from drill_katas.services.connections import CheckedOut, Statement, Usage, usage_by_call
from drill_katas.sql.connections import Connections
from drill_katas.sql.protocol import Look, RoundTrip, Take
from drill_katas.sql.records import Piece

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drill_katas.services.broker import Services
    from drill_katas.services.sql_server import SqlServer
    from drill_katas.sql.records import Record


class Database(Resource):
    """A new, empty SQLite database. Pass it to `sut.open`, and the SUT gets a SQLAlchemy engine for it.

    It lives until the end of the check, so it survives a killed SUT.

    - `round_trip`: network delay of every statement, in seconds; settable at any time.
    - `connections`: the largest number of open connections; one more raises `OperationalError` in the SUT.
    - `client`: the SUT gets `world.<client>(connect)` instead of an engine. `connect(**options)` returns an engine;
      `options` are those of SQLAlchemy's `create_engine`.

    Limits: 1 s of processor time per statement, 512 MiB of memory for all databases of a check. Beyond a limit the
    check ends with the outcome `limit`, at the next call of the database or the SUT.
    """

    noun = "database"

    def __init__(self, *, round_trip: float = 0.0, connections: int | None = None, client: str | None = None) -> None:
        self._statements: list[Statement] = []
        self._round_trip = round_trip
        self._most = connections
        self._client = client
        self._server: SqlServer | None = None
        self._number = 0
        self._seen = 0  # the server's change counter when the statements were last fetched
        self._looks = Connections([], 0)
        self._wire: dict[str, Any] | None = None

    def attach(self, services: Services) -> dict[str, Any]:
        """Open the database in the SQL server of the check; return its name and address for the SUT."""
        self._begin()
        if self._wire is None:
            self._server = services.sql
            self._number = self._server.add(self, self._round_trip, self._most)
            services.keep(self)
            place = {"address": self._server.address, "service": str(self._number)}
            self._wire = {"$database": place | ({"client": self._client} if self._client else {})}
        return self._wire

    @property
    def round_trip(self) -> float:
        """The network delay of every statement, in seconds."""
        return self._round_trip

    @round_trip.setter
    def round_trip(self, seconds: float) -> None:
        self._round_trip = seconds
        if self._server is not None:
            self._server.ask(RoundTrip(self._number, seconds), type(None))

    @property
    def statements(self) -> list[Statement]:
        """Every statement so far, including failed ones; without BEGIN, COMMIT, ROLLBACK, SAVEPOINT and PRAGMA."""
        self.expect_attached()
        if self._server is not None and (changes := self._server.changes) != self._seen:
            self._seen = changes
            while self._take(self._server):
                pass
        return self._statements

    @property
    def open_connections(self) -> int:
        """The number of open connections of the SUT now, in use or idle in a pool."""
        return len(self._look().states)

    @property
    def peak_connections(self) -> int:
        """The largest number of connections that were open at once."""
        return self._look().peak

    def checked_out(self) -> list[CheckedOut]:
        """Return the connections that are checked out of their pool now, the oldest first.

        A connection counts as checked out from its first statement until the rollback with which it returns to the
        pool. It also counts as checked out whenever it has an open transaction. If `pool_reset_on_return` is not a
        rollback, the database does not see that a connection returns.
        """
        states = self._look().states
        causes = self._server.causes if self._server else []
        return [CheckedOut.of(each, causes[each.cause]) for each in states if each.used or each.in_transaction]

    def close(self) -> None:
        """Release the server at the end of the check."""
        self._end()
        self._server = None

    @contextlib.contextmanager
    def recorded(self) -> Iterator[list[Statement]]:
        """Yield a list that gets the statements of this block when the block ends.

        It contains no BEGIN, COMMIT, ROLLBACK, SAVEPOINT or PRAGMA.
        """
        before = len(self.statements) if self._attached else 0
        seen: list[Statement] = []
        yield seen
        seen += self.statements[before:]

    def usage(self) -> list[Usage]:
        """Return the cost so far of each call or HTTP request with at least one statement."""
        return usage_by_call(self.statements)

    def _look(self) -> Connections:
        self.expect_attached()
        if self._server is not None:
            self._looks = self._server.ask(Look(self._number), Connections)
        return self._looks

    def _take(self, server: SqlServer) -> bool:
        """Fetch recorded statements from the server; return whether there are more."""
        piece = server.ask(Take(self._number), Piece)
        server.texts.update(piece.texts)
        self._statements += [_statement(server, record) for record in piece.records]
        return piece.more


def _statement(server: SqlServer, record: Record) -> Statement:
    call = server.causes[record.cause].call
    return Statement(
        sql=server.texts[record.text],
        rows=record.rows,
        size=record.size,
        work=record.work,
        connection=record.connection,
        call=call.text if call else "",
        began=record.began,
        at=record.at,
        seconds=record.seconds,
        trace_id=record.trace_id,
        failed=record.failed,
    )
