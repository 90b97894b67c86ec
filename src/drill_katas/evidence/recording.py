"""Turns what a scene has seen into evidence: spans of calls and statements, log lines, and the service level."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from drill_katas.evidence.records import LogLine, ServiceLevel, Span
from drill_katas.judge.database import Database
from drill_katas.judge.network import Network
from drill_katas.quantiles import nearest_rank

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drill_katas.evidence.scene import Request, Scene
    from drill_katas.judge.network import Hop
    from drill_katas.judge.probe import Statement
    from drill_katas.judge.upstream import Asked

SERVER_ERROR: Final = 500
NO_TRACE: Final = "0" * 31 + "1"  # of what no trace is known of
OF_STRUCTLOG: Final = {"timestamp", "level", "event", "trace_id", "service"}


def spans_of(scene: Scene) -> tuple[Span, ...]:
    """Return all spans in order of time, each with the span that it belongs to as its parent."""
    found = list(scene.spans)
    for name, thing in scene.watched.items():
        if isinstance(thing, Network):
            found += [_of_hop(scene, hop) for hop in thing.hops]
        elif isinstance(thing, Database):
            found += [_of_statement(scene, name, statement) for statement in thing.statements]
        else:
            found += [_of_asked(scene, name, asked) for asked in thing.asked]
    found.sort(key=lambda span: (span.began, -(span.ended or scene.clock.now())))
    return _in_trees([replace(span, span_id=f"{number:016x}") for number, span in enumerate(found, 1)])


def logs_of(scene: Scene) -> tuple[LogLine, ...]:
    """Return all log lines in order of time, numbered from 1: those of the SUT's, and those of its surroundings."""
    lines = [*scene.logs]
    for logged in scene.sut.logs():
        line = {name: value for name, value in logged.line.items() if name not in OF_STRUCTLOG}
        trace_id = _text(logged.line.get("trace_id"))
        service = _text(logged.line.get("service")) or scene.services.get(trace_id or "", "unknown")
        level, event = _text(logged.line.get("level")) or "info", _text(logged.line.get("event")) or ""
        at = scene.clock.at(logged.at)
        lines.append(LogLine(id="", at=at, service=service, level=level, event=event, trace_id=trace_id, fields=line))
    lines.sort(key=lambda line: line.at)
    return tuple(replace(line, id=f"log-{number}") for number, line in enumerate(lines, 1))


def level_of(requests: Iterable[Request], since: float, until: float) -> ServiceLevel:
    """Return what customers got who asked in a stretch of time."""
    asked = [each for each in requests if since <= each.began < until and each.good is not None]
    times = sorted(each.ended - each.began for each in asked)
    return ServiceLevel(
        requests=len(asked),
        good=sum(bool(each.good) for each in asked),
        p95=round(nearest_rank(times, 95), 4) if times else 0.0,
    )


def route(path: str) -> str:
    """Return a path without what is different in every request: /orders/{id}."""
    parts = path.partition("?")[0].split("/")
    return "/".join("{id}" if re.search(r"\d", part) else part for part in parts)


def _of_hop(scene: Scene, hop: Hop) -> Span:
    return Span(
        trace_id=hop.trace_id or NO_TRACE,
        service=hop.callee,
        name=f"{hop.method} {route(hop.path)}",
        kind="server",
        began=scene.clock.at(hop.began),
        ended=None if hop.ended is None else scene.clock.at(hop.ended),
        failed=hop.status is not None and (hop.status == 0 or hop.status >= SERVER_ERROR),
        attributes={"caller": hop.caller, "status": str(hop.status or "none")},
    )


def _of_statement(scene: Scene, database: str, statement: Statement) -> Span:
    return Span(
        trace_id=statement.trace_id or NO_TRACE,
        service=database,
        name=" ".join(statement.sql.split()),
        kind="client",
        began=scene.clock.at(statement.at),
        ended=scene.clock.at(statement.at + statement.seconds),
        attributes={
            "caller": scene.owners[database],
            "rows": str(statement.rows),
            "connection": str(statement.connection),
        },
    )


def _of_asked(scene: Scene, upstream: str, asked: Asked) -> Span:
    return Span(
        trace_id=asked.trace_id or NO_TRACE,
        service=upstream,
        name=asked.method,
        kind="client",
        began=scene.clock.at(asked.at),
        ended=scene.clock.at(asked.at + asked.seconds),
        failed=asked.lost,
        attributes={"caller": scene.owners[upstream], "status": "none" if asked.lost else "ok"},
    )


def _in_trees(spans: list[Span]) -> tuple[Span, ...]:
    """Give every span its parent: the last one begun before it, on its trace, that was at work where it was called.

    Services hand the trace on and not the span, so that this is found as a service mesh would. A span that nobody was
    at work on is a root.
    """
    at_work: dict[tuple[str, str], list[Span]] = {}
    placed = []
    for span in spans:
        callers = at_work.get((span.trace_id, span.attributes["caller"]), [])
        parent = next((each for each in reversed(callers) if each.ended is None or each.ended >= span.began), None)
        span = replace(span, parent_id=parent and parent.span_id)  # noqa: PLW2901
        at_work.setdefault((span.trace_id, span.service), []).append(span)
        placed.append(span)
    return tuple(placed)


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
