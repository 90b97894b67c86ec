"""Connections that stay checked out while a program waits for another service."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drill_katas.text import plural

if TYPE_CHECKING:
    from drill_katas.services.connections import CheckedOut
    from drill_katas.services.database import Database


class Holding:
    """Counts checked-out connections during calls.

    Run `note` each time another service receives a call from the program. It counts the connections that the program
    has checked out at that moment. The largest count is kept.

    While the program waits for that call, its checked-out connection does no work and is missing from the pool. This is
    not always a fault. If a check fails because connections ran out, `str()` of this object names the call during which
    they were checked out.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._call = ""
        self._checked_out: list[CheckedOut] = []

    def note(self, call: str) -> None:
        """Record the checked-out connections at the arrival of a call, such as "POST /price"."""
        checked_out = self._database.checked_out()
        if len(checked_out) > len(self._checked_out):
            self._call, self._checked_out = call, checked_out

    def __str__(self) -> str:
        """Return the call and the first connection as the start of a sentence; "" if no connection was checked out."""
        if not self._checked_out:
            return ""
        were = plural(len(self._checked_out), "connection was", "connections were")
        return f"{were} checked out while {self._call} was open, the first: {self._checked_out[0]}"
