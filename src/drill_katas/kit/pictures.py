"""The pictures that an incident is told with: what a kata's `incident.py` returns from `pictures(seen)`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from drill_katas.kit.rules import Point


@dataclass(frozen=True)
class Picture:
    """A plot: lines over time (x is seconds since 1970), or with `x`, the name of another quantity, dots over that.

    `y` is the title of its other axis, with the unit.
    """

    title: str
    about: str
    series: Mapping[str, Sequence[Point]]
    x: str = ""
    y: str = ""
