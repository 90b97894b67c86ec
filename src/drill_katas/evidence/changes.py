"""The change of a series in an incident, as a score for the order of charts."""

from __future__ import annotations

from statistics import fmean, median
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drill_katas.evidence.records import Summary
    from drill_katas.kit.rules import Point

LEAST: Final = 0.05  # least base as a share of the series' range, because a base near 0 makes every change huge
DEVIATION: Final = 1.4826  # the standard deviation of a normal distribution, in median absolute deviations


class Change(NamedTuple):
    """The mean of a series before and in the incident's worst part, None without samples, and a score."""

    before: float | None
    during: float | None
    score: float


def change_of(points: Sequence[Point], summary: Summary) -> Change:
    """Return the relative change of a series; its base is at least the noise outside the worst part."""
    inside = [value for at, value in points if summary.since <= at <= summary.until]
    outside = [value for at, value in points if not summary.since <= at <= summary.until]
    before = [value for at, value in points if at < summary.since]
    if not inside:
        return Change(fmean(before) if before else None, None, 0.0)
    during, usual = fmean(inside), fmean(outside) if outside else 0.0
    return Change(fmean(before) if before else None, during, abs(during - usual) / _base(inside, outside, usual))


def _base(inside: Sequence[float], outside: Sequence[float], usual: float) -> float:
    middle = median(outside) if outside else 0.0
    noise = DEVIATION * median([abs(value - middle) for value in outside]) if outside else 0.0
    values = [*inside, *outside, 0.0]
    return max(abs(usual), noise, LEAST * (max(values) - min(values))) or 1.0
