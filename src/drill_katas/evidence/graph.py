"""The service graph of an incident: calls between services with counts, failures, p95, and cycles."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import msgspec

from drill_katas.quantiles import nearest_rank

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drill_katas.evidence.records import Span


class Edge(msgspec.Struct, frozen=True, kw_only=True):
    """The calls from one service to another; `open` counts calls without an end, `p95` is in seconds.

    `in_cycle` is true if calls of a single trace lead from the callee back to the caller.
    """

    caller: str
    callee: str
    calls: int
    failed: int
    open: int
    p95: float
    in_cycle: bool


def edges(spans: Iterable[Span], ended: float) -> list[Edge]:
    """Return the edges of the graph, the most calls first; a span without an end lasts until `ended`."""
    calls: dict[tuple[str, str], list[Span]] = {}
    of_trace: dict[str, set[tuple[str, str]]] = {}
    for span in spans:
        pair = span.attributes.get("caller", ""), span.service
        calls.setdefault(pair, []).append(span)
        of_trace.setdefault(span.trace_id, set()).add(pair)
    in_cycles = {pair for pairs in {frozenset(pairs) for pairs in of_trace.values()} for pair in _in_cycles(pairs)}
    found = [_edge(*pair, of, ended, in_cycle=pair in in_cycles) for pair, of in calls.items()]
    return sorted(found, key=lambda edge: (-edge.calls, edge.caller, edge.callee))


def cycles(of: Iterable[Edge]) -> list[str]:
    """Return each cycle in words: "checkout -> stock -> pricing -> checkout"."""
    following: dict[str, list[str]] = {}
    for edge in of:
        if edge.in_cycle:
            following.setdefault(edge.caller, []).append(edge.callee)
    found = {}
    for start in sorted(following):
        path = _way_back(start, following)
        if path and frozenset(path) not in found:
            found[frozenset(path)] = " -> ".join([*path, start])
    return list(found.values())


def to_dot(of: Iterable[Edge]) -> str:
    """Return the graph in Graphviz's DOT language."""
    lines = ["digraph services {", "  rankdir=LR;", '  node [shape=box, fontname="sans-serif"];']
    for edge in of:
        label = [f"{edge.calls} calls", f"p95 {format_seconds(edge.p95)}"]
        label += [f"{edge.failed} failed"] if edge.failed else []
        label += [f"{edge.open} without an end"] if edge.open else []
        style = ", color=red, penwidth=2" if edge.in_cycle else ""
        ends = f"{json.dumps(edge.caller)} -> {json.dumps(edge.callee)}"
        lines.append(f"  {ends} [label={json.dumps(', '.join(label))}{style}];")
    return "\n".join([*lines, "}"]) + "\n"


def format_seconds(seconds: float) -> str:
    """Return a duration as "3 ms", "1.2 s", "60 s", or "4:07 min"."""
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms"
    if seconds < 120:  # noqa: PLR2004 - two minutes
        return f"{seconds:.3g} s"
    return f"{int(seconds // 60)}:{int(seconds % 60):02} min"


def _edge(caller: str, callee: str, spans: list[Span], ended: float, *, in_cycle: bool) -> Edge:
    times = sorted((ended if span.ended is None else span.ended) - span.began for span in spans)
    return Edge(
        caller=caller,
        callee=callee,
        calls=len(spans),
        failed=sum(span.failed for span in spans),
        open=sum(span.ended is None for span in spans),
        p95=round(nearest_rank(times, 95), 6),
        in_cycle=in_cycle,
    )


def _in_cycles(pairs: frozenset[tuple[str, str]]) -> set[tuple[str, str]]:
    """Return the calls (caller, callee) of a trace whose callee reaches their caller by other calls."""
    following: dict[str, list[str]] = {}
    for caller, callee in pairs:
        following.setdefault(caller, []).append(callee)
    return {(caller, callee) for caller, callee in pairs if caller in _reached(callee, following)}


def _reached(start: str, following: dict[str, list[str]]) -> set[str]:
    reached, unseen = {start}, [start]
    while unseen:
        new = set(following.get(unseen.pop(), [])) - reached
        reached |= new
        unseen += new
    return reached


def _way_back(start: str, following: dict[str, list[str]]) -> list[str] | None:
    """Return the shortest cycle through a service, without the repeated end; None without a cycle."""
    ways = [[start]]
    seen: set[str] = set()
    for way in ways:  # a breadth-first search: the list grows during the loop
        for callee in following.get(way[-1], []):
            if callee == start:
                return way
            if callee not in seen:
                seen.add(callee)
                ways.append([*way, callee])
    return None
