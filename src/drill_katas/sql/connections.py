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
    """One open connection, as it is now.

    `cause` is the number of the call during which it was checked out of its pool, `sql` its last statement, `seconds`
    how long ago that was; `used` says that it is checked out, as far as its requests show.
    """

    number: int
    used: bool
    cause: int
    sql: str
    in_transaction: bool
    seconds: float


class Connections(msgspec.Struct, frozen=True):
    """All open connections of a database, the oldest first, and the most that were open at once."""

    states: list[ConnectionState]
    peak: int


@dataclass
class _Use:
    """The use of a connection since its last return to the pool."""

    cause: int
    sql: str
    since: float = field(default_factory=time.monotonic)


class SutConnection:
    """One open connection of the SUT's."""

    def __init__(self, number: int, channel: Channel, sqlite: sqlite3.Connection) -> None:
        self.number = number
        self._channel = channel
        self._sqlite = sqlite
        self._use: _Use | None = None

    def note(self, sql: str, cause: int) -> None:
        """Note a statement that is about to be executed or refused: either way the connection is in use."""
        if self._use is None:
            self._use = _Use(cause, sql)
        else:
            self._use.sql = sql

    def returned(self) -> None:
        """Note a rollback that was carried out: a pool takes a connection back with one."""
        self._use = None

    @property
    def gone(self) -> bool:
        """Whether the SUT has closed it, even if its thread has not read that yet."""
        try:
            return not self._channel.socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            return True

    def look(self) -> ConnectionState:
        """Return how it is now."""
        use = self._use or _Use(0, "")
        sql = " ".join(use.sql.split())
        since = time.monotonic() - use.since
        return ConnectionState(self.number, self._use is not None, use.cause, sql, self._sqlite.in_transaction, since)


class ConnectionTable:
    """The connections that are open, at most `most` of them."""

    def __init__(self, most: int | None) -> None:
        self.most = most
        self._peak = 0
        self._connections: dict[int, SutConnection] = {}
        self._lock = threading.Lock()

    def admit(self, connection: SutConnection) -> bool:
        """Add a connection, unless there are as many as there may be."""
        with self._lock:
            count = len(self._open())
            if self.most is not None and count >= self.most:
                return False
            self._connections[connection.number] = connection
            self._peak = max(self._peak, count + 1)
            return True

    def remove(self, connection: SutConnection) -> None:
        """Forget a connection that is closed."""
        with self._lock:
            self._connections.pop(connection.number, None)

    def look(self) -> Connections:
        """Return the open ones."""
        return Connections([each.look() for each in self._open()], self._peak)

    def _open(self) -> list[SutConnection]:
        return [each for each in list(self._connections.values()) if not each.gone]
