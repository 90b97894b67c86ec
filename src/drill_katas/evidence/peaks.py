"""Peaks of concurrency between two samples, because a gauge that is only read at samples would miss them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from drill_katas.services.connections import Statement
    from drill_katas.services.database import Database
    from drill_katas.services.hops import Hop


class Level:
    """A value with its history since the last sample."""

    def __init__(self) -> None:
        self._sets: list[tuple[float, float]] = []  # (time, value)

    def set(self, value: float) -> None:
        """Set the value."""
        self._sets.append((time.monotonic(), value))

    def highest(self, since: float) -> float:
        """Return the highest value set after `since`, or without one the last value before."""
        late = [entry for entry in self._sets if entry[0] > since]
        self._sets = late or self._sets[-1:]
        return max(value for _, value in self._sets)


class Use(NamedTuple):
    """An interval of the judge's clock; `ended` is None while it lasts."""

    began: float
    ended: float | None


def most_at_once(uses: Iterable[Use], since: float) -> int:
    """Return the most uses at once from `since` on; a use that ends when another begins does not overlap it."""
    lasting = [use for use in uses if use.ended is None or use.ended > since]
    changes = [(max(use.began, since), 1) for use in lasting]
    changes += [(use.ended, -1) for use in lasting if use.ended is not None]
    most = count = 0
    for _, change in sorted(changes):
        count += change
        most = max(most, count)
    return most


def calls_open(hops: Iterable[Hop], since: float) -> int:
    """Return the most calls that were open at once since a time of the judge's clock."""
    return most_at_once((Use(hop.began, hop.ended) for hop in hops), since)


def connections_in_use(database: Database, since: float) -> int:
    """Return the most connections that were checked out at once since a time of the judge's clock.

    A connection is in use from the first to the last statement of a request, and while it is checked out now.
    """
    lasting = {each.connection: Use(time.monotonic() - each.seconds, None) for each in database.checked_out()}
    uses = list(lasting.values())
    for number, statements in _by_connection(database.statements, since).items():
        until = lasting[number].began if number in lasting else None
        uses += [use for use in _requests(statements) if until is None or (use.ended or 0) <= until]
    return most_at_once(uses, since)


def _by_connection(statements: Sequence[Statement], since: float) -> dict[int, list[Statement]]:
    found: dict[int, list[Statement]] = {}
    for each in reversed(statements):
        if each.at + each.seconds <= since:
            break
        found.setdefault(each.connection, []).append(each)
    return {connection: of[::-1] for connection, of in found.items()}


def _requests(statements: Sequence[Statement]) -> Iterable[Use]:
    """Return the uses of one connection; consecutive statements of the same request are one use."""
    uses: list[tuple[str | None, Use]] = []
    for each in statements:
        ended = each.at + each.seconds
        if uses and each.trace_id is not None and uses[-1][0] == each.trace_id:
            uses[-1] = (each.trace_id, Use(uses[-1][1].began, ended))
        else:
            uses.append((each.trace_id, Use(each.at, ended)))
    return [use for _, use in uses]
