"""How much a series changed with the incident, and which chart therefore tells most."""

from __future__ import annotations

from statistics import fmean, median
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drill_katas.evidence.records import Summary
    from drill_katas.kit.rules import Point

LEAST: Final = 0.05  # of a series' range: a smaller base would make any change of it endless
DEVIATION: Final = 1.4826  # times the median absolute deviation: a normal distribution's standard deviation


class Change(NamedTuple):
    """The mean of a series outside the incident's worst part and in it; None without samples there."""

    before: float | None
    during: float | None
    score: float


def change_of(points: Sequence[Point], told: Summary) -> Change:
    """Return how a series changed: a relative change, whose base is at least its noise outside the worst part."""
    inside = [value for at, value in points if told.since <= at <= told.until]
    outside = [value for at, value in points if not told.since <= at <= told.until]
    before = [value for at, value in points if at < told.since]
    if not inside:
        return Change(fmean(before) if before else None, None, 0.0)
    during, usual = fmean(inside), fmean(outside) if outside else 0.0
    return Change(fmean(before) if before else None, during, abs(during - usual) / _base(inside, outside, usual))


def _base(inside: Sequence[float], outside: Sequence[float], usual: float) -> float:
    middle = median(outside) if outside else 0.0
    noise = DEVIATION * median([abs(value - middle) for value in outside]) if outside else 0.0
    values = [*inside, *outside, 0.0]
    return max(abs(usual), noise, LEAST * (max(values) - min(values))) or 1.0
