"""Subcommands for finding the cause: experiments with the incident, and the diagnosis."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from drill_katas.cli.base import as_json, command, find, show, show_json, warn, width
from drill_katas.cli.incident import replayed
from drill_katas.cli.questions import complete
from drill_katas.errors import UserError

if TYPE_CHECKING:
    from drill_katas.catalog.answer import Effect
    from drill_katas.catalog.katas import Kata
    from drill_katas.cli.questions import Given
    from drill_katas.evidence.records import IncidentRecord
    from drill_katas.investigation.scoring import Hypothesis
    from drill_katas.practice.workspace import Workspace


@command("experiment", "kata experiment red_herring worker_off")
@click.argument("name")
@click.argument("ablation", required=False)
@as_json
def experiment(name: str, ablation: str | None, *, as_json: bool) -> None:
    """Replay the incident with one thing left out or put right; what customers got is compared."""
    from drill_katas.evidence import store
    from drill_katas.evidence.replay import ablations_of
    from drill_katas.investigation.scoring import outcome
    from drill_katas.report.diagnosis import experiment_lines
    from drill_katas.report.evidence import comparison_lines

    workspace, kata = find(name)
    if ablation is None:
        show(experiment_lines(ablations_of(kata), width()))
        return
    baseline = store.read(store.folder_of(workspace, name), name)
    played = replayed(workspace, kata, source=_source(baseline), seed=baseline.summary.seed, ablation=ablation)
    came = outcome(baseline, played)
    if as_json:
        told = {"baseline": baseline.summary, "experiment": played.summary, "alerts": played.alerts, "outcome": came}
        show_json(told)
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
    from drill_katas.catalog.answer import read_answer
    from drill_katas.evidence import store
    from drill_katas.investigation import scoring
    from drill_katas.practice.journal import Diagnosed, now
    from drill_katas.report.diagnosis import STATES, score_lines

    workspace, kata = find(name)
    incident = store.read(store.folder_of(workspace, name), name)
    truths = read_answer(kata.solutions).diagnosis
    if incident.summary.variant not in truths:
        raise UserError(
            f"{name} does not say what is right for its variant {incident.summary.variant}: nothing to score"
        )
    came = _came(workspace, kata, incident)
    if sys.stdin.isatty():
        given = complete(kata, incident, given, came)
    hypothesis = _hypothesis(kata, incident, given)
    if hypothesis.experiment and hypothesis.experiment[0] not in came:
        came |= _try(workspace, kata, incident, hypothesis.experiment[0])
    score = scoring.score(hypothesis, truths, incident, came)
    noted = Diagnosed(
        kata=name,
        variant=incident.summary.variant,
        component=hypothesis.component,
        mechanisms=hypothesis.mechanisms,
        state=score.state,
        score=score.points,
        right=score.right,
        wrong=score.wrong,
    )
    warn(filter(None, [workspace.journal.append(noted)]))
    standing = workspace.progress_of(kata)
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


def _hypothesis(kata: Kata, incident: IncidentRecord, given: Given) -> Hypothesis:
    """Read a hypothesis from options. Raises `UserError` for what is wrong or missing."""
    from drill_katas.cli.questions import Reader
    from drill_katas.investigation.scoring import Hypothesis

    reader = Reader(kata, incident)
    for option in ("component", "mechanism", "onset"):
        if not given[option]:
            raise UserError(f"--{option} is missing, and there is no terminal to ask at")
    marks = dict(reader.mark(each) for each in given["alert"])
    missing = [f"--alert {name}=caused|noise" for name in reader.fired if name not in marks]
    if missing:
        raise UserError(f"{' '.join(missing)} is missing, and there is no terminal to ask at")
    return Hypothesis(
        component=reader.component(given["component"]),
        mechanisms=reader.mechanisms(",".join(given["mechanism"])),
        onset=reader.onset(given["onset"]),
        evidence=reader.evidence(",".join(given["evidence"])),
        alerts=marks,
        experiment=reader.experiment(given["experiment"] or "none"),
    )


def _try(workspace: Workspace, kata: Kata, incident: IncidentRecord, ablation: str) -> dict[str, Effect]:
    """Make an experiment whose outcome is predicted; say what came of it."""
    from drill_katas.investigation.scoring import outcome

    played = replayed(workspace, kata, source=_source(incident), seed=incident.summary.seed, ablation=ablation)
    return {ablation: outcome(incident, played)}


def _came(workspace: Workspace, kata: Kata, incident: IncidentRecord) -> dict[str, Effect]:
    """Return what came of the experiments that were made with this incident."""
    from drill_katas.evidence import store
    from drill_katas.evidence.replay import ablations_of
    from drill_katas.investigation.scoring import outcome

    found = {}
    for ablation in ablations_of(kata):
        made = store.experiment_with(workspace, incident, ablation)
        if made is not None:
            found[ablation] = outcome(incident, made)
    return found


def _source(incident: IncidentRecord) -> str | None:
    from drill_katas.catalog.arms import WORKSPACE

    return None if incident.summary.source == WORKSPACE else incident.summary.source
