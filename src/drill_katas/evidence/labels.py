"""Places labels beside the lines of a picture, where they lie on no line, box or other label."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LINE: Final = 14  # pixels of a line of text
LETTER: Final = 6.4  # pixels of a letter, and a little more than most
GAP: Final = 4  # pixels between a label and what is near it
SAMPLES: Final = 60  # points of a line that are looked at
ALONG: Final = (0.5, 0.42, 0.58, 0.34, 0.66, 0.26, 0.74, 0.18, 0.82)  # shares of a line at which its label may be
AWAY: Final = (0, 10, 22, 36, 52)  # pixels that it may be further off
Point = tuple[float, float]


class Area(NamedTuple):
    """A rectangle."""

    left: float
    top: float
    right: float
    bottom: float

    def grown(self, by: float) -> Area:
        """Return it with a margin."""
        return Area(self.left - by, self.top - by, self.right + by, self.bottom + by)

    def overlaps(self, other: Area) -> bool:
        """Return whether two areas overlap."""
        return (
            self.left < other.right and other.left < self.right and self.top < other.bottom and other.top < self.bottom
        )

    def has(self, point: Point) -> bool:
        """Return whether a point is in it."""
        return self.left < point[0] < self.right and self.top < point[1] < self.bottom


class Route(NamedTuple):
    """A line from one point to another: straight, or with `bow`, a height, as a curve over or under it."""

    start: Point
    end: Point
    bow: float | None = None

    def __str__(self) -> str:
        """Return it as the path of an SVG."""
        (x1, y1), (x2, y2) = self.start, self.end
        if self.bow is None:
            return f"M{x1:g},{y1:g} L{x2:g},{y2:g}"
        return f"M{x1:g},{y1:g} C{x1:g},{self.bow:g} {x2:g},{self.bow:g} {x2:g},{y2:g}"

    def at(self, share: float) -> Point:
        """Return the point after a share of it."""
        (x1, y1), (x2, y2), rest = self.start, self.end, 1 - share
        if self.bow is None:
            return x1 * rest + x2 * share, y1 * rest + y2 * share
        first, second = rest**3 + 3 * rest**2 * share, 3 * rest * share**2 + share**3
        y = y1 * rest**3 + self.bow * 3 * rest * share + y2 * share**3
        return x1 * first + x2 * second, y

    def points(self) -> list[Point]:
        """Return points along it."""
        return [self.at(number / SAMPLES) for number in range(SAMPLES + 1)]


def label_size(lines: Sequence[str]) -> tuple[float, float]:
    """Return about how wide and tall some lines of text are."""
    return max(map(len, lines), default=0) * LETTER, len(lines) * LINE


def place_labels(routes: Sequence[Route], boxes: Sequence[Area], sizes: Sequence[tuple[float, float]]) -> list[Area]:
    """Return the area of each route's label: near the middle of the route, and where it covers least."""
    points = [point for route in routes for point in route.points()]
    placed: list[Area] = []

    def covered(area: Area) -> int:
        near = area.grown(GAP)
        return sum(map(near.has, points)) + 100 * sum(map(near.overlaps, [*boxes, *placed]))

    for route, size in zip(routes, sizes, strict=True):
        placed.append(min(_candidates(route, size), key=covered))  # of equal ones the first
    return placed


def _candidates(route: Route, size: tuple[float, float]) -> Iterator[Area]:
    """Return where a label may be: above and below a route, near its middle and close to it first."""
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
