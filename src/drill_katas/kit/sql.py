"""What SQL statements cost, for checks that count."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from drill_katas.judge.probe import Statement

SHOWN: Final = 160  # characters of a statement in a message


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
    text = " ".join(sql.split())
    shown = text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."
    return f"{shown} × {times[sql]}" if times[sql] > 1 else shown
