"""Counts and costs of SQL statements, for checks that limit them."""

from __future__ import annotations

import re
import statistics
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drill_katas.failures import KataMistake
from drill_katas.text import plural, truncate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from drill_katas.services.connections import Statement

SHOWN: Final = 160  # most characters of a statement in a message
SELECTED: Final = 24  # characters of these before the shortened list of columns
LIST: Final = re.compile(r"\(\s*\?(\s*,\s*\?)*\s*\)")  # a list of placeholders, as after IN and VALUES
VALUES: Final = re.compile(r"\(\?, \.\.\.\)(, \(\?, \.\.\.\))+")  # several such lists


def costliest(statements: Iterable[Statement], cost: Callable[[Statement], int]) -> str:
    """Return the SQL with the highest total cost, and its number of executions: "SELECT ... × 50"."""
    costs: Counter[str] = Counter()
    times: Counter[str] = Counter()
    for statement in statements:
        costs[statement.sql] += cost(statement)
        times[statement.sql] += 1
    if not costs:
        return "no statement"
    [(sql, _)] = costs.most_common(1)
    shown = cut(shape(sql))
    return f"{shown} × {times[sql]}" if times[sql] > 1 else shown


def shape(sql: str) -> str:
    """Return a statement on one line with each list of placeholders shortened: `... WHERE id IN (?, ...)`."""
    return VALUES.sub("(?, ...), ...", LIST.sub("(?, ...)", " ".join(sql.split())))


def repeated(statements: Iterable[Statement]) -> list[tuple[str, int]]:
    """Return the shapes of statements with their number of executions, the most frequent first."""
    return Counter(shape(statement.sql) for statement in statements).most_common()


@dataclass(frozen=True)
class Growth:
    """How the number of statements of a request grows with the size of the request.

    `recorded` has the statements by size, and `what` names the unit of size, such as "user". `str()` is for learners:
    the counts, and for a growing count the slope and the statement that grows most.
    """

    recorded: Mapping[int, Sequence[Statement]]
    what: str

    @property
    def slope(self) -> float:
        """The additional statements per unit of size.

        By ordinary least squares, https://docs.python.org/3/library/statistics.html#statistics.linear_regression.
        Raises `KataMistake` for fewer than two sizes.
        """
        sizes = self._sizes()
        return statistics.linear_regression(sizes, [len(self.recorded[size]) for size in sizes]).slope

    @property
    def fastest(self) -> tuple[str, int] | None:
        """The fastest growing statement, without its values, and its count at the largest size; None without growth."""
        first, *_, last = self._sizes()
        few, many = (Counter(dict(repeated(self.recorded[size]))) for size in (first, last))
        grown = many - few
        if many.total() <= few.total() or self.slope <= 0:
            return None
        [(sql, _)] = grown.most_common(1)
        return sql, many[sql]

    def _sizes(self) -> list[int]:
        if len(self.recorded) < 2:  # noqa: PLR2004 - a line needs two points
            raise KataMistake(f"growth needs the statements of two sizes or more, and has {len(self.recorded)}")
        return sorted(self.recorded)

    def __str__(self) -> str:
        counts = ", ".join(
            f"{plural(size, self.what)}: {plural(len(seen), 'statement') if size == min(self.recorded) else len(seen)}"
            for size, seen in sorted(self.recorded.items())
        )
        if self.fastest is None:
            return counts
        sql, times = self.fastest
        return (
            f"{counts}; {_per(self.slope)} more per {self.what}. The statement that grows most:\n{cut(sql)} × {times}"
        )


def _per(slope: float) -> str:
    """Return a slope with one decimal, or below 1 with one significant digit."""
    return f"{slope:.1f}" if slope >= 1 else f"{slope:.1g}"


def cut(sql: str) -> str:
    """Return a statement short enough for a message; a long list of columns is shortened first."""
    if len(sql) > SHOWN and " FROM " in sql:
        sql = f"{sql[:SELECTED]}...{sql[sql.index(' FROM ') :]}"
    return truncate(sql, SHOWN)
