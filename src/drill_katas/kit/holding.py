"""Connections that stay checked out of their pool while a program waits for another service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drill_katas.text import plural

if TYPE_CHECKING:
    from drill_katas.services.connections import CheckedOut
    from drill_katas.services.database import Database


class Holding:
    """Looks at a database's connections whenever a call to another service arrives, and keeps the worst of what it saw.

    A connection that is checked out over a call is idle for as long as that takes, and the pool has one less. That may
    be right; where a check fails for want of connections, `str()` of this says what they were waiting for.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._call = ""
        self._held: list[CheckedOut] = []

    def note(self, call: str) -> None:
        """Look at the connections, for a call such as "POST /price" has arrived and is open from now on."""
        held = self._database.checked_out()
        if len(held) > len(self._held):
            self._call, self._held = call, held

    def __str__(self) -> str:
        """Name the call and the first connection, as the beginning of a sentence; "" when none was checked out."""
        if not self._held:
            return ""
        were = plural(len(self._held), "connection was", "connections were")
        return f"{were} checked out while {self._call} was open, the first: {self._held[0]}"
