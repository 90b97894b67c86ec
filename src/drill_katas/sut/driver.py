"""A PEP 249 driver for a database in the check's SQL server, which records every statement.

SQLAlchemy's SQLite dialect uses it unchanged (`create_engine("sqlite://", module=driver)`). Each `Connection` is one
connection to the server, which opens a real SQLite connection for it.
"""

from __future__ import annotations

import base64
import socket
import sqlite3
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from drill_katas.sut import telemetry
from drill_katas.sut.protocol import (
    SQL_REPLIES,
    AnySqlRequest,
    Commit,
    Connect,
    Execute,
    ExecuteMany,
    Hello,
    Isolation,
    Rollback,
    SqlReply,
    Statement,
)
from drill_katas.sut.wire import Channel, Closed, WireError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from typing import TypeAlias

    import sqlalchemy

    Parameters: TypeAlias = Sequence[Any] | Mapping[str, Any]
    """Parameters by position or by name."""

apilevel: Final = "2.0"
threadsafety: Final = 1
paramstyle: Final = "qmark"
sqlite_version_info: Final = (3, 36, 0)  # the oldest version that the judge accepts; the dialect chooses SQL by it
MAX_RESULT: Final = 64_000_000  # bytes of one result set on the wire

Binary = bytes


# PEP 249 requires these names in the driver; the classes are sqlite3's, because the errors are SQLite's
Warning = sqlite3.Warning  # noqa: A001
Error = sqlite3.Error
InterfaceError = sqlite3.InterfaceError
DatabaseError = sqlite3.DatabaseError
DataError = sqlite3.DataError
OperationalError = sqlite3.OperationalError
IntegrityError = sqlite3.IntegrityError
InternalError = sqlite3.InternalError
ProgrammingError = sqlite3.ProgrammingError
NotSupportedError = sqlite3.NotSupportedError


class Disconnected(OperationalError):
    """The connection to the database was lost."""


def connect(address: str, service: str) -> Connection:
    """Open a connection to the database `service` behind the unix socket `address`."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.connect(address)
    except OSError as refused:
        sock.close()
        raise OperationalError(f"unable to connect to the database: {refused}") from refused
    channel = Channel(sock, max_frame=MAX_RESULT)
    channel.send(Hello(service))
    connection = Connection(channel)
    try:
        connection.request(Connect())
    except Error:
        connection.close()
        raise
    return connection


def make_engine(address: str, service: str, **options: Any) -> sqlalchemy.Engine:
    """Return an ordinary SQLAlchemy engine for the judge's database `service`.

    `options` are those of `create_engine`.
    """
    import sqlalchemy  # noqa: PLC0415 - slow, and only katas with a database need it

    engine = sqlalchemy.create_engine(
        "sqlite://",
        module=sys.modules[__name__],
        creator=lambda: connect(address, service),
        **{"poolclass": sqlalchemy.QueuePool, **options},
    )
    sqlalchemy.event.listen(engine, "handle_error", _mark_disconnect)
    return engine


def _mark_disconnect(context: sqlalchemy.ExceptionContext) -> None:
    """Mark a lost connection for SQLAlchemy's pool, because the SQLite dialect never detects one itself."""
    if isinstance(context.original_exception, Disconnected):
        context.is_disconnect = True


