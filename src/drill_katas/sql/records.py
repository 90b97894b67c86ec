"""A SQL server's records of statements, until the judge fetches them."""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING, Final

import msgspec

from drill_katas.sql import sqlite_limits
from drill_katas.sql.shared import CHANGES

if TYPE_CHECKING:
    from drill_katas.sql.shared import Shared

PIECE: Final = 5_000  # records per answer


class Record(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """An executed statement; see `drill_katas.services.connections.Statement`.

    `text` is the number of its SQL text, `cause` the number of the check's call.
    """

    text: int
    rows: int
    size: int
    work: int
    connection: int
    cause: int
    began: bool
    at: float
    seconds: float
    trace_id: str | None
    failed: str


class Piece(msgspec.Struct, frozen=True):
    """Records of one database in order, and the SQL texts that are new to the judge."""

    records: list[Record]
    texts: list[tuple[int, str]]
    more: bool


class TooManyRecords(Exception):
    """The check exceeded the limit on statements or on SQL texts."""


class Records:
    """The records of all databases of a server."""

    def __init__(self, shared: Shared, most: int) -> None:
        self._words = shared.words
        self._most = most
        self._changes = itertools.count(1)
        self._count = itertools.count(1)
        self._numbers: dict[str, int] = {}
        self._new_texts: list[tuple[int, str]] = []
        self._bytes = 0
        self._waiting: dict[int, list[Record]] = {}
        self._lock = threading.Lock()

    def number_of(self, sql: str) -> int:
        """Return the number of a SQL text, a new one for a new text. Raises `TooManyRecords`."""
        number = self._numbers.get(sql)
        return self._add_text(sql) if number is None else number

    def add(self, database: int, record: Record) -> None:
        """Add a record. Raises `TooManyRecords`."""
        self._waiting[database].append(record)
        if next(self._count) > self._most:
            raise TooManyRecords
        self._words[CHANGES] = next(self._changes)

    def open(self, database: int) -> None:
        """Start the records of another database."""
        self._waiting[database] = []

    def take(self, database: int) -> Piece:
        """Remove and return the next records."""
        waiting = self._waiting[database]
        records = waiting[:PIECE]
        del waiting[: len(records)]
        with self._lock:
            texts, self._new_texts = self._new_texts, []
        return Piece(records, texts, more=bool(waiting))

    def _add_text(self, sql: str) -> int:
        with self._lock:
            if sql not in self._numbers:
                self._bytes += len(sql)
                if self._bytes > sqlite_limits.MOST_TEXTS:
                    raise TooManyRecords
                self._numbers[sql] = len(self._numbers)
                self._new_texts.append((self._numbers[sql], sql))
            return self._numbers[sql]
