"""Queries of an incident's evidence: log lines, traces, series."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from datetime import UTC, datetime, time
from itertools import starmap
from typing import TYPE_CHECKING, Final

import msgspec

from drill_katas.errors import UserError, nearest
from drill_katas.evidence.records import NO_TRACE
from drill_katas.evidence.samples import Metrics
from drill_katas.kit.rules import quantile

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from drill_katas.evidence.records import Family, IncidentRecord, LogLine, Span
    from drill_katas.kit.rules import Point

LEVELS: Final = ("debug", "info", "warning", "error", "critical")


@dataclass(frozen=True)
class LogFilter:
    """A filter for log lines; None and "" match all. `level` is the lowest level, `grep` a regular expression."""

    level: str | None = None
    service: str | None = None
    trace: str | None = None
    since: str | None = None
    grep: str | None = None


def find_logs(incident: IncidentRecord, wanted: LogFilter) -> list[LogLine]:
    """Return the matching log lines in order of time. Raises `UserError` for an unknown service or trace."""
    if wanted.service:
        one_of(wanted.service, services(incident), "service")
    if wanted.trace:
        trace_id(incident, wanted.trace)
    return list(wanted_of(incident.logs, wanted))


def wanted_of(lines: Iterable[LogLine], wanted: LogFilter) -> Iterator[LogLine]:
    """Return the matching lines lazily. Raises `UserError` for an invalid time or pattern."""
    least = LEVELS.index(wanted.level) if wanted.level else 0
    is_late = _since(wanted.since)
    pattern = _pattern(wanted.grep or "")
    return (
        line
        for line in lines
        if (LEVELS.index(line.level) if line.level in LEVELS else least) >= least
        and is_late(datetime.fromtimestamp(line.at, UTC))
        and wanted.service in {None, "", line.service}
        and (line.trace_id or "").startswith(wanted.trace or "")
        and pattern.search(" ".join([line.event, *map(str, line.fields.values())]))
    )


def _since(text: str | None) -> Callable[[datetime], bool]:
    """Return a predicate for times from `text` on: a time of any day, such as 02:55, or a day, such as 2026-03-14."""
    if not text:
        return lambda _: True
    try:
        day = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        of_day = time_of_day(text)
        return lambda at: at.time() >= of_day
    return lambda at: at >= day


class Trace(msgspec.Struct, frozen=True, kw_only=True):
    """One trace: its root, and all its spans in order of time; `seconds` is None if the root did not end."""

    trace_id: str
    root: Span
    spans: tuple[Span, ...]
    seconds: float | None
    failed: bool


def traces(incident: IncidentRecord, service: str | None = None, grep: str | None = None) -> list[Trace]:
    """Return the traces in order of time that begin at `service` and whose root matches `grep`.

    Work without a trace, such as a job's, is left out; `one_trace` finds it.
    """
    service = service and one_of(service, services(incident), "service")
    pattern = _pattern(grep or "")
    return [
        trace
        for trace in _all_traces(incident)
        if trace.trace_id != NO_TRACE
        and service in {None, "", trace.root.service}
        and pattern.search(" ".join([trace.root.name, *starmap("{}={}".format, trace.root.attributes.items())]))
    ]


def _all_traces(incident: IncidentRecord) -> list[Trace]:
    by_id: dict[str, list[Span]] = {}
    for span in incident.spans:
        by_id.setdefault(span.trace_id, []).append(span)
    return [
        Trace(
            trace_id=trace_id,
            root=spans[0],
            spans=tuple(spans),
            seconds=spans[0].seconds,
            failed=any(span.failed for span in spans),
        )
        for trace_id, spans in by_id.items()
    ]


def slowest(found: Iterable[Trace]) -> list[Trace]:
    """Return the traces by duration, longest first; traces without an end come before all others."""
    return sorted(found, key=lambda trace: -(float("inf") if trace.seconds is None else trace.seconds))


def one_trace(incident: IncidentRecord, prefix: str) -> Trace:
    """Return the trace whose id begins with `prefix`. Raises `UserError` if there is none, or more than one."""
    wanted = trace_id(incident, prefix)
    return next(trace for trace in _all_traces(incident) if trace.trace_id == wanted)


def trace_id(incident: IncidentRecord, prefix: str) -> str:
    """Return the trace id that begins with `prefix`. Raises `UserError` if there is none, or more than one."""
    known = {span.trace_id for span in incident.spans} | {line.trace_id for line in incident.logs if line.trace_id}
    found = [each for each in known if each.startswith(prefix)]
    if not found:
        raise UserError(f"there is no trace {prefix!r} in this incident; `kata traces` lists them")
    if len(found) > 1:
        raise UserError(f"{len(found)} trace ids begin with {prefix}; give more characters of the id")
    return found[0]


def services(incident: IncidentRecord) -> list[str]:
    """Return the names of all services with a log line or a span, sorted."""
    return sorted({line.service for line in incident.logs} | {span.service for span in incident.spans})


def moment(incident: IncidentRecord, text: str) -> float:
    """Return a time of day, such as 02:57, on the day of the incident, in seconds since 1970. Raises `UserError`."""
    began = datetime.fromtimestamp(incident.summary.began, UTC)
    return datetime.combine(began.date(), time_of_day(text), UTC).timestamp()


def time_of_day(text: str) -> time:
    """Parse a time of day: 02:57 or 02:57:30. Raises `UserError`."""
    try:
        return time.fromisoformat(text if text[1:2] != ":" else f"0{text}")
    except ValueError:
        raise UserError(f"{text!r} is not a time of day such as 02:57 or 02:57:30") from None


@dataclass(frozen=True)
class Plotted:
    """A series to plot."""

    name: str
    points: Sequence[Point]
    labels: Mapping[str, str]


def plotted(of: Sequence[Family], metric: str, labels: Mapping[str, str], percent: float | None) -> list[Plotted]:
    """Return a metric over time: the value of a gauge, the rate per minute of a counter, a percentile of a histogram.

    Rates and percentiles cover the last two minutes. Raises `UserError` for an unknown metric.
    """
    metrics = Metrics(of)
    families = {family.name: family for family in of}
    name = one_of(metric if metric in families else metric.removesuffix("_total"), families, "metric")
    kind, times = families[name].kind, metrics.times()
    if percent is not None and kind != "histogram":
        raise UserError(f"{name} is a {kind} and has no percentiles; request_duration_seconds has them")
    if kind == "histogram":
        return _percentiles(metrics, name, labels, percent or 95)
    if kind == "counter":
        return [
            Plotted(f"{_named(series.name, series.labels)}, per minute", _rates(series.points, times), series.labels)
            for series in metrics.of(f"{name}_total", labels)
        ]
    return [
        Plotted(_named(series.name, series.labels), series.points, series.labels) for series in metrics.of(name, labels)
    ]


def one_of(name: str, known: Iterable[str], what: str) -> str:
    """Return the name if it is known. Raises `UserError` with the nearest known name."""
    known = list(known)
    if name not in known:
        raise UserError(f"there is no {what} {name!r}{nearest(name, known)}")
    return name


def _percentiles(metrics: Metrics, name: str, labels: Mapping[str, str], percent: float) -> list[Plotted]:
    """Return a percentile of a histogram over time for each set of its labels."""
    found = []
    for series in metrics.of(f"{name}_count", labels):
        over_time = quantile(percent / 100, name, "2m", **series.labels)
        of = [(at, over_time.value(metrics, at)) for at in metrics.times()]
        points = [(at, value) for at, value in of if value is not None]
        if points:
            found.append(Plotted(f"p{percent:g} of {_named(name, series.labels)}, seconds", points, series.labels))
    return found


def _rates(points: Sequence[Point], times: Sequence[float]) -> list[Point]:
    """Return the rate per minute of a counter over two minutes; before its first sample and at a restart it is 0."""
    values = [(at, 0.0) for at in times if at < points[0][0]] + list(points)
    found = []
    for at in times:
        window = [value for when, value in values if at - 120 <= when <= at]
        grown = sum(later - one if later >= one else later for one, later in itertools.pairwise(window))
        found.append((at, grown / 2))
    return found


def _named(name: str, labels: Mapping[str, str]) -> str:
    pairs = ", ".join(f"{label}={value}" for label, value in labels.items())
    return f"{name}{{{pairs}}}" if pairs else name


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text, re.IGNORECASE)
    except re.error as mistake:
        raise UserError(f"--grep {text!r} is not a regular expression: {mistake}") from mistake
