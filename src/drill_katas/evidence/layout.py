"""The service graph as a picture: boxes in columns, from the customers on the left to what is called last."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from drill_katas.evidence.graph import told_seconds

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from drill_katas.evidence.graph import Edge

COLUMN, ROW, BOX, TALL, EDGE = 290, 84, 130, 36, 20  # pixels: distances, the size of a box, and around all
Place = tuple[float, float]
STYLE: Final = """
svg.graph { font: 12px system-ui, sans-serif; max-width: 100%; height: auto }
.graph rect { fill: #fff; stroke: #445; rx: 6 }
.graph path { fill: none; stroke: #889; stroke-width: 1.5 }
.graph .cycle { stroke: #c0392b; stroke-width: 2.5 }
.graph text { fill: #223; text-anchor: middle }
.graph .label { fill: #556; font-size: 11px; paint-order: stroke; stroke: #fff; stroke-width: 4px }
.graph .bad { fill: #c0392b }
"""


def to_svg(of: Sequence[Edge]) -> str:
    """Return the graph as an SVG document of its own; calls in a cycle are red."""
    places = _places(of)
    wide = max((x for x, _ in places.values()), default=0) + BOX + 2 * EDGE
    tall = max((y for _, y in places.values()), default=0) + TALL + 2 * EDGE + ROW * 0.6
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" class="graph" viewBox="0 0 {wide:g} {tall:g}" width="{wide:g}">',
        f"<style>{STYLE}</style>",
        '<defs><marker id="arrow" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">',
        '<path d="M0,0 L8,4 L0,8" style="fill:#667;stroke:none"/></marker></defs>',
        *sorted((part for edge in of for part in _edge(edge, places)), key=lambda part: part.startswith("<text")),
        *(part for name, place in places.items() for part in _box(name, place)),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _places(of: Sequence[Edge]) -> dict[str, Place]:
    """Return where the upper left corner of each box is: right of all that call it, but for calls that lead back."""
    names = dict.fromkeys(name for edge in of for name in (edge.caller, edge.callee))
    onward = _onward(of, names)
    column = dict.fromkeys(names, 0)
    for _ in names:  # the longest way has no more steps than this
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
    """Return the calls without those that lead back to where a walk along them, the busiest first, has come from."""
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


def _edge(edge: Edge, places: dict[str, Place]) -> list[str]:
    """Draw a call: straight to the next column, in a bow above to a later one, and below when it leads back."""
    (x1, y1), (x2, y2) = places[edge.caller], places[edge.callee]
    if 0 < x2 - x1 <= COLUMN:
        start, end = (x1 + BOX, y1 + TALL / 2), (x2, y2 + TALL / 2)
        path = f"M{start[0]:g},{start[1]:g} L{end[0]:g},{end[1]:g}"
        middle = ((start[0] + end[0]) / 2, (start[1] + end[1]) / 2 - 20)
    else:
        back = x2 <= x1
        start, end = (x1 + BOX / 2, y1 + TALL * back), (x2 + BOX / 2, y2 + TALL * back)
        bow = (max(y1, y2) + TALL + ROW * 0.7) if back else (min(y1, y2) - ROW * 0.6)
        path = f"M{start[0]:g},{start[1]:g} C{start[0]:g},{bow:g} {end[0]:g},{bow:g} {end[0]:g},{end[1]:g}"
        middle = ((start[0] + end[0]) / 2, bow + (-16 if back else 12))
    told = [f"{edge.calls} calls, p95 {told_seconds(edge.p95)}"]
    bad = [f"{edge.failed} failed" if edge.failed else "", f"{edge.open} open" if edge.open else ""]
    lines = [f'<path d="{path}" class="{"cycle" if edge.in_cycle else "call"}" marker-end="url(#arrow)"/>']
    for number, text in enumerate([*told, ", ".join(filter(None, bad))]):
        if text:
            style = "label bad" if number else "label"
            lines.append(
                f'<text class="{style}" x="{middle[0]:g}" y="{middle[1] + number * 13:g}">{escape(text)}</text>'
            )
    return lines
