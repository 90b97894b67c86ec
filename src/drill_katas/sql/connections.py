"""The connections of one database: how many are open, and which are in use."""

from __future__ import annotations

import socket
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import sqlite3

    from drill_katas.sut.wire import Channel


class ConnectionState(msgspec.Struct, frozen=True):
    """The current state of one open connection.

    `used` means that it is checked out of its pool, as far as its requests show. `cause` is the number of the call that
    checked it out, `seconds` the time since then, `sql` its last statement.
    """

    number: int
    used: bool
    cause: int
    sql: str
    in_transaction: bool
    seconds: float


class Connections(msgspec.Struct, frozen=True):
    """All open connections of a database, the oldest first, and the largest number that was open at once."""

    states: list[ConnectionState]
    peak: int


@dataclass
class _Use:
    """The use of a connection since its last return to the pool."""

    cause: int
    sql: str
    since: float = field(default_factory=time.monotonic)


class SutConnection:
    """One open connection of the SUT."""

    def __init__(self, number: int, channel: Channel, sqlite: sqlite3.Connection) -> None:
        self.number = number
        self._channel = channel
        self._sqlite = sqlite
        self._use: _Use | None = None

    def note(self, sql: str, cause: int) -> None:
        """Note a statement before it is executed or refused; in both cases the connection is in use."""
        if self._use is None:
            self._use = _Use(cause, sql)
        else:
            self._use.sql = sql

    def note_return(self) -> None:
        """Note a rollback, because a pool rolls back a connection that returns to it."""
        self._use = None

    @property
    def gone(self) -> bool:
        """Whether the SUT closed it, even if this connection's thread has not read that yet."""
        try:
            return not self._channel.socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def state(self) -> ConnectionState:
        """Return its current state."""
        use = self._use or _Use(0, "")
        sql = " ".join(use.sql.split())
        since = time.monotonic() - use.since
        return ConnectionState(self.number, self._use is not None, use.cause, sql, self._sqlite.in_transaction, since)


class ConnectionTable:
    """The open connections of a database, at most `most`."""

    def __init__(self, most: int | None) -> None:
        self.most = most
        self._peak = 0
        self._connections: dict[int, SutConnection] = {}
        self._lock = threading.Lock()

    def admit(self, connection: SutConnection) -> bool:
        """Add a connection and return True; return False if the limit is reached."""
        with self._lock:
            count = len(self._open())
            if self.most is not None and count >= self.most:
                return False
            self._connections[connection.number] = connection
            self._peak = max(self._peak, count + 1)
            return True

    def remove(self, connection: SutConnection) -> None:
        """Remove a closed connection."""
        with self._lock:
            self._connections.pop(connection.number, None)

    def state(self) -> Connections:
        """Return the states of all open connections."""
        return Connections([each.state() for each in self._open()], self._peak)

    def _open(self) -> list[SutConnection]:
        return [each for each in list(self._connections.values()) if not each.gone]
