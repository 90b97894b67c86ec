"""The databases of one SQL server."""

from __future__ import annotations

import itertools
import os
import threading
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from drill_katas.sql.protocol import STEP_ANSWERS, Serving, StepQuestion
from drill_katas.sql.sqlite_limits import connect
from drill_katas.sut.wire import Closed, WireError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Iterator

    from drill_katas.sql.connections import ConnectionTable
    from drill_katas.sql.records import Records
    from drill_katas.sql.shared import Shared
    from drill_katas.sut.wire import Channel


class SutKilled(Exception):
    """The judge kills the SUT instead of this request, which must not get an answer."""


class Steps:
    """Asks the judge about each step while a check has an injected fault."""

    def __init__(self, channel: Channel) -> None:
        channel.send(Serving(os.getpid()))
        self._channel = channel
        self._lock = threading.Lock()

    def ask(self, database: int, step: str) -> tuple[str, bool]:
        """Return the refusal of a request, or "", and whether it is executed. Raises `SutKilled`."""
        with self._lock:
            try:
                self._channel.send(StepQuestion(database, step))
                answer = self._channel.receive(None, STEP_ANSWERS)
            except (Closed, WireError):  # the check is over
                answer = None
        if answer is None or answer.ends:
            raise SutKilled
        return answer.refused, answer.carried_out


@dataclass
class Database:
    """One in-memory database, which lives as long as the server."""

    number: int
    connections: ConnectionTable
    round_trip: float
    records: Records
    shared: Shared
    steps: Steps
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.uri = f"file:/kata-{self.number}?vfs=memdb"
        self._anchor: sqlite3.Connection = connect(self.uri)  # because the data live only while a connection is open

    def next_number(self) -> int:
        """Return the number of a new connection."""
        return next(self._numbers)

    def ask_step(self, step: str) -> tuple[str, bool]:
        """Return the refusal of a request, or "", and whether it is executed. Raises `SutKilled`."""
        return self.steps.ask(self.number, step)
