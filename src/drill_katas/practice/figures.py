"""Comparison of the figures that checks recorded in two runs."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drill_katas.practice.journal import Checked

MOVED: Final = 1.2  # factor; a smaller change is measurement noise


@dataclass(frozen=True)
class Moved:
    """A figure that changed: "statements of a dashboard of 12 users: 72 → 4"."""

    name: str
    before: float
    after: float

    @property
    def ratio(self) -> float:
        """The factor of the change in either direction, at least 1."""
        low, high = sorted((abs(self.before), abs(self.after)))
        return high / low if low else math.inf

    def __str__(self) -> str:
        return f"{self.name.replace('_', ' ')}: {_short(self.before)} → {_short(self.after)}"


def moved(before: Iterable[Checked], after: Iterable[Checked]) -> tuple[Moved, ...]:
    """Return the figures that changed by the factor `MOVED` or more, the largest change first.

    Only figures of checks with the same name are compared.
    """
    earlier = {(check.name, name): value for check in before for name, value in check.figures.items()}
    found = {}
    for check in after:
        for name, value in check.figures.items():
            old = earlier.get((check.name, name), value)
            if old != value:
                found[name] = Moved(name, old, value)
    return tuple(sorted((each for each in found.values() if each.ratio >= MOVED), key=lambda each: -each.ratio))


def _short(value: float) -> str:
    return f"{value:.0f}" if value == round(value) else f"{value:.3g}"
