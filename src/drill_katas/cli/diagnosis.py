"""Subcommands for finding the cause: experiments with the incident, and the diagnosis."""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any, TypeVar, cast, get_args

import click

from drill_katas.cli.base import as_json, command, find, show, show_json, warn, width
from drill_katas.cli.incident import replayed
from drill_katas.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from drill_katas.answer import Mark, Outcome
    from drill_katas.catalog import Kata
    from drill_katas.diagnosis import Hypothesis
    from drill_katas.evidence.records import Incident
    from drill_katas.workspace import Workspace

T = TypeVar("T")


@command("experiment", "kata experiment red_herring worker_off")
@click.argument("name")
@click.argument("ablation", required=False)
@as_json
def experiment(name: str, ablation: str | None, *, as_json: bool) -> None:
    """Replay the incident with one thing left out or put right; what customers got is compared."""
    from drill_katas.diagnosis import outcome
    from drill_katas.evidence import store
    from drill_katas.evidence.replay import ablations_of
    from drill_katas.report.evidence import comparison_lines

    workspace, kata = find(name)
    if ablation is None:
        for each, about in ablations_of(kata).items():
            click.echo(f"{each:16}  {about}")
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
    """Say what the cause of the incident is; what was not given as an option is asked for."""
    from drill_katas import diagnosis as scoring
    from drill_katas.answer import read_answer
    from drill_katas.evidence import store
    from drill_katas.journal import Diagnosed
    from drill_katas.report.diagnosis import score_lines

    workspace, kata = find(name)
    incident = store.read(store.folder_of(workspace, name), name)
    truths = read_answer(kata.solutions).diagnosis
    if incident.summary.variant not in truths:
        raise UserError(
            f"{name} does not say what is right for its variant {incident.summary.variant}: nothing to score"
        )
    hypothesis = _hypothesis(kata, incident, given)
    came = _came(workspace, kata, incident)
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
    from drill_katas.evidence.replay import ablations_of
    from drill_katas.mechanisms import MECHANISMS, NOTHING

    places, outcomes = [NOTHING, *services(incident)], get_args(answer.Outcome)

    def tried(text: str) -> tuple[str, Outcome] | None:
        if text == "none":
            return None
        ablation, came = _pair("experiment", text)
        return one_of(ablation, ablations_of(kata), "experiment"), cast("Outcome", one_of(came, outcomes, "outcome"))

    ask = functools.partial(_answer, given)
    return Hypothesis(
        component=ask("component", "Which component", _one_of(places, "component"), choices=places),
        mechanisms=ask(
            "mechanism",
            "Which mechanism (or several, with commas)",
            _all_of(_one_of(list(MECHANISMS), "mechanism")),
            choices=list(MECHANISMS),
        ),
        onset=ask(
            "onset",
            "When did customers begin to be hurt (HH:MM, or never)",
            lambda text: None if text == "never" else moment(incident, text),
        ),
        evidence=ask(
            "evidence",
            "Which log lines or traces speak of it (ids, with commas)",
            _all_of(lambda text: _known_id(incident, text)),
            default="",
        ),
        alerts=_marks(incident, given["alert"]),
        experiment=ask("experiment", "Which experiment supports it (NAME=OUTCOME, or none)", tried, default="none"),
    )


def _marks(incident: Incident, given: tuple[str, ...]) -> dict[str, Mark]:
    """Read what each alert was; one that is not among the options is asked for. Raises `UserError`."""
    from drill_katas import answer
    from drill_katas.evidence.query import one_of

    fired = sorted({alert.name for alert in incident.alerts})
    marks = _one_of(list(get_args(answer.Mark)), "mark")
    known = {one_of(name, fired, "alert"): marks(mark) for name, mark in (_pair("alert", each) for each in given)}
    missing = [alert for alert in fired if alert not in known]
    if missing and not sys.stdin.isatty():
        named = " ".join(f"--alert {alert}=caused|noise" for alert in missing)
        raise UserError(f"{named} is missing, and there is no terminal to ask at")
    for alert in missing:
        known[alert] = _prompt(f"Was {alert} caused by it, or noise (caused, noise)", marks)
    return cast("dict[str, Mark]", known)


def _answer(
    given: dict[str, Any],
    option: str,
    question: str,
    read: Callable[[str], T],
    choices: Sequence[str] = (),
    default: str | None = None,
) -> T:
    """Read what was given as an option, or else what is typed. Raises `UserError`."""
    if given[option]:
        return read(given[option] if isinstance(given[option], str) else ",".join(given[option]))
    if not sys.stdin.isatty():
        if default is None:
            raise UserError(f"--{option} is missing, and there is no terminal to ask at")
        return read(default)
    for number, each in enumerate(choices, 1):
        click.echo(f"{number:3}  {each}")
    return _prompt(question, read, default)


def _prompt(question: str, read: Callable[[str], T], default: str | None = None) -> T:
    """Ask at the terminal, again and again until the answer can be read."""

    def checked(text: str) -> T:
        try:
            return read(text)
        except UserError as mistake:
            raise click.UsageError(str(mistake)) from None

    answer: T = click.prompt(question, value_proc=checked, default=default, show_default=bool(default))
    return answer


def _one_of(choices: Sequence[str], what: str) -> Callable[[str], str]:
    """Return what reads a choice, by its number or its name."""
    from drill_katas.evidence.query import one_of

    def read(text: str) -> str:
        if text.isdecimal() and 0 < int(text) <= len(choices):
            return choices[int(text) - 1]
        return one_of(text, choices, what)

    return read


def _all_of(read: Callable[[str], T]) -> Callable[[str], tuple[T, ...]]:
    """Return what reads several, with commas or spaces between them."""
    return lambda text: tuple(dict.fromkeys(read(word) for word in text.replace(",", " ").split()))


def _try(workspace: Workspace, kata: Kata, incident: Incident, ablation: str) -> dict[str, Outcome]:
    """Make an experiment whose outcome is predicted; say what came of it."""
    from drill_katas.diagnosis import outcome

    played = replayed(workspace, kata, source=_source(incident), seed=incident.summary.seed, ablation=ablation)
    return {ablation: outcome(incident, played)}


def _came(workspace: Workspace, kata: Kata, incident: Incident) -> dict[str, Outcome]:
    """Return what came of the experiments that were made with this incident."""
    from drill_katas.diagnosis import outcome
    from drill_katas.evidence import store
    from drill_katas.evidence.replay import ablations_of

    found = {}
    for ablation in ablations_of(kata):
        folder = store.folder_of(workspace, kata.name, ablation)
        if folder.is_dir():
            made = store.read(folder, kata.name)
            if (made.summary.seed, made.summary.variant) == (incident.summary.seed, incident.summary.variant):
                found[ablation] = outcome(incident, made)
    return found


def _known_id(incident: Incident, text: str) -> str:
    from drill_katas.evidence.query import trace_id

    if text.startswith("log-"):
        if text not in {line.id for line in incident.logs}:
            raise UserError(f"there is no log line {text} in this incident; `kata logs` shows their ids")
        return text
    return trace_id(incident, text)


def _pair(option: str, text: str) -> tuple[str, str]:
    name, is_, value = text.partition("=")
    if not is_:
        raise UserError(f"--{option} {text!r} should be NAME=VALUE")
    return name, value


def _source(incident: Incident) -> str | None:
    from drill_katas.arms import WORKSPACE

    return None if incident.summary.source == WORKSPACE else incident.summary.source
