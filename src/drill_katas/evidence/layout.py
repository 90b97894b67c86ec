"""The service graph as SVG: boxes in columns, from the customers on the left to the last callees on the right."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from drill_katas.evidence.graph import format_seconds
from drill_katas.evidence.labels import LINE, Area, Route, label_size, place_labels

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from drill_katas.evidence.graph import Edge

Place = tuple[float, float]
COLUMN, ROW, BOX, TALL, EDGE = 310, 92, 130, 36, 14  # pixels: column and row distance, box width and height, margin
STYLE: Final = """
svg.graph { font: 12px system-ui, sans-serif; max-width: 100%; height: auto }
.graph rect { fill: var(--card, #fff); stroke: var(--dim, #445); rx: 6 }
.graph path { fill: none; stroke: var(--dim, #889); stroke-width: 1.5 }
.graph .head { fill: var(--dim, #667); stroke: none }
.graph .cycle { stroke: var(--bad, #c0392b); stroke-width: 2.5 }
.graph text { fill: var(--ink, #223); text-anchor: middle }
.graph .label { fill: var(--dim, #556); font-size: 11px }
.graph .bad { fill: var(--bad, #c0392b) }
"""


def to_svg(of: Sequence[Edge]) -> str:
    """Return the graph as an SVG document; calls in a cycle are red."""
    places = _places(of)
    routes = [_route(edge, places) for edge in of]
    boxes = [Area(x, y, x + BOX, y + TALL) for x, y in places.values()]
    texts = [_label_lines(edge) for edge in of]
    labels = place_labels(routes, boxes, [label_size([text for text, _ in lines]) for lines in texts])
    everything = [*boxes, *labels, *(Area(x, y, x, y) for route in routes for x, y in route.points())]
    left, top = (min((area[n] for area in everything), default=0.0) - EDGE for n in (0, 1))
    wide = max((area.right for area in everything), default=0.0) + EDGE - left
    tall = max((area.bottom for area in everything), default=0.0) + EDGE - top
    view = f'viewBox="{left:.0f} {top:.0f} {wide:.0f} {tall:.0f}" width="{wide:.0f}"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="graph" {view}>',
        f"<style>{STYLE}</style>",
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">',
        '<path d="M0,0 L8,4 L0,8" class="head"/></marker></defs>',
        *(_path(edge, route) for edge, route in zip(of, routes, strict=True)),
        *(part for lines, area in zip(texts, labels, strict=True) for part in _label(lines, area)),
        *(part for name, place in places.items() for part in _box(name, place)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _places(of: Sequence[Edge]) -> dict[str, Place]:
    """Return the upper left corner of each box: right of all its callers, except the callers in back edges."""
    names = dict.fromkeys(name for edge in of for name in (edge.caller, edge.callee))
    onward = _onward(of, names)
    column = dict.fromkeys(names, 0)
    for _ in names:  # no path is longer than the number of names
        for caller, callee in onward:
            column[callee] = max(column[callee], column[caller] + 1)
    columns: dict[int, list[str]] = {}
    for name in names:
        columns.setdefault(column[name], []).append(name)
    most = max(map(len, columns.values()), default=1)
    return {
        name: (EDGE + at * COLUMN, EDGE + ROW / 2 + (row + (most - len(of_column)) / 2) * ROW)
        for at, of_column in columns.items()
        for row, name in enumerate(of_column)
    }


def _onward(of: Sequence[Edge], names: Iterable[str]) -> list[tuple[str, str]]:
    """Return the calls without the back edges of a depth-first walk along the busiest calls first."""
    found: list[tuple[str, str]] = []
    done: set[str] = set()

    def walk(caller: str, way: tuple[str, ...]) -> None:
        done.add(caller)
        for edge in of:
            if edge.caller == caller and edge.callee not in {*way, caller}:
                found.append((caller, edge.callee))
                if edge.callee not in done:
                    walk(edge.callee, (*way, caller))

    callees = {edge.callee for edge in of}
    for name in sorted(names, key=lambda each: each in callees):
        if name not in done:
            walk(name, ())
    return found


def _box(name: str, place: Place) -> list[str]:
    x, y = place
    return [
        f'<rect x="{x:g}" y="{y:g}" width="{BOX}" height="{TALL}"/>',
        f'<text x="{x + BOX / 2:g}" y="{y + TALL / 2 + 4:g}">{escape(name)}</text>',
    ]


def _route(edge: Edge, places: dict[str, Place]) -> Route:
    """Return the route of a call: straight to the next column, a bow above to a later one, a bow below to go back."""
    (x1, y1), (x2, y2) = places[edge.caller], places[edge.callee]
    if 0 < x2 - x1 <= COLUMN:
        return Route((x1 + BOX, y1 + TALL / 2), (x2, y2 + TALL / 2))
    back = x2 <= x1
    start, end = (x1 + BOX / 2, y1 + TALL * back), (x2 + BOX / 2, y2 + TALL * back)
    return Route(start, end, (max(y1, y2) + TALL + ROW * 0.7) if back else (min(y1, y2) - ROW * 0.6))


def _path(edge: Edge, route: Route) -> str:
    return f'<path d="{route}" class="{"cycle" if edge.in_cycle else "call"}" marker-end="url(#arrow)"/>'


def _label_lines(edge: Edge) -> list[tuple[str, str]]:
    """Return the lines of a call's label, each with its CSS class."""
    bad = [f"{edge.failed} failed" if edge.failed else "", f"{edge.open} open" if edge.open else ""]
    calls = f"{edge.calls} call{'' if edge.calls == 1 else 's'}, p95 {format_seconds(edge.p95)}"
    lines = [(calls, "label"), (", ".join(filter(None, bad)), "label bad")]
    return [(text, style) for text, style in lines if text]


def _label(lines: Sequence[tuple[str, str]], area: Area) -> list[str]:
    middle = (area.left + area.right) / 2
    return [
        f'<text class="{style}" x="{middle:.1f}" y="{area.top + (number + 1) * LINE - 4:.1f}">{escape(text)}</text>'
        for number, (text, style) in enumerate(lines)
    ]
