"""Subcommands for the evidence of an incident: replaying it, and asking its logs, traces, metrics and alerts."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from drill_katas.cli.base import command, find, progress_bar, short, show, show_json, warn, width
from drill_katas.errors import UserError

if TYPE_CHECKING:
    from drill_katas.catalog import Kata
    from drill_katas.evidence.query import LogFilter
    from drill_katas.evidence.records import Incident
    from drill_katas.workspace import Workspace

as_json = click.option("--json", "as_json", is_flag=True, help="Write JSON, for other programs.")
of_experiment = click.option("--experiment", metavar="NAME", help="Ask the replay of an experiment.")


@command("incident", "kata incident red_herring")
@click.argument("name")
@click.option("--from", "source", metavar="DIR", help="Replay the files in DIR, or 'solutions', in place of your own.")
@click.option("--seed", default=0, show_default=True, help="Another night: other names, amounts and moments.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write it as a web page.")
@click.option("--compare", metavar="DIR", help="Have it beside the replay of the files in DIR, or 'solutions'.")
@as_json
def incident(
    name: str, source: str | None, html: Path | None, compare: str | None, *, seed: int, as_json: bool
) -> None:
    """Replay a kata's incident with your present code; its logs, traces, metrics and alerts are kept."""
    from drill_katas.evidence import store
    from drill_katas.report.evidence import summary_lines

    workspace, kata = find(name)
    if compare is not None and html is None:
        raise UserError("--compare puts two replays side by side on a page; give it a file, too: --html FILE")
    played = replayed(workspace, kata, source=source, seed=seed, ablation=None)
    if html is not None:
        _write_page(kata, played, compare, html)
    if as_json:
        show_json({"summary": played.summary, "alerts": played.alerts})
        return
    show(summary_lines(played, width()))
    click.echo(f"\nAll of it is in {short(store.folder_of(workspace, name), workspace)}.")
    click.echo(f"Ask it: kata alerts|logs|traces|metrics|graph {name}")
    click.echo(f"Try it: kata experiment {name}")


@command("alerts", "kata alerts red_herring")
@click.argument("name")
@of_experiment
@as_json
def alerts(name: str, experiment: str | None, *, as_json: bool) -> None:
    """Show which alerts fired, when, and by which rule."""
    from drill_katas.report.evidence import alert_lines

    asked = _asked("alerts", name, experiment)
    show_json(asked.alerts) if as_json else show(alert_lines(asked.alerts, width()))


@command("logs", "kata logs red_herring --level error --since 02:55")
@click.argument("name")
@click.option(
    "--level", type=click.Choice(["debug", "info", "warning", "error", "critical"]), help="This one and worse."
)
@click.option("--service", help="Of one service.")
@click.option("--trace", metavar="ID", help="On one trace; the beginning of its id will do.")
@click.option("--since", metavar="TIME", help="From a time of day on, such as 02:55.")
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
        found = list(wanted_of(history.deploys(_on_record("logs", name, **wanted)), LogFilter(**wanted)))
    else:
        found = find_logs(_asked("logs", name, experiment, **wanted), LogFilter(**wanted))
    show_json(found) if as_json else show(log_lines(found, width(), dated=recorded))
    _expect(found, "no log line is like that")


