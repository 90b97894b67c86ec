"""Subcommands that ask the evidence of an incident: its alerts, logs, traces, metrics and graph."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from drill_katas.cli.base import as_json, command, find, open_case, show, show_json, width
from drill_katas.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drill_katas.catalog.katas import Kata
    from drill_katas.evidence.query import LogFilter

SHOWN_TRACES = 10
NO_LOGS = (
    "no service wrote a line: a request that hangs or ends quietly leaves none; traces and metrics show where it is"
)
of_experiment = click.option("--experiment", metavar="NAME", help="Ask the replay of an experiment.")


@command("alerts", "kata alerts red_herring")
@click.argument("name")
@of_experiment
@as_json
def alerts(name: str, experiment: str | None, *, as_json: bool) -> None:
    """Show which alerts fired, when, and by which rule."""
    from drill_katas.report.evidence import alert_lines

    asked = open_case(name).ask("alerts", experiment)
    show_json(asked.alerts) if as_json else show(alert_lines(asked.alerts, width()))


@command("logs", "kata logs red_herring --level error --since 02:55")
@click.argument("name")
@click.option(
    "--level", type=click.Choice(["debug", "info", "warning", "error", "critical"]), help="This one and worse."
)
@click.option("--service", help="Of one service.")
@click.option("--trace", metavar="ID", help="On one trace; the beginning of its id will do.")
@click.option("--since", metavar="TIME", help="From a time of day on, such as 02:55, or a day, such as 2026-03-14.")
@click.option("--grep", metavar="REGEX", help="With this in the event or a field.")
@click.option("--follow", is_flag=True, help="Of the live system, `kata serve`, as they come.")
@click.option("--recorded", is_flag=True, help="Deploys and the like on record from before.")
@of_experiment
@as_json
def logs(name: str, experiment: str | None, *, follow: bool, recorded: bool, as_json: bool, **wanted: Any) -> None:
    """Show log lines."""
    from drill_katas.evidence import history
    from drill_katas.evidence.query import LogFilter, find_logs, wanted_of
    from drill_katas.report.evidence import log_lines

    if follow:
        _follow(name, LogFilter(**wanted), as_json=as_json)
        return
    if recorded:
        found = list(wanted_of(history.deploys(_history("logs", name, **wanted)), LogFilter(**wanted)))
    else:
        asked = open_case(name).ask("logs", experiment, **wanted)
        found = find_logs(asked, LogFilter(**wanted))
        _expect(asked.logs, NO_LOGS)
    show_json(found) if as_json else show(log_lines(found, width(), dated=recorded))
    _expect(found, "no log line matches")


@command("traces", "kata traces red_herring --failed")
@click.argument("name")
@click.argument("trace", required=False)
@click.option("--slowest", type=click.IntRange(1), help="So many, the slowest first; default: 10.")
@click.option(
    "--failed", is_flag=True, help="Those in which something failed; without --slowest all, in order of time."
)
@click.option("--service", help="Those that begin at one service.")
@click.option("--grep", metavar="REGEX", help="With this in the request, its status, or what else is told of it.")
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
    """Show the slowest traces, or the failed ones; one, by its id, as a tree with times and log lines."""
    from drill_katas.evidence import query
    from drill_katas.report.evidence import trace_list, trace_tree

    asked = open_case(name).ask("traces", experiment, trace=trace, failed=failed or None, **wanted)
    if trace is not None:
        one = query.one_trace(asked, trace)
        told = [line for line in asked.logs if line.trace_id == one.trace_id]
        show_json(one) if as_json else show(trace_tree(one, told, asked.summary.ended, width()))
        return
    found = [each for each in query.traces(asked, **wanted) if each.failed or not failed]
    if slowest or not failed:
        found = query.slowest(found)[: slowest or SHOWN_TRACES]
    show_json(found) if as_json else show(trace_list(found, width()))
    _expect(found, "no trace matches")


@command("metrics", "kata metrics red_herring request_duration_seconds --percentile 99")
@click.argument("name")
@click.argument("metric", required=False)
@click.option("--label", "labels", metavar="NAME=VALUE", multiple=True, help="Only series with this label.")
@click.option("--percentile", type=click.FloatRange(1, 99.99), help="Of a histogram; default: 95.")
@click.option("--recorded", is_flag=True, help="Of other nights, as they are on record.")
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
    """List the metrics, or plot one over time: a gauge, a counter's rate a minute, a histogram's percentile."""
    from drill_katas.evidence import history
    from drill_katas.evidence.query import plotted
    from drill_katas.report.evidence import metric_list, night_lines, plot

    if metric is None and (labels or percentile):
        raise UserError(f"--label and --percentile need a metric; `kata metrics {name}` lists them")
    asked = {"metric": metric, "labels": ",".join(labels) or None}
    if recorded:
        families, stretch = history.metrics(_history("metrics", name, **asked)), (0.0, 0.0)
    else:
        incident = open_case(name).ask("metrics", experiment, **asked)
        families, stretch = incident.metrics, (incident.summary.began, incident.summary.ended)
    if metric is None:
        show_json(families) if as_json else show(metric_list(families, width()))
        if not recorded and history.has_metrics(find(name)[1]):
            click.echo(f"Other nights are on record: kata metrics {name} --recorded", err=True)
        return
    found = plotted(families, metric, dict(_label(each) for each in labels), percentile)
    if as_json:
        show_json([{"name": each.name, "points": each.points} for each in found])
        return
    for each in found:
        show(night_lines(each, width()) if recorded else plot(each, stretch, width()))
    _expect(found, "no series matches")


@command("graph", "kata graph circular_deadlock")
@click.argument("name")
@click.option("--dot", is_flag=True, help="Write it in Graphviz' language.")
@click.option("--svg", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Draw it as a picture.")
@of_experiment
@as_json
def graph(name: str, svg: Path | None, experiment: str | None, *, dot: bool, as_json: bool) -> None:
    """Show who calls whom, how often, how slowly, and in a cycle."""
    from drill_katas.evidence.graph import edges, to_dot
    from drill_katas.evidence.layout import to_svg
    from drill_katas.files import write_file
    from drill_katas.report.evidence import graph_lines

    asked = open_case(name).ask("graph", experiment)
    found = edges(asked.spans, asked.summary.ended)
    if svg:
        write_file(svg, to_svg(found).encode())
    if dot:
        click.echo(to_dot(found), nl=False)
        return
    show_json(found) if as_json else show(graph_lines(found, width()))


def _follow(name: str, wanted: LogFilter, *, as_json: bool) -> None:
    """Show log lines of a live system until it ends, or Ctrl-C."""
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
    """Return a kata whose history is asked for, and record the query in the journal."""
    case = open_case(name)
    case.record_query(about, recorded=True, **options)
    return case.kata


def _label(text: str) -> tuple[str, str]:
    name, is_, value = text.partition("=")
    if not is_:
        raise UserError(f"--label {text!r} should be NAME=VALUE, such as service=checkout")
    return name, value


def _expect(found: Sequence[Any], otherwise: str) -> None:
    """End with 1 when nothing was found: the answer is no."""
    if not found:
        click.echo(otherwise, err=True)
        raise SystemExit(1)
