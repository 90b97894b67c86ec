"""The drawings of a post-mortem's page: its factors as a graph, the incident and the response as timelines."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final

import msgspec

from drill_katas.evidence.marks import marks_of
from drill_katas.evidence.records import clock_time
from drill_katas.postmortem.factors import HARM, KINDS
from drill_katas.postmortem.facts import short_id
from drill_katas.practice.journal import Diagnosed, Hinted, Queried, Ran, Replayed

if TYPE_CHECKING:
    from drill_katas.postmortem.factors import Graph
    from drill_katas.postmortem.facts import Facts
    from drill_katas.practice.journal import Event

WIDE, LINE, GAP_X, GAP_Y, PAD = 236, 17, 96, 26, 10  # pixels
CHARACTERS: Final = 33  # of a line in a box
MOST_LINES: Final = 7
COLUMNS_SHOWN: Final = 1000.0  # width of a timeline
TICK_COUNT: Final = 6  # intervals on the axis of a timeline
TICKS: Final = (10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200)  # seconds between two ticks of the response


class Node(msgspec.Struct, frozen=True):
    """A box of the graph."""

    id: str
    kind: str
    lines: tuple[str, ...]
    x: float
    y: float
    height: float


class Arrow(msgspec.Struct, frozen=True):
    """An arrow of the graph: an SVG path, its label, and the numbers of the whys whose path it is on."""

    path: str
    label: str
    x: float
    y: float
    whys: tuple[int, ...]


class Drawing(msgspec.Struct, frozen=True):
    """A graph to draw."""

    width: float
    height: float
    nodes: tuple[Node, ...]
    arrows: tuple[Arrow, ...]


class Moment(msgspec.Struct, frozen=True):
    """A point or a bar of a timeline, in per mille of its width."""

    kind: str
    label: str
    at: float
    until: float


class Lane(msgspec.Struct, frozen=True):
    """A timeline: its name, its moments, and the labels below it."""

    name: str
    moments: tuple[Moment, ...]
    axis: tuple[str, ...]


def graph(of: Graph) -> Drawing:
    """Place the factors in columns, from the first causes on the left to the harm on the right."""
    depth = _depths(of)
    deepest = max(depth.values(), default=0)
    columns: dict[int, list[tuple[str, str, tuple[str, ...]]]] = {}
    for factor in of.by_id.values():
        lines = tuple(textwrap.wrap(factor.text, CHARACTERS, max_lines=MOST_LINES, placeholder=" …")) or ("",)
        kind = factor.kind if factor.kind in KINDS else "unknown kind"
        columns.setdefault(deepest - depth.get(factor.id, 0), []).append((factor.id, kind, lines))
    columns.setdefault(deepest, []).append((HARM, "harm", ("the harm of the incident",)))
    nodes: dict[str, Node] = {}
    tall = max(_height(boxes) for boxes in columns.values())
    for column, boxes in columns.items():
        y = (tall - _height(boxes)) / 2 + PAD
        for name, kind, lines in sorted(boxes, key=lambda box: (len(box[0]), box[0])):
            high = LINE * (len(lines) + 1) + 2 * PAD
            nodes[name] = Node(name, kind, lines, PAD + column * (WIDE + GAP_X), y, high)
            y += high + GAP_Y
    width = (deepest + 1) * (WIDE + GAP_X) - GAP_X + 2 * PAD
    return Drawing(width, tall + 2 * PAD, tuple(nodes.values()), tuple(_arrows(of, nodes, tall)))


def _height(boxes: list[tuple[str, str, tuple[str, ...]]]) -> float:
    return sum(LINE * (len(lines) + 1) + 2 * PAD + GAP_Y for _, _, lines in boxes) - GAP_Y


def _depths(of: Graph) -> dict[str, int]:
    """Return the length of the longest way from each factor to the harm; a cycle ends after 8 steps."""
    known = of.by_id
    edges = [(source, target) for source, target in of.edges if source in known and target in {*known, HARM}]
    depth = {HARM: 0} | dict.fromkeys(known, 1)
    for _ in range(min(len(known), 8)):
        for source, target in edges:
            depth[source] = min(max(depth[source], depth[target] + 1), 8)
    return depth


def _arrows(of: Graph, nodes: dict[str, Node], tall: float) -> list[Arrow]:
    on_path: dict[tuple[str, str], list[int]] = {}
    for number, why in enumerate(of.whys):
        for step in zip(why.path, why.path[1:], strict=False):
            on_path.setdefault(step, []).append(number)
    found = []
    for edge in dict.fromkeys(edge for factor in of.by_id.values() for edge in factor.edges):
        if edge.source not in nodes or edge.target not in nodes or edge.source == edge.target:
            continue
        start, end = nodes[edge.source], nodes[edge.target]
        x1, y1, x2, y2 = start.x + WIDE, start.y + start.height / 2, end.x - 6, end.y + end.height / 2
        bend = max(40.0, abs(x2 - x1) / 2)
        over = x2 - x1 > WIDE  # it passes a column, so it goes around its boxes
        side = (tall + 2 * PAD if start.y + start.height / 2 > tall / 2 else 0.0) if over else None
        c1, c2 = (y1, y2) if side is None else (side, side)
        path = f"M{x1:.0f} {y1:.0f}C{x1 + bend:.0f} {c1:.0f} {x2 - bend:.0f} {c2:.0f} {x2:.0f} {y2:.0f}"
        whys = tuple(on_path.get((edge.source, edge.target), ()))
        found.append(Arrow(path, edge.effect, (x1 + x2) / 2, (y1 + y2 + 3 * (c1 + c2)) / 8 - 5, whys))
    return found


def incident_lane(facts: Facts) -> Lane:
    """Return the timeline of the incident: the worst part, the alerts, and rare events such as deploys."""
    incident, of = facts.incident, facts.incident.summary

    def share(at: float) -> float:
        return max(0.0, min(COLUMNS_SHOWN, COLUMNS_SHOWN * (at - of.began) / max(1e-9, of.ended - of.began)))

    moments = [Moment("worst", f"worst part, {clock_time(of.since)[:5]}", share(of.since), share(of.until))]
    for alert in incident.alerts:
        until = of.ended if alert.resolved is None else alert.resolved
        label = f"{alert.name}, {clock_time(alert.fired)}"
        moments.append(Moment(alert.severity, label, share(alert.fired), share(until)))
    marks = marks_of(incident)
    moments += [Moment("mark", f"{mark.name}, {clock_time(mark.at)}", share(mark.at), share(mark.at)) for mark in marks]
    steps = [of.began + (of.ended - of.began) * number / TICK_COUNT for number in range(TICK_COUNT + 1)]
    return Lane("incident", tuple(moments), tuple(clock_time(at)[:5] for at in steps))


def response_lane(facts: Facts) -> Lane:
    """Return the timeline of the response: queries, experiments, diagnoses, hints, and attempts."""
    readings = facts.readings
    last = max([*readings.values(), 1.0])
    tick = next((each for each in TICKS if TICK_COUNT * each >= last), last / TICK_COUNT)
    moments = []
    for event in facts.events:
        kind, reading = _kind(event), readings[short_id(event)]
        if kind:
            at = COLUMNS_SHOWN * reading / (TICK_COUNT * tick)
            moments.append(Moment(kind, f"{kind}, {_clock(reading)}", at, at))
    return Lane("response", tuple(moments), tuple(_clock(tick * number) for number in range(TICK_COUNT + 1)))


def _kind(event: Event) -> str:  # noqa: PLR0911 - one return for each kind of event
    match event:
        case Queried():
            return "query"
        case Replayed():
            return "experiment" if event.ablation else "replay"
        case Diagnosed():
            return "diagnosis"
        case Hinted():
            return "hint"
        case Ran() if event.solved:
            return "solved"
        case Ran() if not event.no_attempt:
            return "attempt"
        case _:
            return ""


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