@command("traces", "kata traces red_herring --failed")
@click.argument("name")
@click.argument("trace", required=False)
@click.option("--slowest", default=10, show_default=True, type=click.IntRange(1), help="So many, the slowest first.")
@click.option("--failed", is_flag=True, help="Those in which something failed, in order of time.")
@click.option("--service", help="Those that begin at one service.")
@of_experiment
@as_json
def traces(
    name: str,
    trace: str | None,
    slowest: int,
    service: str | None,
    experiment: str | None,
    *,
    failed: bool,
    as_json: bool,
) -> None:
    """Show the slowest traces, or the failed ones; one, by its id, as a tree with times and log lines."""
    from drill_katas.evidence import query
    from drill_katas.report.evidence import trace_list, trace_tree

    asked = _asked("traces", name, experiment, trace=trace, failed=failed or None, service=service)
    if trace is not None:
        one = query.one_trace(asked, trace)
        told = [line for line in asked.logs if line.trace_id == one.trace_id]
        show_json(one) if as_json else show(trace_tree(one, told, asked.summary.ended, width()))
        return
    found = query.traces(asked, service)
    found = [each for each in found if each.failed] if failed else query.slowest(found)[:slowest]
    show_json(found) if as_json else show(trace_list(found, width()))
    _expect(found, "no trace is like that")


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

    asked = {"metric": metric, "labels": ",".join(labels) or None}
    if recorded:
        families = history.metrics(_on_record("metrics", name, **asked))
    else:
        families = _asked("metrics", name, experiment, **asked).metrics
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
        show(night_lines(each, width()) if recorded else plot(each, width()))
    _expect(found, "no series is like that")


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
    from drill_katas.report.evidence import graph_lines

    asked = _asked("graph", name, experiment)
    found = edges(asked.spans, asked.summary.ended)
    if svg:
        svg.write_text(to_svg(found), encoding="utf-8")
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

    workspace, kata = find(name)
    _note(workspace, kata, "logs", None, follow=True, **asdict(wanted))
    with contextlib.suppress(KeyboardInterrupt):
        for line in wanted_of(follow(folder_of(workspace, kata.name)), wanted):
            if as_json:
                click.echo(json.dumps(line_to_json(line)))
            else:
                show(log_lines([line], width()))


def _write_page(kata: Kata, played: Incident, compare: str | None, file: Path) -> None:
    from drill_katas.arms import arm_from
    from drill_katas.evidence import html
    from drill_katas.evidence.replay import Replay, replay

    incidents = [("your code" if played.summary.source == "workspace" else played.summary.source, played)]
    if compare is not None:
        what = Replay(kata, arm_from(kata, compare), played.summary.variant, played.summary.seed)
        incidents.append((compare, replay(what, progress_bar(f"{kata.name}, {compare}"))))
    html.write(file, html.to_html(kata, incidents))
    click.echo(f"{file}: open it in a browser", err=True)


def replayed(workspace: Workspace, kata: Kata, *, source: str | None, seed: int, ablation: str | None) -> Incident:
    """Replay an incident, keep it, and note it in the journal."""
    from drill_katas.arms import arm_from, workspace_arm
    from drill_katas.evidence import store
    from drill_katas.evidence.replay import Replay, replay, story_of
    from drill_katas.journal import Replayed

    arm = workspace_arm(kata) if source is None else arm_from(kata, source)
    what = Replay(kata, arm, workspace.progress_of(kata).variant, seed, ablation)
    played = replay(what, progress_bar(kata.name))
    with story_of(kata) as story:
        store.write(store.folder_of(workspace, kata.name, ablation), played, story.INCIDENT.rules)
    share = played.summary.after.share
    noted = Replayed(kata=kata.name, variant=what.variant, seed=seed, ablation=ablation, good=round(share, 4))
    warn(filter(None, [workspace.journal.append(noted)]))
    return played


def _asked(about: str, name: str, experiment: str | None, **options: Any) -> Incident:
    """Read an incident, and note in the journal what it was asked."""
    from drill_katas.evidence import store

    workspace, kata = find(name)
    found = store.read(store.folder_of(workspace, kata.name, experiment), kata.name)
    _note(workspace, kata, about, experiment, **options)
    return found


def _on_record(about: str, name: str, **options: Any) -> Kata:
    """Return a kata whose history is asked for, and note that in the journal."""
    workspace, kata = find(name)
    _note(workspace, kata, about, None, recorded=True, **options)
    return kata


def _note(workspace: Workspace, kata: Kata, about: str, experiment: str | None, **options: Any) -> None:
    from drill_katas.journal import Queried

    given = {option: str(value) for option, value in options.items() if value is not None}
    workspace.journal.append(Queried(kata=kata.name, about=about, options=given, ablation=experiment))


def _label(text: str) -> tuple[str, str]:
    name, is_, value = text.partition("=")
    if not is_:
        raise UserError(f"--label {text!r} should be NAME=VALUE, such as service=checkout")
    return name, value


def _expect(found: list[Any], otherwise: str) -> None:
    """End with 1 when nothing was found: the answer is no."""
    if not found:
        click.echo(otherwise, err=True)
        raise SystemExit(1)
