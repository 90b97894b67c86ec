"""The evidence of an incident as text: alerts, log lines, traces, metrics over time, service graph."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from drill_katas.catalog.answer import EFFECTS
from drill_katas.evidence.graph import cycles, format_seconds
from drill_katas.evidence.records import clock_time, day
from drill_katas.report.text import Segment as Piece
from drill_katas.report.text import fit, line, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from drill_katas.evidence.graph import Edge
    from drill_katas.evidence.query import Plotted, Trace
    from drill_katas.evidence.records import Alert, Family, IncidentRecord, LogLine, ServiceLevel, Span, Summary
    from drill_katas.kit.rules import Point
    from drill_katas.report.text import Style, TextLine

LEVEL_STYLES: Final[dict[str, Style]] = {"error": "bad", "critical": "bad", "warning": "note", "debug": "dim"}
BLOCKS: Final = " ▁▂▃▄▅▆▇█"
ROWS: Final = 8  # rows of a plot
AXIS: Final = 11  # columns of a plot's vertical axis
SHORT: Final = 8  # characters of a trace id in a list
DAY: Final = 86_400  # seconds
BAR: Final = 16  # least columns of a trace's timeline


def summary_lines(incident: IncidentRecord, width: int) -> Iterator[TextLine]:
    """Return the time of the replay, the alerts that fired, and the service level of the customers."""
    summary = incident.summary
    title = f"{summary.kata}, {clock_time(summary.began)[:5]} to {clock_time(summary.ended)[:5]}"
    with_ablation = f", with {summary.ablation}" if summary.ablation else ""
    yield line((title, "bold"), f"{with_ablation}, replayed in {summary.seconds:.1f} s")
    yield from _late_lines(summary, width)
    yield ()
    yield from alert_lines(incident.alerts, width)
    yield ()
    yield line("service level of the customers")
    yield line(f"  {f'before {clock_time(summary.since)[:5]}':<14}  {level(summary.before)}")
    yield line(f"  {_period(summary):<14}  {level(summary.after)}")


def comparison_lines(
    baseline: IncidentRecord, experiment: IncidentRecord, effect: str, width: int
) -> Iterator[TextLine]:
    """Return the service level in an experiment beside that of the baseline, the effect, and the alerts."""
    summary = experiment.summary
    yield line((f"{summary.kata} with {summary.ablation}", "bold"), f", replayed in {summary.seconds:.1f} s")
    yield from _late_lines(baseline.summary, width)
    yield from _late_lines(summary, width)
    yield ()
    yield line(f"service level of the customers from {_period(summary)}")
    yield line(f"  incident    {level(baseline.summary.after)}")
    yield line(f"  experiment  {level(summary.after)}")
    yield line((EFFECTS[effect], "bold"))
    yield ()
    yield from alert_lines(experiment.alerts, width)


def _late_lines(summary: Summary, width: int) -> Iterator[TextLine]:
    """Return a warning if the replay ran late on a busy machine, with the command that repeats it."""
    if summary.late is None:
        return
    kind, command = ("incident", f"kata incident {summary.kata}")
    if summary.ablation is not None:
        kind, command = ("experiment", f"kata experiment {summary.kata} {summary.ablation}")
    late = (
        f"the {kind} ran late: it waited {summary.late:.1f} s for a processor, so the machine may have changed its "
        f"times; repeat it with `{command}` when fewer programs are running"
    )
    yield from wrapped(late, width, "", "note")


def _period(summary: Summary) -> str:
    return f"{clock_time(summary.since)[:5]} to {clock_time(summary.until)[:5]}"


def level(of: ServiceLevel) -> str:
    """Return a service level in words: "22 of 22 requests good (100%), p95 13 ms"."""
    return f"{of.good} of {of.requests} requests good ({of.share:.0%}), p95 {format_seconds(of.p95)}"


def alert_lines(alerts: Sequence[Alert], width: int) -> Iterator[TextLine]:
    """Return the alerts that fired, with times and rules."""
    if not alerts:
        yield line("no alert fired")
        return
    yield line(("fired     resolved  alert", "dim"))
    for alert in alerts:
        resolved = clock_time(alert.resolved) if alert.resolved else "-       "
        style: Style = "bad" if alert.severity == "page" else "note"
        yield line(f"{clock_time(alert.fired)}  {resolved}  ", (alert.name, style), f" ({alert.severity})")
        yield from wrapped(alert.summary, width, " " * 20)
        for part in re.split(r" (?=[/<>] )", alert.expression):  # short pieces can be copied whole
            yield from [line((f"    {part}", "dim"))] if len(part) < width - 4 else wrapped(part, width, "    ", "dim")


def log_lines(logs: Iterable[LogLine], width: int, *, dated: bool = False) -> Iterator[TextLine]:
    """Return log lines: time, short trace id or log id, level, event, fields; with `dated`, day and time, no id."""
    for each in logs:
        fields = " ".join(f"{name}={value}" for name, value in each.fields.items())
        trace = (each.trace_id or each.id)[:SHORT].ljust(SHORT)  # a diagnosis can cite either id
        head = f"{day(each.at)} {clock_time(each.at)} " if dated else f"{clock_time(each.at)} {trace} "
        text = f"{each.service}: {each.event} {fields}".rstrip()
        level_ = fit(each.level, 7).ljust(8)
        first, *rest = wrapped(text, max(20, width - len(head) - len(level_)), "") or [()]
        yield line((head, "dim"), (level_, LEVEL_STYLES.get(each.level, "")), *((piece.text, "") for piece in first))
        for more in rest:
            yield line(" " * (len(head) + len(level_)), *((piece.text, "") for piece in more))


def trace_list(found: Iterable[Trace], width: int) -> Iterator[TextLine]:
    """Return one line per trace: id, start, duration, spans, request."""
    yield line(("trace     began     took       spans  request", "dim"))
    for trace in found:
        took = "no end" if trace.seconds is None else format_seconds(trace.seconds)
        status = trace.root.attributes.get("status", "")
        began = clock_time(trace.root.began)
        text = " ".join([f"{trace.root.service}: {trace.root.name} ({status})", *_more(trace.root)])
        head = f"{trace.trace_id[:SHORT]}  {began}  {took:<9}  {len(trace.spans):5}  "
        yield line(head, (fit(text, max(20, width - len(head))), "bad" if trace.failed else ""))


def trace_tree(trace: Trace, logs: Iterable[LogLine], ended: float, width: int) -> Iterator[TextLine]:
    """Return a trace as a tree of spans, with durations and a timeline, then its log lines."""
    yield line((f"trace {trace.trace_id}", "bold"))
    yield from wrapped(" ".join(_more(trace.root)), width, "", "dim")
    began = trace.root.began
    last = max((ended if span.ended is None else span.ended) for span in trace.spans)
    whole = max(last - began, 1e-9)
    children: dict[str | None, list[Span]] = {}
    known = {span.span_id for span in trace.spans}
    for span in trace.spans:
        children.setdefault(span.parent_id if span.parent_id in known else None, []).append(span)
    bar = max(BAR, width // 4)

    def draw(span: Span, depth: int) -> Iterator[TextLine]:
        end = ended if span.ended is None else span.ended
        start, stop = (round((at - began) / whole * (bar - 1)) for at in (span.began, end))
        timeline = " " * start + "█" * (stop - start + 1)
        took = "no end" if span.ended is None else format_seconds(span.ended - span.began)
        name = f"{'  ' * depth}{span.service}: {span.name}"
        room = max(20, width - bar - 12)
        yield line(
            (fit(name, room).ljust(room), "bad" if span.failed else ""),
            f"{took:>10} ",
            (timeline.ljust(bar), "dim"),
        )
        for child in children.get(span.span_id, []):
            yield from draw(child, depth + 1)

    for span in children.get(None, []):
        yield from draw(span, 0)
    yield from log_lines(logs, width)


def _more(span: Span) -> Iterator[str]:
    """Return the attributes of a span that the other columns do not show, as `name=value`."""
    usual = {"caller", "status", "rows", "connection"}
    return (f"{name}={value}" for name, value in span.attributes.items() if name not in usual)


def metric_list(families: Iterable[Family], width: int) -> Iterator[TextLine]:
    """Return the metrics with kind, number of series, and help text."""
    for family in families:
        yield line((family.name, "bold"), f"  {family.kind}, {len(family.series)} series")
        yield from wrapped(family.help, width, "  ")


def plot(of: Plotted, stretch: tuple[float, float], width: int) -> Iterator[TextLine]:
    """Return a plot of a series; `stretch` is the plotted time (start, end) in seconds since 1970."""
    yield line((fit(of.name, width), "bold"))
    if not of.points:
        yield line("  no samples")
        return
    columns = max(10, width - AXIS - 1)
    values = list(_columns(of.points, stretch, columns))
    top = max(values) or 1.0
    if not any(values):
        yield line("  0 all the time")
        return
    for row in range(ROWS, 0, -1):
        label = {ROWS: f"{top:.3g}", 1: "0"}.get(row, "")
        cells = "".join(BLOCKS[max(0, min(8, round((value / top * ROWS - row + 1) * 8)))] for value in values)
        yield (Piece(f"{label:>{AXIS - 2}} ┤"), Piece(cells.rstrip()))
    first, last = (clock_time(at)[:5] for at in stretch)
    yield line(" " * AXIS, (f"{first}{last:>{max(6, columns - 5)}}", "dim"))


def night_lines(of: Plotted, width: int) -> Iterator[TextLine]:
    """Return a plot of a series over many nights, one line per night, with one scale and the same hours."""
    nights: dict[str, list[Point]] = {}
    for at, value in of.points:
        nights.setdefault(day(at), []).append((at, value))
    longest = max(nights.values(), key=lambda points: points[-1][0] - points[0][0])
    first, last = (at % DAY for at, _ in (longest[0], longest[-1]))
    columns = max(10, min(width - 20, len(longest)))
    top = max(value for _, value in of.points) or 1.0
    yield line((fit(of.name, width - 24), "bold"), f", {len(nights)} nights, up to {top:.3g}")
    for night, points in nights.items():
        cells = [" "] * columns
        for at, value in points:
            column = min(columns - 1, max(0, int((at % DAY - first) / max(last - first, 1e-9) * columns)))
            cells[column] = max(cells[column], BLOCKS[max(0, round(value / top * 8))])
        yield line((f"{night}  ", "dim"), "".join(cells), f"  {max(value for _, value in points):.3g}")
    yield line(" " * 12, (f"{clock_time(first)[:5]}{clock_time(last)[:5]:>{columns - 5}}", "dim"))


def graph_lines(of: Sequence[Edge], width: int) -> Iterator[TextLine]:
    """Return the calls between services, and the cycles."""
    yield line((f"{'calls':>7}  {'failed':>6}  {'no end':>6}  {'p95':>9}  from -> to", "dim"))
    for edge in of:
        text = f"{edge.calls:7}  {edge.failed:6}  {edge.open:6}  {format_seconds(edge.p95):>9}  "
        ends = fit(f"{edge.caller} -> {edge.callee}", max(20, width - len(text)))
        yield line(text, (ends, "bad" if edge.in_cycle else ""))
    for cycle in cycles(of):
        yield line(("in a cycle: ", "bad"), cycle)


def _columns(points: Sequence[Point], stretch: tuple[float, float], columns: int) -> Iterator[float]:
    """Yield the highest value in each of `columns` equal intervals; an interval without samples repeats the last."""
    began, ended = stretch
    highest: dict[int, float] = {}
    for at, value in points:
        column = max(0, min(columns - 1, int((at - began) / max(ended - began, 1e-9) * columns)))
        highest[column] = max(value, highest.get(column, value))
    value = 0.0
    for column in range(columns):
        value = highest.get(column, value)
        yield value
