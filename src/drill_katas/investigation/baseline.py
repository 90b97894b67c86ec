"""The best constant answer to a kata's incidents, the zero of the score.

A constant answer names the same component, mechanisms, onset, and alert labels for every variant of a kata, without a
look at the evidence. Its points are the mean over the variants.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from drill_katas.catalog.answer import AlertLabel, ExpectedDiagnosis

POINTS: Final = {"component": 25.0, "mechanism": 37.5, "onset": 12.5, "alerts": 25.0}
ON_TIME: Final = 120.0  # seconds that an onset may be outside the interval that the evidence allows


@dataclass(frozen=True)
class Named:
    """The content of an answer; `onset` is a time of day in seconds, None for never."""

    component: str
    mechanisms: frozenset[str]
    onset: float | None
    alerts: Mapping[str, AlertLabel]

    def shares(self, truth: ExpectedDiagnosis) -> dict[str, float]:
        """Return the correctness of each part, from 0 to 1."""
        stretch = stretch_of(truth)
        marks = [self.alerts.get(name) == mark for name, mark in truth.alerts.items()]
        return {
            "component": float(self.component in truth.components),
            "mechanism": overlap(self.mechanisms, frozenset(truth.mechanisms)),
            "onset": float(within(self.onset, stretch)),
            "alerts": sum(marks) / len(marks) if marks else 1.0,
        }


def best_constant(truths: Sequence[ExpectedDiagnosis]) -> Named:
    """Return the answer that earns the most points over the variants with these truths."""
    mechanisms = sorted({name for truth in truths for name in truth.mechanisms})
    sets = [frozenset(of) for size in range(1, len(mechanisms) + 1) for of in itertools.combinations(mechanisms, size)]
    stretches = [stretch_of(truth) for truth in truths]
    moments = [None, *(moment for stretch in stretches if stretch for moment in stretch)]
    alerts = sorted({name for truth in truths for name in truth.alerts})
    marks: tuple[AlertLabel, ...] = ("caused", "noise")

    def agree(name: str) -> Callable[[AlertLabel], float]:
        return lambda mark: sum((truth.alerts.get(name) == mark) / max(1, len(truth.alerts)) for truth in truths)

    return Named(
        component=max(
            sorted({name for truth in truths for name in truth.components}),
            key=lambda name: sum(name in truth.components for truth in truths),
        ),
        mechanisms=max(sets, key=lambda each: sum(overlap(each, frozenset(truth.mechanisms)) for truth in truths)),
        onset=max(moments, key=lambda moment: sum(within(moment, stretch) for stretch in stretches)),
        alerts={name: max(marks, key=agree(name)) for name in alerts},
    )


def constant_points(truths: Iterable[ExpectedDiagnosis]) -> float:
    """Return the points of the best constant answer, from 0 to 100: the mean over the variants with these truths."""
    known = list(truths)
    best = best_constant(known)
    return sum(points(best.shares(truth)) for truth in known) / len(known)


def points(shares: Mapping[str, float]) -> float:
    """Return the points of an answer, from 0 to 100, before they are rescaled by `beyond`."""
    return sum(POINTS[name] * share for name, share in shares.items())


def beyond(earned: float, constant: float) -> float:
    """Return points rescaled to 0..1, where `constant` points are 0 and 100 points are 1.

    This is Cohen's kappa, https://doi.org/10.1177/001316446002000104, but never below 0. With a single variant the best
    constant answer earns 100; the points then stay as they are.
    """
    if constant >= 100:  # noqa: PLR2004 - percent
        return earned / 100
    return max(0.0, (earned - constant) / (100 - constant))


def overlap(one: frozenset[str], other: frozenset[str]) -> float:
    """Return the Jaccard index of two sets: common names divided by all names."""
    return len(one & other) / max(1, len(one | other))


def within(moment: float | None, stretch: tuple[float, float] | None) -> bool:
    """Return whether a moment is at most `ON_TIME` outside a stretch; None matches only None."""
    if moment is None or stretch is None:
        return moment is None and stretch is None
    first, last = stretch
    return first - ON_TIME <= moment <= last + ON_TIME


def stretch_of(truth: ExpectedDiagnosis) -> tuple[float, float] | None:
    """Return the interval that the evidence allows for the onset, as times of day in seconds; None for never."""
    if not truth.onset:
        return None
    moments = [int(each[:2]) * 3600 + int(each[3:]) * 60.0 for each in truth.onset]
    return min(moments), max(moments)
