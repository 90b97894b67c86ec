"""The text of a diagnosis: choices for its questions, the summary to confirm, and the score."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drill_katas.catalog.answer import EFFECTS
from drill_katas.catalog.mechanisms import GROUPS, MECHANISMS
from drill_katas.evidence.records import clock_time
from drill_katas.investigation.scoring import NO_EXPERIMENT, part_report
from drill_katas.practice.progress import PENALTY
from drill_katas.report.catalog import penalty_of
from drill_katas.report.text import clock, line, plain, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from drill_katas.catalog.answer import Effect
    from drill_katas.evidence.records import Alert
    from drill_katas.investigation.scoring import Score, State
    from drill_katas.practice.progress import KataProgress
    from drill_katas.report.text import Style, TextLine

STYLES: Final[dict[State, Style]] = {"proposed": "note", "supported": "good", "refuted": "bad"}
STATES: Final[dict[str, str]] = {"proposed": "not supported yet", "supported": "supported", "refuted": "refuted"}
"""The states in words; the journal stores the keys."""
NOT_DISTINCT: Final = "the experiment cannot tell your cause from others"
OUTCOMES: Final[dict[Effect, str]] = {
    "gone": "at least 98 of 100 requests are good",
    "better": "more requests are good, by more than 10 of 100",
    "unchanged": "as many requests are good, to 10 of 100",
    "worse": "fewer requests are good, by more than 10 of 100",
}
NAMES: Final = 20  # columns of the longest mechanism


def score_lines(score: Score, standing: KataProgress, width: int, at: datetime) -> Iterator[TextLine]:
    """Return the state, the parts that the learner's queries decide, and the points or the clock."""
    yield from wrapped(f"hypothesis {STATES[score.state]}{_missing_support(score)}", width, "", STYLES[score.state])
    for part in score.parts:
        first, *rest = wrapped(f"{part.name:<10}  {part_report(part, standing.queries)}", width - 14, "")
        yield line("  ", *((piece.text, "") for piece in first))
        yield from (line(" " * 14, *((piece.text, "") for piece in more)) for more in rest)
    if score.right:
        yield line(
            (f"That is the cause: {score.points} of 100 points", "good"), f", after {clock(standing.to_diagnose())}."
        )
        return
    cost = f": {penalty_of(standing.wrong_diagnoses)}" if standing.wrong_at else ""
    yield line(f"The clock shows {clock(standing.clock(at))}{cost}.")
    yield line("Query more evidence, predict another experiment, then diagnose again.")


def _missing_support(score: Score) -> str:
    """Return why the hypothesis is not supported yet, "" in the other states."""
    if score.state != "proposed":
        return ""
    experiment = next(part for part in score.parts if part.name == "experiment")
    return f": {experiment.why if experiment.why == NO_EXPERIMENT else NOT_DISTINCT}"


def mechanism_lines(width: int, *, numbered: bool) -> Iterator[TextLine]:
    """Return the mechanisms by group, each with its meaning; numbers continue across groups."""
    number = 1
    for group, names in GROUPS.items():
        if number > 1:
            yield line()
        yield line((group, "bold"))
        for name in names:
            yield from _listed(f"{number:3}" if numbered else " ", name, MECHANISMS[name], NAMES, width)
            number += 1


def numbered_lines(choices: Mapping[str, str], width: int) -> list[TextLine]:
    """Return a numbered line for each choice, with its meaning."""
    longest = max(map(len, choices), default=0)
    return [
        each
        for number, (name, about) in enumerate(choices.items(), 1)
        for each in _listed(f"{number:3}", name, about, longest, width)
    ]


def experiment_lines(ablations: Mapping[str, str], width: int) -> Iterator[TextLine]:
    """Return a line for each experiment, with its meaning."""
    longest = max(map(len, ablations), default=0)
    for name, about in ablations.items():
        yield from _listed("", name, about, longest, width)


def alert_lines(alerts: Sequence[Alert], width: int) -> Iterator[TextLine]:
    """Return the alerts in the order in which they fired."""
    for alert in sorted(alerts, key=lambda each: each.fired):
        until = clock_time(alert.resolved) if alert.resolved is not None else "the end"
        yield line((f"  {clock_time(alert.fired)} to {until:8}  ", "dim"), (alert.name, "bold"))
        yield from wrapped(alert.summary, width, " " * 24, "dim")


def experiments(ablations: Mapping[str, str], outcomes: Mapping[str, Effect]) -> dict[str, str]:
    """Return the meaning of each experiment, with the outcome of each that has run."""
    results = {name: f" (result: {EFFECTS[outcome]})" for name, outcome in outcomes.items()}
    return {name: f"{about}{results.get(name, '')}" for name, about in ablations.items()}


def hypothesis_lines(
    answers: Mapping[str, str], alerts: Sequence[str], outcomes: Mapping[str, Effect], width: int
) -> list[TextLine]:
    """Return the summary of a diagnosis for its confirmation."""
    runs_now = "" if answers["experiment"] in outcomes else "; the experiment runs now"
    outcome = f": {EFFECTS[answers['outcome']]}{runs_now}" if "outcome" in answers else ""
    rows = [
        ("component", answers["component"]),
        ("mechanism", answers["mechanism"].replace(",", ", ")),
        ("onset", answers["onset"]),
        ("evidence", answers["evidence"].replace(",", ", ")),
        *(("alerts" if name == alerts[0] else "", f"{name}: {answers[name]}") for name in alerts),
        ("experiment", f"{answers['experiment']}{outcome}"),
    ]
    lines = [line(), line(("your diagnosis", "bold"))]
    lines += [each for label, value in rows for each in _listed(" ", label, value, len("experiment"), width)]
    return [*lines, line(f"A wrong diagnosis adds {clock(PENALTY)} to the clock.")]


def _listed(mark: str, name: str, about: str, longest: int, width: int) -> Iterator[TextLine]:
    """Return a name and its meaning in two columns; the meaning wraps in its own column."""
    head = f"{mark}  {name:<{longest}}  "
    first, *rest = wrapped(about, width - len(head), "") or [line()]
    yield line(head, plain(first))
    yield from (line(" " * len(head), plain(more)) for more in rest)
