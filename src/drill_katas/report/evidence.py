"""The evidence of an incident as text: alerts, log lines, traces, metrics over time, the service graph."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from drill_katas.evidence.graph import cycles, told_seconds
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
ROWS: Final = 8  # of a plot
AXIS: Final = 11  # columns left of it
SHORT: Final = 8  # characters of a trace id that are shown in a list
DAY: Final = 86_400  # seconds
BAR: Final = 16  # columns of a trace's timeline, at least


def summary_lines(incident: IncidentRecord, width: int) -> Iterator[TextLine]:
    """Tell what was replayed, which alerts fired, and what customers got."""
    told = incident.summary
    what = f"{told.kata}, {clock_time(told.began)[:5]} to {clock_time(told.ended)[:5]}"
    with_ablation = f", without: {told.ablation}" if told.ablation else ""
    yield line((what, "bold"), f"{with_ablation}, replayed in {told.seconds:.1f} s")
    yield from _late_lines(told, width)
    yield ()
    yield from alert_lines(incident.alerts, width)
    yield ()
    yield line("what customers got")
    yield line(f"  {f'before {clock_time(told.since)[:5]}':<14}  {level(told.before)}")
    yield line(f"  {_stretch(told):<14}  {level(told.after)}")


def comparison_lines(baseline: IncidentRecord, experiment: IncidentRecord, came: str, width: int) -> Iterator[TextLine]:
    """Tell what customers got in an experiment, beside what they got without it."""
    told = experiment.summary
    yield line((f"{told.kata} with {told.ablation}", "bold"), f", replayed in {told.seconds:.1f} s")
    yield from _late_lines(baseline.summary, width)
    yield from _late_lines(told, width)
    yield ()
    yield line(f"what customers got from {_stretch(told)}")
    yield line(f"  as it was  {level(baseline.summary.after)}")
    yield line(f"  with it    {level(told.after)}")
    yield line("the harm is ", (came, "bold"))
    yield ()
    yield from alert_lines(experiment.alerts, width)


def _late_lines(told: Summary, width: int) -> Iterator[TextLine]:
    """Return that a replay ran late on a busy machine, and how to make it again."""
    if told.late is None:
        return
    again = f"kata incident {told.kata}" if told.ablation is None else f"kata experiment {told.kata} {told.ablation}"
    late = (
        f"the {'incident' if told.ablation is None else 'experiment'} ran late: it waited {told.late:.1f} s for a "
        f"processor, and times in it may be the machine's; `{again}` replays it when fewer programs are running"
    )
    yield from wrapped(late, width, "", "note")


def _stretch(told: Summary) -> str:
    return f"{clock_time(told.since)[:5]} to {clock_time(told.until)[:5]}"


def level(of: ServiceLevel) -> str:
    """Write a service level: "22 of 22 requests good (100 %), p95 13 ms"."""
    return f"{of.good} of {of.requests} requests good ({of.share:.0%}), p95 {told_seconds(of.p95)}"


def alert_lines(alerts: Sequence[Alert], width: int) -> Iterator[TextLine]:
    """Tell which alerts fired, when, and by which rule."""
    if not alerts:
        yield line("no alert fired")
        return
    yield line(("fired     resolved  alert", "dim"))
    for alert in alerts:
        resolved = clock_time(alert.resolved) if alert.resolved else "-       "
        style: Style = "bad" if alert.severity == "page" else "note"
        yield line(f"{clock_time(alert.fired)}  {resolved}  ", (alert.name, style), f" ({alert.severity})")
        yield from wrapped(alert.summary, width, " " * 20)
        for part in re.split(r" (?=[/<>] )", alert.expression):  # so that each can be copied
            yield from [line((f"    {part}", "dim"))] if len(part) < width - 4 else wrapped(part, width, "    ", "dim")


def log_lines(logs: Iterable[LogLine], width: int, *, dated: bool = False) -> Iterator[TextLine]:
    """Write log lines, each with its time, with `dated` its day, the beginning of its trace id, and its fields."""
    for each in logs:
        fields = " ".join(f"{name}={value}" for name, value in each.fields.items())
        trace = (each.trace_id or each.id)[:SHORT].ljust(SHORT)  # either can be cited
        head = f"{day(each.at)} {clock_time(each.at)} " if dated else f"{clock_time(each.at)} {trace} "
        text = f"{each.service}: {each.event} {fields}".rstrip()
        level_ = fit(each.level, 7).ljust(8)
        first, *rest = wrapped(text, max(20, width - len(head) - len(level_)), "") or [()]
        yield line((head, "dim"), (level_, LEVEL_STYLES.get(each.level, "")), *((piece.text, "") for piece in first))
        for more in rest:
            yield line(" " * (len(head) + len(level_)), *((piece.text, "") for piece in more))


def trace_list(found: Iterable[Trace], width: int) -> Iterator[TextLine]:
    """List traces, one a line."""
    yield line(("trace     began     took       spans  request", "dim"))
    for trace in found:
        took = "no end" if trace.seconds is None else told_seconds(trace.seconds)
        status = trace.root.attributes.get("status", "")
        began = clock_time(trace.root.began)
        text = " ".join([f"{trace.root.service}: {trace.root.name} ({status})", *_more(trace.root)])
        head = f"{trace.trace_id[:SHORT]}  {began}  {took:<9}  {len(trace.spans):5}  "
        yield line(head, (fit(text, max(20, width - len(head))), "bad" if trace.failed else ""))


def trace_tree(trace: Trace, logs: Iterable[LogLine], ended: float, width: int) -> Iterator[TextLine]:
    """Draw a trace as a tree: what each part of it was, when it began, how long it took, and a timeline."""
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
        took = "no end" if span.ended is None else told_seconds(span.ended - span.began)
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
    """Return what else is told of a request, beside who asked and what came of it."""
    usual = {"caller", "status", "rows", "connection"}
    return (f"{name}={value}" for name, value in span.attributes.items() if name not in usual)


def metric_list(families: Iterable[Family], width: int) -> Iterator[TextLine]:
    """List metrics with their kinds and what they are."""
    for family in families:
        yield line((family.name, "bold"), f"  {family.kind}, {len(family.series)} series")
        yield from wrapped(family.help, width, "  ")


def plot(of: Plotted, stretch: tuple[float, float], width: int) -> Iterator[TextLine]:
    """Draw a series over a stretch of time, from its beginning to its end."""
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
    """Draw a series of many nights, one a line, all to the same scale and hours."""
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
    """List who calls whom, and name the cycles."""
    yield line((f"{'calls':>7}  {'failed':>6}  {'no end':>6}  {'p95':>9}  from -> to", "dim"))
    for edge in of:
        text = f"{edge.calls:7}  {edge.failed:6}  {edge.open:6}  {told_seconds(edge.p95):>9}  "
        ends = fit(f"{edge.caller} -> {edge.callee}", max(20, width - len(text)))
        yield line(text, (ends, "bad" if edge.in_cycle else ""))
    for cycle in cycles(of):
        yield line(("in a cycle: ", "bad"), cycle)


def _columns(points: Sequence[Point], stretch: tuple[float, float], columns: int) -> Iterator[float]:
    """Return the highest value of each of so many equal stretches; one without samples has the one before's."""
    began, ended = stretch
    highest: dict[int, float] = {}
    for at, value in points:
        column = max(0, min(columns - 1, int((at - began) / max(ended - began, 1e-9) * columns)))
        highest[column] = max(value, highest.get(column, value))
    value = 0.0
    for column in range(columns):
        value = highest.get(column, value)
        yield value
