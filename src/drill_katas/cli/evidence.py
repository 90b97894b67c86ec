"""Subcommands that query the evidence of an incident: alerts, logs, traces, metrics, and graph."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from drill_katas.cli.base import as_json, command, find, open_case, show, show_json, warn, width
from drill_katas.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drill_katas.catalog.katas import Kata
    from drill_katas.evidence.query import LogFilter
    from drill_katas.evidence.records import IncidentRecord

SHOWN_TRACES = 10
NO_LOGS = (
    "no service wrote a log line: a request that hangs or ends silently writes none; "
    "traces and metrics show where it is"
)
of_experiment = click.option(
    "--experiment", metavar="NAME", help="Experiment to query; default: the incident without one."
)


@command("alerts", "kata alerts red_herring")
@click.argument("name")
@of_experiment
@as_json
def alerts(name: str, experiment: str | None, *, as_json: bool) -> None:
    """Show which alerts fired, when, and by which rule."""
    from drill_katas.report.evidence import alert_lines

    incident = _queried(name, "alerts", experiment)
    show_json(incident.alerts) if as_json else show(alert_lines(incident.alerts, width()))


@command("logs", "kata logs red_herring --level error --since 02:55")
@click.argument("name")
@click.option(
    "--level", type=click.Choice(["debug", "info", "warning", "error", "critical"]), help="Lowest level to show."
)
@click.option("--service", metavar="NAME", help="Service that wrote the lines.")
@click.option("--trace", metavar="ID", help="Trace of the lines; the first characters of its id are enough.")
@click.option("--since", metavar="TIME", help="First time of day, such as 02:55, or first day, such as 2026-03-14.")
@click.option("--grep", metavar="REGEX", help="Pattern in the event or in a field.")
@click.option("--follow", is_flag=True, help="Lines of the live system (`kata serve`) as they are written.")
@click.option("--recorded", is_flag=True, help="Deploys and schedule changes before the incident.")
@of_experiment
@as_json
def logs(name: str, experiment: str | None, *, follow: bool, recorded: bool, as_json: bool, **wanted: Any) -> None:
    """Show log lines; a line must match every option."""
    from drill_katas.evidence import history
    from drill_katas.evidence.query import LogFilter, find_logs, wanted_of
    from drill_katas.report.evidence import log_lines

    if follow:
        _follow(name, LogFilter(**wanted), as_json=as_json)
        return
    if recorded:
        found = list(wanted_of(history.deploys(_history("logs", name, **wanted)), LogFilter(**wanted)))
    else:
        incident = _queried(name, "logs", experiment, **wanted)
        found = find_logs(incident, LogFilter(**wanted))
        _expect(incident.logs, NO_LOGS)
    show_json(found) if as_json else show(log_lines(found, width(), dated=recorded))
    _expect(found, "no log line matches")


@command("traces", "kata traces red_herring --failed")
@click.argument("name")
@click.argument("trace", required=False)
@click.option("--slowest", metavar="N", type=click.IntRange(1), help="Number of slowest traces; default: 10.")
@click.option(
    "--failed", is_flag=True, help="Only traces with a failure; without --slowest, all of them in order of time."
)
@click.option("--service", metavar="NAME", help="Service where the traces begin.")
@click.option("--grep", metavar="REGEX", help="Pattern in the request, its status, or its attributes.")
@of_experiment
@as_json
def traces(
    name: str,
    trace: str | None,
    slowest: int | None,
    experiment: str | None,
    *,
    failed: bool,
    as_json: bool,
    **wanted: str | None,
) -> None:
    """Show the slowest or the failed traces; with an id, one trace as a tree with times and log lines."""
    from drill_katas.evidence import query
    from drill_katas.report.evidence import trace_list, trace_tree

    incident = _queried(name, "traces", experiment, trace=trace, failed=failed or None, **wanted)
    if trace is not None:
        one = query.one_trace(incident, trace)
        lines = [line for line in incident.logs if line.trace_id == one.trace_id]
        show_json(one) if as_json else show(trace_tree(one, lines, incident.summary.ended, width()))
        return
    found = [each for each in query.traces(incident, **wanted) if each.failed or not failed]
    if slowest or not failed:
        found = query.slowest(found)[: slowest or SHOWN_TRACES]
    show_json(found) if as_json else show(trace_list(found, width()))
    _expect(found, "no trace matches")


@command("metrics", "kata metrics red_herring request_duration_seconds --percentile 99")
@click.argument("name")
@click.argument("metric", required=False)
@click.option("--label", "labels", metavar="NAME=VALUE", multiple=True, help="Label of the series; repeatable.")
@click.option(
    "--percentile", metavar="P", type=click.FloatRange(1, 99.99), help="Percentile of a histogram; default: 95."
)
@click.option("--recorded", is_flag=True, help="The nights before the incident.")
@of_experiment
@as_json
def metrics(
    name: str,
    metric: str | None,
    labels: tuple[str, ...],
    percentile: float | None,
    experiment: str | None,
    *,
    recorded: bool,
    as_json: bool,
) -> None:
    """List the metrics, or plot one over time: a gauge, the rate per minute of a counter, a histogram's percentile."""
    from drill_katas.evidence import history
    from drill_katas.evidence.query import plotted
    from drill_katas.report.evidence import metric_list, night_lines, plot

    if metric is None and (labels or percentile):
        raise UserError(f"--label and --percentile need a metric; `kata metrics {name}` lists the metrics")
    options = {"metric": metric, "labels": ",".join(labels) or None}
    if recorded:
        families, stretch = history.metrics(_history("metrics", name, **options)), (0.0, 0.0)
    else:
        incident = _queried(name, "metrics", experiment, **options)
        families, stretch = incident.metrics, (incident.summary.began, incident.summary.ended)
    if metric is None:
        show_json(families) if as_json else show(metric_list(families, width()))
        if not recorded and history.has_metrics(find(name)[1]):
            click.echo(f"The nights before are recorded: kata metrics {name} --recorded", err=True)
        return
    if recorded and metric not in (names := [family.name for family in families]):
        raise UserError(
            f"the nights before have no metric {metric!r}, only {', '.join(names)}; without --recorded, "
            f"`kata metrics {name}` lists the metrics of the incident"
        )
    found = plotted(families, metric, dict(_label(each) for each in labels), percentile)
    if as_json:
        show_json([{"name": each.name, "points": each.points} for each in found])
        return
    for each in found:
        show(night_lines(each, width()) if recorded else plot(each, stretch, width()))
    _expect(found, "no series matches")


