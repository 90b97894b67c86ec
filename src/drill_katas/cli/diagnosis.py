"""Subcommands for finding the cause: experiments with the incident, and the diagnosis."""

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
    """Replay the incident with one thing left out or put right; what customers got is compared."""
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
    came = outcome(baseline, played)
    if as_json:
        show_json(
            {"baseline": baseline.summary, "experiment": played.summary, "alerts": played.alerts, "outcome": came}
        )
        return
    show(comparison_lines(baseline, played, came, width()))


@command("diagnose", "kata diagnose red_herring --experiment worker_off=gone")
@click.argument("name")
@click.option("--component", help="The service in which the cause is, or 'nothing'.")
@click.option(
    "--mechanism", metavar="NAME", multiple=True, help="What the cause is (`kata mechanisms`); may be repeated."
)
@click.option(
    "--onset", metavar="TIME", help="When customers began to be hurt, to two minutes, such as 02:57, or 'never'."
)
@click.option("--evidence", metavar="ID", multiple=True, help="A log line or trace that speaks of it; may be repeated.")
@click.option(
    "--alert", metavar="NAME=caused|noise", multiple=True, help="What an alert was; once for each that fired."
)
@click.option(
    "--experiment",
    metavar="NAME=OUTCOME",
    help="An experiment, and what becomes of the harm in it if you are right: gone, better, unchanged or worse. "
    "If it was not made yet, it is.",
)
@as_json
def diagnose(name: str, *, as_json: bool, **given: Any) -> None:
    """Name the cause of the incident; at a terminal, questions ask for what the options leave out."""
    from drill_katas.investigation.hypothesis import Reader, read_hypothesis
    from drill_katas.investigation.verdict import diagnosed, expected_of
    from drill_katas.practice.journal import now
    from drill_katas.report.diagnosis import STATES, score_lines

    case = open_case(name)
    incident = case.incident()
    expected = expected_of(case, incident)
    came = case.outcomes()
    reader = Reader(case.kata, incident)
    if sys.stdin.isatty():
        given = complete(reader, incident, given, came)
    score = diagnosed(case, incident, read_hypothesis(reader, given), expected, came)
    warn(case.notices)
    standing = case.workspace.progress_of(case.kata)
    if as_json:
        show_json(
            {"state": STATES[score.state], "right": score.right, "score": score.points, "asked": sorted(standing.asked)}
        )
        return
    show(score_lines(score, standing, width(), now()))
    if not score.right:
        raise SystemExit(1)


@command("mechanisms", "kata mechanisms")
def mechanisms() -> None:
    """List what a root cause can be, by group; one list for all katas."""
    from drill_katas.report.diagnosis import mechanism_lines

    show(mechanism_lines(width(), numbered=False))
