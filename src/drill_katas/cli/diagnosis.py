"""Subcommands for finding the cause: experiments with the incident, and the diagnosis."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, cast, get_args

import click

from drill_katas.cli.base import command, find, show, show_json, warn, width
from drill_katas.cli.evidence import as_json, replayed
from drill_katas.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drill_katas.answer import Mark, Outcome
    from drill_katas.catalog import Kata
    from drill_katas.diagnosis import Hypothesis
    from drill_katas.evidence.records import Incident
    from drill_katas.workspace import Workspace


@command("experiment", "kata experiment red_herring worker_off")
@click.argument("name")
@click.argument("ablation", required=False)
@as_json
def experiment(name: str, ablation: str | None, *, as_json: bool) -> None:
    """Replay the incident with one thing left out or put right; what customers got is compared."""
    from drill_katas.arms import WORKSPACE
    from drill_katas.diagnosis import outcome
    from drill_katas.evidence import store
    from drill_katas.report.evidence import comparison_lines

    workspace, kata = find(name)
    if ablation is None:
        for each, about in _ablations(kata).items():
            click.echo(f"{each:16}  {about}")
        return
    baseline = store.read(store.folder_of(workspace, name), name)
    source = None if baseline.summary.source == WORKSPACE else baseline.summary.source
    played = replayed(workspace, kata, source=source, seed=baseline.summary.seed, ablation=ablation)
    came = outcome(baseline, played)
    if as_json:
        told = {"baseline": baseline.summary, "experiment": played.summary, "alerts": played.alerts, "outcome": came}
        show_json(told)
        return
    show(comparison_lines(baseline, played, came, width()))


@command("diagnose", "kata diagnose red_herring")
@click.argument("name")
@click.option("--component", help="The service in which the cause is, or 'nothing'.")
@click.option("--mechanism", "mechanisms", multiple=True, help="What the cause is; once for each part of it.")
@click.option("--onset", metavar="TIME", help="When customers began to be hurt, such as 02:57, or 'never'.")
@click.option("--evidence", "cited", metavar="ID", multiple=True, help="A log line or trace that speaks of it.")
@click.option("--alert", "alerts", metavar="NAME=caused|noise", multiple=True, help="What an alert was.")
@click.option("--experiment", metavar="NAME=OUTCOME", help="An experiment, and what comes of it if you are right.")
@as_json
def diagnose(name: str, *, as_json: bool, **given: Any) -> None:
    """Say what the cause of the incident is; what was not given as an option is asked for."""
    from drill_katas import diagnosis as scoring
    from drill_katas.answer import read_answer
    from drill_katas.evidence import store
    from drill_katas.journal import Diagnosed
    from drill_katas.report.diagnosis import score_lines

    workspace, kata = find(name)
    incident = store.read(store.folder_of(workspace, name), name)
    truth = read_answer(kata.solutions).diagnosis.get(incident.summary.variant)
    if truth is None:
        raise UserError(
            f"{name} does not say what is right for its variant {incident.summary.variant}: nothing to score"
        )
    hypothesis = _hypothesis(kata, incident, given)
    score = scoring.score(hypothesis, truth, incident, _came(workspace, kata, incident))
    noted = Diagnosed(
        kata=name,
        variant=incident.summary.variant,
        component=hypothesis.component,
        mechanisms=hypothesis.mechanisms,
        state=score.state,
        score=score.points,
        right=score.right,
    )
    warn(filter(None, [workspace.journal.append(noted)]))
    standing = workspace.progress_of(kata)
    if as_json:
        show_json({"state": score.state, "right": score.right, "score": score.points, "asked": sorted(standing.asked)})
        return
    show(score_lines(score, standing, width()))
    if not score.right:
        raise SystemExit(1)


@command("mechanisms", "kata mechanisms")
def mechanisms() -> None:
    """List what a root cause can be; one list for all katas."""
    from drill_katas.mechanisms import MECHANISMS

    for each, about in MECHANISMS.items():
        click.echo(f"{each:20}  {about}")


def _hypothesis(kata: Kata, incident: Incident, given: dict[str, Any]) -> Hypothesis:
    """Read a hypothesis from options; what is missing is asked for at a terminal. Raises `UserError`."""
    from drill_katas import answer
    from drill_katas.diagnosis import Hypothesis
    from drill_katas.evidence.query import moment, one_of, services
    from drill_katas.mechanisms import MECHANISMS, NOTHING

    places = [NOTHING, *services(incident)]
    component = given["component"] or _choose("component", places, "Which component")[0]
    named = given["mechanisms"] or _choose("mechanism", list(MECHANISMS), "Which mechanism (or several, with commas)")
    onset = given["onset"] or _ask("onset", "When did customers begin to be hurt (HH:MM, or never)")
    cited = given["cited"] or tuple(_ask("evidence", "Which log lines or traces speak of it (ids)", "").split())
    marks = dict(_pair("alert", each) for each in given["alerts"])
    for alert in sorted({alert.name for alert in incident.alerts} - marks.keys()):
        marks[alert] = _ask("alert", f"Was {alert} caused by it, or noise (caused, noise)")
    tried = given["experiment"] or _ask("experiment", "Which experiment supports it (NAME=OUTCOME, or none)", "none")
    return Hypothesis(
        component=one_of(component, places, "component"),
        mechanisms=tuple(one_of(each, MECHANISMS, "mechanism") for each in dict.fromkeys(named)),
        onset=None if onset == "never" else moment(incident, onset),
        evidence=tuple(_known_id(incident, each) for each in cited),
        alerts=_marks(incident, marks),
        experiment=None if tried == "none" else _experiment(kata, tried, get_args(answer.Outcome)),
    )


def _marks(incident: Incident, marks: dict[str, str]) -> dict[str, Mark]:
    from drill_katas import answer
    from drill_katas.evidence.query import one_of

    fired = {alert.name for alert in incident.alerts}
    known = {one_of(name, fired, "alert"): one_of(mark, get_args(answer.Mark), "mark") for name, mark in marks.items()}
    return cast("dict[str, Mark]", known)


def _experiment(kata: Kata, text: str, outcomes: Iterable[str]) -> tuple[str, Any]:
    from drill_katas.evidence.query import one_of

    name, came = _pair("experiment", text)
    return one_of(name, _ablations(kata), "experiment"), one_of(came, outcomes, "outcome")


def _came(workspace: Workspace, kata: Kata, incident: Incident) -> dict[str, Outcome]:
    """Return what came of the experiments that were made with this incident."""
    from drill_katas.diagnosis import outcome
    from drill_katas.evidence import store

    found = {}
    for ablation in _ablations(kata):
        folder = store.folder_of(workspace, kata.name, ablation)
        if folder.is_dir():
            made = store.read(folder, kata.name)
            if (made.summary.seed, made.summary.variant) == (incident.summary.seed, incident.summary.variant):
                found[ablation] = outcome(incident, made)
    return found


def _ablations(kata: Kata) -> dict[str, str]:
    from drill_katas.evidence.replay import story_of

    with story_of(kata) as story:
        return dict(story.INCIDENT.ablations)


def _known_id(incident: Incident, text: str) -> str:
    from drill_katas.evidence.query import trace_id

    if text.startswith("log-"):
        if text not in {line.id for line in incident.logs}:
            raise UserError(f"there is no log line {text} in this incident; `kata logs --json` shows their ids")
        return text
    return trace_id(incident, text)


def _pair(option: str, text: str) -> tuple[str, str]:
    name, is_, value = text.partition("=")
    if not is_:
        raise UserError(f"--{option} {text!r} should be NAME=VALUE")
    return name, value


def _choose(option: str, choices: list[str], question: str) -> list[str]:
    """Have one of a list chosen, or several with commas, by their numbers or their names."""
    _expect_terminal(option)
    for number, each in enumerate(choices, 1):
        click.echo(f"{number:3}  {each}")
    answer: str = click.prompt(question, type=str)
    words = [word.strip() for word in answer.split(",")]
    return [choices[int(word) - 1] if word.isdecimal() and 0 < int(word) <= len(choices) else word for word in words]


def _ask(option: str, question: str, default: str | None = None) -> str:
    if default is not None and not sys.stdin.isatty():
        return default
    _expect_terminal(option)
    answer: str = click.prompt(question, type=str, default=default, show_default=bool(default))
    return answer


def _expect_terminal(option: str) -> None:
    if not sys.stdin.isatty():
        raise UserError(f"--{option} is missing, and there is no terminal to ask at")
