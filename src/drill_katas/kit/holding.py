"""Connections that stay checked out while a program waits for another service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drill_katas.text import plural

if TYPE_CHECKING:
    from drill_katas.services.connections import CheckedOut
    from drill_katas.services.database import Database


class Holding:
    """Records the most connections that were checked out when a call to another service arrived.

    A connection that is checked out during a call is idle, and the pool has one connection less. This can be right. If
    a check fails because connections ran out, `str()` of this object names the call that they waited for.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._call = ""
        self._held: list[CheckedOut] = []

    def note(self, call: str) -> None:
        """Record the checked-out connections at the arrival of a call, such as "POST /price"."""
        held = self._database.checked_out()
        if len(held) > len(self._held):
            self._call, self._held = call, held

    def __str__(self) -> str:
        """Return the call and the first connection as the start of a sentence; "" if no connection was checked out."""
        if not self._held:
            return ""
        were = plural(len(self._held), "connection was", "connections were")
        return f"{were} checked out while {self._call} was open, the first: {self._held[0]}"
