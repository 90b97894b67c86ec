"""What SQL statements cost, for checks that count."""

from __future__ import annotations

import re
import statistics
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drill_katas.text import plural, truncate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from drill_katas.services.connections import Statement

SHOWN: Final = 160  # characters of a statement in a message
SELECTED: Final = 24  # of these, of what it selects
LIST: Final = re.compile(r"\(\s*\?(\s*,\s*\?)*\s*\)")  # of placeholders, as after IN and VALUES
VALUES: Final = re.compile(r"\(\?, \.\.\.\)(, \(\?, \.\.\.\))+")  # several rows of them


def costliest(statements: Iterable[Statement], cost: Callable[[Statement], int]) -> str:
    """Return the SQL that cost most over all its executions, and how often it was executed: "SELECT ... × 50"."""
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
    """Return a statement on one line, lists of placeholders cut short: `... WHERE id IN (?, ...)` however many."""
    return VALUES.sub("(?, ...), ...", LIST.sub("(?, ...)", " ".join(sql.split())))


def repeated(statements: Iterable[Statement]) -> list[tuple[str, int]]:
    """Return the shapes of statements, each with how often it was executed, the most frequent first."""
    return Counter(shape(statement.sql) for statement in statements).most_common()


@dataclass(frozen=True)
class Growth:
    """How many statements a request takes, by how many things it is about; these are called `what` ("user").

    `str()` of it is what a learner reads: the counts, and if one grows, the slope and the statement that grows most.
    """

    recorded: Mapping[int, Sequence[Statement]]
    what: str

    @property
    def slope(self) -> float:
        """How many more statements each further thing takes.

        By ordinary least squares, https://docs.python.org/3/library/statistics.html#statistics.linear_regression.
        Raises `statistics.StatisticsError` when there are no two sizes.
        """
        sizes = sorted(self.recorded)
        return statistics.linear_regression(sizes, [len(self.recorded[size]) for size in sizes]).slope

    @property
    def fastest(self) -> tuple[str, int] | None:
        """The shape of the statement whose count grows most, and its count at the largest size; None if none grows."""
        few, many = (Counter(dict(repeated(self.recorded[size]))) for size in (min(self.recorded), max(self.recorded)))
        grown = many - few
        if many.total() <= few.total() or self.slope <= 0:
            return None
        [(sql, _)] = grown.most_common(1)
        return sql, many[sql]

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
    """Write a slope with one decimal, or with as many as a smaller one needs."""
    return f"{slope:.1f}" if slope >= 1 else f"{slope:.1g}"


def cut(sql: str) -> str:
    """Return a statement short enough for a message; of a long list of columns the beginning is left out first."""
    if len(sql) > SHOWN and " FROM " in sql:
        sql = f"{sql[:SELECTED]}...{sql[sql.index(' FROM ') :]}"
    return truncate(sql, SHOWN)
