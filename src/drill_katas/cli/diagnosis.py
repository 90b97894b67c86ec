"""Subcommands that find the cause: experiments with the incident, and the diagnosis."""

from __future__ import annotations

import sys
from typing import Any

import click

from drill_katas.cli.base import as_json, command, open_case, show, show_json, warn, width
from drill_katas.cli.questions import complete


@command("experiment", "kata experiment red_herring worker_off")
@click.argument("name")
@click.argument("ablation", required=False)
@as_json
def experiment(name: str, ablation: str | None, *, as_json: bool) -> None:
    """Replay the incident with one thing removed or repaired; compare the service level of the customers."""
    from drill_katas.evidence.replay import ablations_of
    from drill_katas.investigation.scoring import outcome
    from drill_katas.report.diagnosis import experiment_lines
    from drill_katas.report.evidence import comparison_lines

    case = open_case(name)
    if ablation is None:
        show(experiment_lines(ablations_of(case.kata), width()))
        return
    baseline, played = case.experiment(ablation)
    warn(case.notices)
    effect = outcome(baseline, played)
    if as_json:
        show_json(
            {"baseline": baseline.summary, "experiment": played.summary, "alerts": played.alerts, "outcome": effect}
        )
        return
    show(comparison_lines(baseline, played, effect, width()))


@command("diagnose", "kata diagnose red_herring --experiment worker_off=gone")
@click.argument("name")
@click.option("--component", metavar="NAME", help="Service that has the fault, or 'nothing'.")
@click.option("--mechanism", metavar="NAME", multiple=True, help="Name from `kata mechanisms`; repeatable.")
@click.option(
    "--onset",
    metavar="TIME",
    help="Time when customers were first hurt, to two minutes, such as 02:57; or 'never'.",
)
@click.option("--evidence", metavar="ID", multiple=True, help="Log line or trace that shows the cause; repeatable.")
@click.option(
    "--alert",
    metavar="NAME=caused|noise",
    multiple=True,
    help="Alert and its label: caused by the fault, or noise; once for each alert that fired.",
)
@click.option(
    "--experiment",
    metavar="NAME=OUTCOME",
    help="Experiment and its outcome if you are right: the harm is gone, better, unchanged, or worse. An experiment "
    "that did not run yet runs now.",
)
@as_json
def diagnose(name: str, *, as_json: bool, **options: Any) -> None:
    """Name the cause of the incident; at a terminal, the command asks for each missing option."""
    from drill_katas.investigation.hypothesis import Reader, read_hypothesis
    from drill_katas.investigation.verdict import diagnosed, expected_of
    from drill_katas.practice.journal import now
    from drill_katas.report.diagnosis import STATES, score_lines

    case = open_case(name)
    incident = case.incident()
    expected = expected_of(case, incident)
    outcomes = case.outcomes()
    reader = Reader(case.kata, incident)
    if sys.stdin.isatty():
        options = complete(reader, incident, options, outcomes)
    score = diagnosed(case, incident, read_hypothesis(reader, options), expected, outcomes)
    warn(case.notices)
    standing = case.workspace.standing_of(case.kata).of(incident.summary.variant)
    if as_json:
        queries = sorted(standing.queries)
        show_json({"state": STATES[score.state], "right": score.right, "score": score.points, "asked": queries})
        return
    show(score_lines(score, standing, width(), now()))
    if not score.right:
        raise SystemExit(1)


@command("mechanisms", "kata mechanisms")
def mechanisms() -> None:
    """List the mechanisms that a diagnosis can name, by group; the list is the same for all katas."""
    from drill_katas.report.diagnosis import mechanism_lines

    show(mechanism_lines(width(), numbered=False))