class Connection:
    """One connection. As in sqlite3, INSERT, UPDATE and DELETE open a transaction implicitly."""

    def __init__(self, channel: Channel) -> None:
        self._channel: Channel | None = channel
        self._isolation_level: str | None = ""

    def cursor(self) -> Cursor:
        """Return a new cursor."""
        self._open_channel()
        return Cursor(self)

    def execute(self, sql: str, parameters: Parameters = ()) -> Cursor:
        """Execute `sql` on a new cursor and return the cursor, as sqlite3 does."""
        return self.cursor().execute(sql, parameters)

    def commit(self) -> None:
        """Commit the open transaction, if there is one."""
        self.request(Commit(trace=telemetry.current_trace()))

    def rollback(self) -> None:
        """Roll the open transaction back, if there is one."""
        self.request(Rollback(trace=telemetry.current_trace()))

    def close(self) -> None:
        """Close the connection and roll back an open transaction."""
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def create_function(self, name: str, *_args: Any, **_options: Any) -> None:
        """Ignore the functions that SQLAlchemy registers by itself. Raises `NotSupportedError` for any other.

        The server has no such functions, because a backtracking regular expression would block all connections.
        """
        if name not in {"regexp", "floor"}:
            raise NotSupportedError(f"SQL functions cannot be defined on this database: {name}")

    @property
    def isolation_level(self) -> str | None:
        """The isolation level as in sqlite3; None means autocommit."""
        return self._isolation_level

    @isolation_level.setter
    def isolation_level(self, level: str | None) -> None:
        self.request(Isolation(level=level))
        self._isolation_level = level

    def request(self, request: AnySqlRequest) -> SqlReply:
        """Send one request to the server; return its answer or raise the error that it reports."""
        channel = self._open_channel()
        try:
            channel.send(request)
            reply = channel.receive(None, SQL_REPLIES)
        except (Closed, WireError) as gone:
            self.close()
            raise Disconnected("the connection to the database was lost") from gone
        assert reply is not None
        if reply.error:
            raise getattr(sqlite3, reply.error)(reply.message)
        return reply

    def _open_channel(self) -> Channel:
        if self._channel is None:
            raise ProgrammingError("Cannot operate on a closed database.")
        return self._channel


class Cursor:
    """A cursor, which fetches the rows of a statement."""

    arraysize = 1

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.description: tuple[tuple[Any, ...], ...] | None = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self._rows: Iterator[tuple[Any, ...]] = iter(())

    def execute(self, sql: str, parameters: Parameters = ()) -> Cursor:
        """Execute one statement."""
        return self._run(Execute(sql=sql, parameters=_to_wire(parameters), trace=telemetry.current_trace()))

    def executemany(self, sql: str, parameters: Iterable[Parameters]) -> Cursor:
        """Execute one statement once for each row of parameters."""
        return self._run(
            ExecuteMany(sql=sql, rows=[_to_wire(row) for row in parameters], trace=telemetry.current_trace())
        )

    def fetchone(self) -> tuple[Any, ...] | None:
        """Return the next row, or None."""
        return next(self._rows, None)

    def fetchmany(self, size: int | None = None) -> list[tuple[Any, ...]]:
        """Return the next `size` rows."""
        wanted = self.arraysize if size is None else size
        return [row for _, row in zip(range(wanted), self._rows, strict=False)]

    def fetchall(self) -> list[tuple[Any, ...]]:
        """Return all remaining rows."""
        return list(self._rows)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return self._rows

    def close(self) -> None:
        """Discard the rows."""
        self._rows = iter(())

    def setinputsizes(self, sizes: Sequence[Any]) -> None:
        """Do nothing, as PEP 249 allows."""

    def setoutputsize(self, size: int, column: int | None = None) -> None:
        """Do nothing, as PEP 249 allows."""

    def _run(self, request: Statement) -> Cursor:
        reply = self.connection.request(request)
        columns = reply.columns or ()
        self.description = tuple((name, None, None, None, None, None, None) for name in columns) or None
        self.rowcount = reply.rowcount
        self.lastrowid = reply.lastrowid
        self._rows = iter([tuple(from_wire(value) for value in row) for row in reply.rows])
        return self


def _to_wire(parameters: Parameters) -> list[Any] | dict[str, Any]:
    if isinstance(parameters, Mapping):
        return {name: to_wire(value) for name, value in parameters.items()}
    return [to_wire(value) for value in parameters]


def to_wire(value: object) -> object:
    """Return the JSON form of one SQL value: None, int, float, str or bytes."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        if not -(2**63) <= value < 2**63:
            raise DataError("Python int too large to convert to SQLite INTEGER")
        return int.__int__(value)  # converts instances of subclasses
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, float):
        value = float.__float__(value)
        return value if value - value == 0 else {"float": repr(value)}  # JSON has no NaN and no infinity
    if isinstance(value, bytes | bytearray | memoryview):
        return {"bytes": base64.b64encode(value).decode()}
    raise ProgrammingError(f"Error binding parameter: type '{type(value).__name__}' is not supported")


def from_wire(value: Any) -> Any:
    """Return the SQL value whose JSON form is `value`."""
    if isinstance(value, dict):
        return float(value["float"]) if "float" in value else base64.b64decode(value["bytes"])
    return value
