"""Plots for the page of an incident; a kata's `incident.py` returns them from `pictures(seen)`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from drill_katas.kit.rules import Point


@dataclass(frozen=True)
class Picture:
    """A plot of series of (x, y) points.

    Without `x`, the plot has lines over time, in seconds since 1970. `x` is the title of the horizontal axis; with it,
    the plot has dots over that quantity. `y` is the title of the vertical axis, with the unit.
    """

    title: str
    about: str
    series: Mapping[str, Sequence[Point]]
    x: str = ""
    y: str = ""
