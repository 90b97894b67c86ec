"""Conversion of a scene's observations into evidence: spans of calls and statements, log lines, service level."""

from __future__ import annotations

import functools
import math
from collections import Counter
from typing import TYPE_CHECKING, Any, Final, TypeVar

from msgspec.structs import replace

from drill_katas.evidence.records import LogLine, ServiceLevel, Span
from drill_katas.quantiles import nearest_rank

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from drill_katas.evidence.scene import ReplayScene, Request
    from drill_katas.judge.observation import Logged

T = TypeVar("T")
OF_STRUCTLOG: Final = {"timestamp", "level", "event", "trace_id", "service"}


def spans_of(scene: ReplayScene) -> tuple[Span, ...]:
    """Return all spans in order of time, each with its parent."""
    return _in_trees([make(each) for seen, make in _sources(scene) for each in seen], first=1)


def logs_of(scene: ReplayScene) -> tuple[LogLine, ...]:
    """Return all log lines, of the SUT and of its surroundings, in order of time and numbered from 1."""
    return _in_order(scene, scene.logs, scene.sut.logs(), first=1)


class Stream:
    """New log lines and spans of a live scene since the last call."""

    def __init__(self, scene: ReplayScene) -> None:
        self._scene = scene
        self._taken: Counter[str] = Counter()  # number of returned items by kind
        self._waiting: list[tuple[Any, Callable[[Any], Span]]] = []

    def logs(self) -> tuple[LogLine, ...]:
        """Return the new log lines, in order of time."""
        first = self._taken["around"] + self._taken["in the system"] + 1
        around, logged = self._new("around", self._scene.logs), self._new("in the system", self._scene.sut.logs())
        return _in_order(self._scene, around, logged, first)

    def spans(self) -> tuple[Span, ...]:
        """Return the spans of the traces that ended since the last call, in order of time."""
        for number, (seen, make) in enumerate(_sources(self._scene)):
            self._waiting += [(each, make) for each in self._new(f"source {number}", seen)]
        made = [make(each) for each, make in self._waiting]
        open_traces = {span.trace_id for span in made if span.ended is None}
        self._waiting = [entry for entry, span in zip(self._waiting, made, strict=True) if span.trace_id in open_traces]
        ended = [span for span in made if span.trace_id not in open_traces]
        first = self._taken["spans"] + 1
        self._taken["spans"] += len(ended)
        return _in_trees(ended, first)

    def _new(self, kind: str, seen: Sequence[T]) -> Sequence[T]:
        new = seen[self._taken[kind] :]
        self._taken[kind] += len(new)
        return new


def _sources(scene: ReplayScene) -> Iterator[tuple[Sequence[Any], Callable[[Any], Span]]]:
    """Yield each list of observations with the function that makes a span of one. The lists only grow at the end."""
    yield scene.spans, lambda span: span
    for each in scene.watched.values():
        yield each.observations, functools.partial(each.span, at=scene.clock.at)


def _in_order(
    scene: ReplayScene, around: Sequence[LogLine], logged: Sequence[Logged], first: int
) -> tuple[LogLine, ...]:
    """Return the log lines of the surroundings and of the SUT in order of time, numbered from `first`."""
    lines = [*around]
    for each in logged:
        line = {name: value for name, value in each.line.items() if name not in OF_STRUCTLOG}
        trace_id = _text(each.line.get("trace_id"))
        service = _text(each.line.get("service")) or scene.services.get(trace_id or "", "unknown")
        level, event = _text(each.line.get("level")) or "info", _text(each.line.get("event")) or ""
        at = scene.clock.at(each.at)
        lines.append(LogLine(id="", at=at, service=service, level=level, event=event, trace_id=trace_id, fields=line))
    lines.sort(key=lambda line: line.at)
    return tuple(replace(line, id=f"log-{number}") for number, line in enumerate(lines, first))


def level_of(requests: Iterable[Request], since: float, until: float) -> ServiceLevel:
    """Return the service level of the requests that began from `since` to `until`."""
    counted = [each for each in requests if since <= each.began < until and each.good is not None]
    times = sorted(each.ended - each.began for each in counted)
    return ServiceLevel(
        requests=len(counted),
        good=sum(bool(each.good) for each in counted),
        p95=round(nearest_rank(times, 95), 4) if times else 0.0,
    )


def _in_trees(spans: list[Span], first: int) -> tuple[Span, ...]:
    """Return the spans in order of time, numbered from `first`, each with its parent.

    The parent is the last span of the caller on the same trace that began earlier and was still open; without an open
    one, the last one. A span without such a span is a root. The parent is inferred, as in a service mesh, because
    services propagate only the trace id.
    """
    at_work: dict[tuple[str, str], list[Span]] = {}
    placed = []
    spans.sort(key=lambda span: (span.began, -(math.inf if span.ended is None else span.ended)))
    for number, span in enumerate(spans, first):
        callers = at_work.get((span.trace_id, span.attributes["caller"]), [])
        still_open = (each for each in reversed(callers) if each.ended is None or each.ended >= span.began)
        parent = next(still_open, callers[-1] if callers else None)
        span = replace(span, span_id=f"{number:016x}", parent_id=parent and parent.span_id)  # noqa: PLW2901
        at_work.setdefault((span.trace_id, span.service), []).append(span)
        placed.append(span)
    return tuple(placed)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
