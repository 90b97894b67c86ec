"""Placement of labels beside the lines of a drawing, clear of lines, boxes, and other labels."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LINE: Final = 14  # pixels of a line of text
LETTER: Final = 6.4  # pixels of a letter, slightly more than the average
GAP: Final = 4  # pixels between a label and its neighbors
SAMPLES: Final = 60  # sampled points of a line
ALONG: Final = (0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82)  # candidate positions, as shares of a line
AWAY: Final = (0, 10, 22, 36, 52)  # candidate distances from the line, in pixels
Point = tuple[float, float]


class Area(NamedTuple):
    """A rectangle in pixels."""

    left: float
    top: float
    right: float
    bottom: float

    def grown(self, by: float) -> Area:
        """Return the area with a margin."""
        return Area(self.left - by, self.top - by, self.right + by, self.bottom + by)

    def overlaps(self, other: Area) -> bool:
        """Return whether two areas overlap."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def has(self, point: Point) -> bool:
        """Return whether a point is inside."""
        return self.left < point[0] < self.right and self.top < point[1] < self.bottom


class Route(NamedTuple):
    """A line between two points: straight, or a curve toward the height `bow`."""

    start: Point
    end: Point
    bow: float | None = None

    def __str__(self) -> str:
        """Return the data of an SVG path."""
        (x1, y1), (x2, y2) = self.start, self.end
        if self.bow is None:
            return f"M{x1:g},{y1:g} L{x2:g},{y2:g}"
        return f"M{x1:g},{y1:g} C{x1:g},{self.bow:g} {x2:g},{self.bow:g} {x2:g},{y2:g}"

    def at(self, share: float) -> Point:
        """Return the point at a share of the line, from 0 to 1."""
        (x1, y1), (x2, y2), rest = self.start, self.end, 1 - share
        if self.bow is None:
            return x1 * rest + x2 * share, y1 * rest + y2 * share
        first, second = rest**3 + 3 * rest**2 * share, 3 * rest * share**2 + share**3
        y = y1 * rest**3 + self.bow * 3 * rest * share + y2 * share**3
        return x1 * first + x2 * second, y

    def points(self) -> list[Point]:
        """Return sampled points of the line."""
        return [self.at(number / SAMPLES) for number in range(SAMPLES + 1)]


def label_size(lines: Sequence[str]) -> tuple[float, float]:
    """Return the approximate width and height of lines of text, in pixels."""
    return max(map(len, lines), default=0) * LETTER, len(lines) * LINE


def place_labels(routes: Sequence[Route], boxes: Sequence[Area], sizes: Sequence[tuple[float, float]]) -> list[Area]:
    """Return the area of each route's label: the candidate that covers the least, nearest to the middle."""
    points = [point for route in routes for point in route.points()]
    placed: list[Area] = []

    def covered(area: Area) -> int:
        near = area.grown(GAP)
        return sum(map(near.has, points)) + 100 * sum(map(near.overlaps, [*boxes, *placed]))

    for route, size in zip(routes, sizes, strict=True):
        placed.append(min(_candidates(route, size), key=covered))  # the first of equal candidates
    return placed


def _candidates(route: Route, size: tuple[float, float]) -> Iterator[Area]:
    """Yield candidate areas above and below a route, the closest to its middle first."""
    wide, tall = size
    for away, share in itertools.product(AWAY, ALONG):
        (x, y), (before, after) = route.at(share), (route.at(share - 0.01), route.at(share + 0.01))
        across, down = after[0] - before[0], after[1] - before[1]
        length = math.hypot(across, down) or 1.0
        normal = (down / length, -across / length)
        if normal[1] > 0:
            normal = (-normal[0], -normal[1])  # above first
        off = abs(normal[0]) * wide / 2 + abs(normal[1]) * tall / 2 + GAP + 2 + away
        for side in (1, -1):
            middle = (x + side * normal[0] * off, y + side * normal[1] * off)
            yield Area(middle[0] - wide / 2, middle[1] - tall / 2, middle[0] + wide / 2, middle[1] + tall / 2)