@command("graph", "kata graph circular_deadlock")
@click.argument("name")
@click.option("--dot", is_flag=True, help="Print the graph in Graphviz's DOT language.")
@click.option("--svg", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="File for an SVG drawing.")
@of_experiment
@as_json
def graph(name: str, svg: Path | None, experiment: str | None, *, dot: bool, as_json: bool) -> None:
    """Show the calls between services: counts, failures, p95, and cycles."""
    from drill_katas.evidence.graph import edges, to_dot
    from drill_katas.evidence.layout import to_svg
    from drill_katas.files import write_file
    from drill_katas.report.evidence import graph_lines

    incident = _queried(name, "graph", experiment)
    found = edges(incident.spans, incident.summary.ended)
    if svg:
        write_file(svg, to_svg(found).encode())
    if dot:
        click.echo(to_dot(found), nl=False)
        return
    show_json(found) if as_json else show(graph_lines(found, width()))


def _follow(name: str, wanted: LogFilter, *, as_json: bool) -> None:
    """Show log lines of a live system until it ends, or until Ctrl-C."""
    from drill_katas.evidence.query import wanted_of
    from drill_katas.evidence.store import line_to_json
    from drill_katas.live.logfile import folder_of, follow
    from drill_katas.report.evidence import log_lines

    case = open_case(name)
    case.record_query("logs", follow=True, **asdict(wanted))
    with contextlib.suppress(KeyboardInterrupt):
        for line in wanted_of(follow(folder_of(case.workspace, name)), wanted):
            if as_json:
                click.echo(json.dumps(line_to_json(line)))
            else:
                show(log_lines([line], width()))


def _history(about: str, name: str, **options: Any) -> Kata:
    """Record a query about a kata's history in the journal, and return the kata."""
    case = open_case(name)
    case.record_query(about, recorded=True, **options)
    return case.kata


def _label(text: str) -> tuple[str, str]:
    name, is_, value = text.partition("=")
    if not is_:
        raise UserError(f"--label {text!r} should be NAME=VALUE, such as service=checkout")
    return name, value


def _queried(name: str, about: str, experiment: str | None, **wanted: Any) -> IncidentRecord:
    """Return the recorded incident that a query is about; warn on stderr if the learner's code has changed since."""
    case = open_case(name)
    found = case.query(about, experiment, **wanted)
    warn(case.notices)
    return found


def _expect(found: Sequence[Any], otherwise: str) -> None:
    """Print the message `otherwise` and exit with 1 if nothing was found."""
    if not found:
        click.echo(otherwise, err=True)
        raise SystemExit(1)
