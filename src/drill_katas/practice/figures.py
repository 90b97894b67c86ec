"""Figures that checks record, and which of them moved between two runs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drill_katas.practice.journal import Checked

MOVED: Final = 1.2  # times as much or as little; less than that is noise of a measurement


@dataclass(frozen=True)
class Moved:
    """A figure that is not what it was: "statements of a dashboard of 12 users: 72 → 4"."""

    name: str
    before: float
    after: float

    @property
    def ratio(self) -> float:
        """By which factor it moved, whichever way, at least 1."""
        low, high = sorted((abs(self.before), abs(self.after)))
        return high / low if low else math.inf

    def __str__(self) -> str:
        return f"{self.name.replace('_', ' ')}: {_short(self.before)} → {_short(self.after)}"


def moved(before: Iterable[Checked], after: Iterable[Checked]) -> tuple[Moved, ...]:
    """Return the figures of checks of the same name that differ by a fifth or more, the largest change first."""
    were = {(check.name, name): value for check in before for name, value in check.figures.items()}
    found = {}
    for check in after:
        for name, value in check.figures.items():
            was = were.get((check.name, name), value)
            if was != value:
                found[name] = Moved(name, was, value)
    return tuple(sorted((each for each in found.values() if each.ratio >= MOVED), key=lambda each: -each.ratio))


def _short(value: float) -> str:
    return f"{value:.0f}" if value == round(value) else f"{value:.3g}"
