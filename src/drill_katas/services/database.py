"""Databases for the SUT: SQLite in the SQL server of the check, which records every statement."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from drill_katas.services.connections import Held, Statement, Usage, usage_by_call
from drill_katas.sql.connections import Connections
from drill_katas.sql.protocol import Look, RoundTrip, Take
from drill_katas.sql.records import Piece

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drill_katas.services.broker import Services
    from drill_katas.services.sql_server import SqlServer
    from drill_katas.sql.records import Record


class Database:
    """A fresh, empty SQLite database; hand it to `sut.open`, and the SUT gets a SQLAlchemy engine on it.

    It lives until the check ends, so it survives a SUT that is killed. `round_trip` is added to every statement, in
    seconds, as a network would; it may be set at any time. With `connections` it takes that many at once, and refuses
    one more with an `OperationalError`. With `client` the SUT gets `world.<client>(connect)` in place of an engine, and
    `connect(**options)` returns engines, with options of SQLAlchemy's `create_engine`.

    A statement may take 1 s of processor time, and all databases of a check 512 MiB of memory; beyond that the check
    ends with the outcome `limit`, at the next question to the database or the SUT.
    """

    def __init__(self, *, round_trip: float = 0.0, connections: int | None = None, client: str | None = None) -> None:
        self._statements: list[Statement] = []
        self._round_trip = round_trip
        self._most = connections
        self._client = client
        self._server: SqlServer | None = None
        self._number = 0
        self._seen = 0  # the server's changes when the statements were last taken
        self._looks = Connections([], 0)
        self._wire: dict[str, Any] | None = None

    def attach(self, services: Services) -> dict[str, Any]:
        """Open the database in the SQL server of the check; return its name and address for the SUT."""
        if self._wire is None:
            self._server = services.sql
            self._number = self._server.add(self, self._round_trip, self._most)
            services.keep(self)
            place = {"address": self._server.address, "service": str(self._number)}
            self._wire = {"$database": place | ({"client": self._client} if self._client else {})}
        return self._wire

    @property
    def round_trip(self) -> float:
        """Seconds that are added to every statement."""
        return self._round_trip

    @round_trip.setter
    def round_trip(self, seconds: float) -> None:
        self._round_trip = seconds
        if self._server is not None:
            self._server.ask(RoundTrip(self._number, seconds), type(None))

    @property
    def statements(self) -> list[Statement]:
        """Every statement that the SUT has executed, failed ones too; no BEGIN, COMMIT, SAVEPOINT or PRAGMA."""
        if self._server is not None and (changes := self._server.changes) != self._seen:
            self._seen = changes
            while self._take(self._server):
                pass
        return self._statements

    @property
    def open_connections(self) -> int:
        """How many connections the SUT has open now, in use or idle in a pool."""
        return len(self._look().states)

    @property
    def peak_connections(self) -> int:
        """The most connections that were open at once."""
        return self._look().peak

    def checked_out(self) -> list[Held]:
        """Return the connections that are checked out of their pool now, the oldest first.

        Such a one has executed something since its last return, or has a transaction open. A pool returns a connection
        with a rollback by default; with another `pool_reset_on_return` returns are not seen.
        """
        states = self._look().states
        causes = self._server.causes if self._server else []
        return [Held.of(each, causes[each.cause]) for each in states if each.used or each.in_transaction]

    def close(self) -> None:
        """Let go of the server; the check is over."""
        self._server = None

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

    def _look(self) -> Connections:
        if self._server is not None:
            self._looks = self._server.ask(Look(self._number), Connections)
        return self._looks

    def _take(self, server: SqlServer) -> bool:
        """Take recorded statements from the server; return whether there are more."""
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
