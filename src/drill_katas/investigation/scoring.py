"""Diagnoses: the cause that a learner names for an incident, and its score.

The score is a product, 100 at most; `answer.toml` has the right answer, and the same diagnosis always scores the same.

| factor | from 0 to 1 |
| --- | --- |
| answer | component, mechanism, onset and alerts, by their `POINTS`, beyond the best constant answer (`baseline.py`) |
| grounds | the mean of the share of the cited evidence that shows the cause, and 1 for an experiment that supports it |
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from msgspec.structs import replace

from drill_katas.investigation.baseline import ON_TIME, Named, beyond, constant_points, points

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from drill_katas.catalog.answer import AlertLabel, Effect, ExpectedDiagnosis
    from drill_katas.evidence.records import IncidentRecord

AS_BEFORE: Final = 0.1  # difference of the share of good requests that is none
ALL: Final = 0.98  # of the requests, and the harm is gone
DECIDED_BY: Final[dict[str, tuple[frozenset[str], ...]]] = {
    "component": (frozenset({"traces"}), frozenset({"graph"})),
    "mechanism": tuple(frozenset({"experiment", each}) for each in ("traces", "logs", "metrics")),
    "onset": (frozenset({"metrics"}), frozenset({"logs"})),
    "alerts": (frozenset({"experiment"}),),
}
"""Which questions must have been asked before a part is told to be right or wrong; any of the sets will do."""
GROUNDS: Final = ("evidence", "experiment")
ABOUT: Final = {
    "component": "where the cause is",
    "mechanism": "which mechanism it has",
    "onset": "when customers began to be hurt, to two minutes",
    "alerts": "which alerts the cause made fire",
}
DAY: Final = 86_400  # seconds
State = Literal["proposed", "supported", "refuted"]


@dataclass(frozen=True, kw_only=True)
class Hypothesis:
    """What somebody takes for the cause.

    `onset` is when customers began to be hurt, in seconds since 1970, None for never; `evidence` the ids of log lines
    and traces; `alerts` says what each alert was. `experiment` names an ablation, with the outcome that is predicted.
    """

    component: str
    mechanisms: tuple[str, ...]
    onset: float | None
    alerts: Mapping[str, AlertLabel]
    evidence: tuple[str, ...] = ()
    experiment: tuple[str, Effect] | None = None


@dataclass(frozen=True)
class Part:
    """One part of a score: how right it is, from 0 to 1, and why."""

    name: str
    share: float
    why: str

    @property
    def right(self) -> bool:
        """Whether nothing is missing."""
        return self.share == 1


@dataclass(frozen=True)
class Score:
    """How good a hypothesis is, and whether an experiment has supported or refuted it.

    It supports what has component and mechanism right, at least in part, if with other causes it would come out
    otherwise. `constant` are the points of the best constant answer, of 100.
    """

    parts: tuple[Part, ...]
    state: State
    constant: float

    @property
    def points(self) -> int:
        """The score, from 0 to 100."""
        shares = {part.name: part.share for part in self.parts}
        grounds = (shares.pop("evidence") + shares.pop("experiment")) / 2
        return int(100 * beyond(points(shares), self.constant) * grounds)

    @property
    def cause(self) -> bool:
        """Whether it names the component and all mechanisms."""
        return all(part.right for part in self.parts if part.name in {"component", "mechanism"})

    @property
    def right(self) -> bool:
        """Whether it names the cause, and an experiment supports it."""
        return self.state == "supported" and self.cause

    @property
    def wrong(self) -> bool:
        """Whether it costs time: it does not name the cause, or an experiment refutes it."""
        return self.state == "refuted" or not self.cause


def score(
    hypothesis: Hypothesis,
    truths: Mapping[str, ExpectedDiagnosis],
    incident: IncidentRecord,
    came: Mapping[str, Effect],
) -> Score:
    """Score a hypothesis; `truths` has each variant's right answer, `came` the outcomes of the experiments made."""
    truth = truths[incident.summary.variant]
    fired = {alert.name for alert in incident.alerts}
    of_fired = replace(truth, alerts={name: mark for name, mark in truth.alerts.items() if name in fired})
    moment = None if hypothesis.onset is None else hypothesis.onset % DAY
    named = Named(hypothesis.component, frozenset(hypothesis.mechanisms), moment, hypothesis.alerts)
    shares = named.shares(of_fired)
    if _near(hypothesis.onset, incident.summary.onset):
        shares["onset"] = 1.0
    state, experiment, why = _experiment(hypothesis, truth, came)
    speaking = sum(speaks(incident, each, truth.evidence) for each in hypothesis.evidence)
    evidence = speaking / max(1, len(hypothesis.evidence))
    return Score(
        parts=(
            *(Part(name, shares[name], about) for name, about in ABOUT.items() if name in shares),
            Part("evidence", evidence, _of_evidence(speaking, len(hypothesis.evidence))),
            Part("experiment", experiment, why),
        ),
        state=state,
        constant=constant_points(truths.values()),
    )


def told(part: Part, asked: frozenset[str]) -> str:
    """Say what is told of a part of a score, given what of the evidence was asked: guessing is not to pay.

    `asked` names the questions that were put (logs, traces, metrics, graph, alerts) and "experiment" if one was made.
    """
    needed = DECIDED_BY.get(part.name, ())
    if any(each <= asked for each in needed) or not needed:
        how = "right" if part.right else "partly right" if part.share else "not right"
        return f"{how}: {part.why}" if part.name in GROUNDS else how
    missing = min((each - asked for each in needed), key=lambda each: (len(each), "experiment" not in each))
    questions = " and ".join(sorted(missing - {"experiment"}))
    ways = ["make an experiment"] * ("experiment" in missing) + [f"ask {questions}"] * bool(questions)
    return f"not told: what you have asked so far does not decide it; {' and '.join(ways)}"


def outcome(baseline: IncidentRecord, experiment: IncidentRecord) -> Effect:
    """Return what became of the harm in an experiment."""
    before, after = baseline.summary.after.share, experiment.summary.after.share
    if after >= ALL > before:
        return "gone"
    if abs(after - before) <= AS_BEFORE:
        return "unchanged"
    return "better" if after > before else "worse"


def speaks(incident: IncidentRecord, of: str, pattern: str) -> bool:
    """Return whether a log line or a trace, by its id, has something that matches."""
    return any(re.search(pattern, text) for text in texts(incident, of))


def texts(incident: IncidentRecord, of: str) -> Iterable[str]:
    """Return what a log line, or a trace with its log lines, says; nothing for an id that is not there."""
    for line in incident.logs:
        if of in {line.id, line.trace_id}:
            fields = " ".join(f"{name}={value}" for name, value in line.fields.items())
            yield f"{line.service}: {line.event} {fields}"
    for span in incident.spans:
        if span.trace_id == of:
            ended = span.seconds is not None and span.attributes.get("status") != "none"
            took = f"{span.seconds:.3g} s" if ended else "no end"
            answer = span.attributes.get("answer", "")
            yield f"{span.attributes.get('caller')} -> {span.service}: {span.name} ({took}) {answer}"


def _experiment(
    hypothesis: Hypothesis, truth: ExpectedDiagnosis, came: Mapping[str, Effect]
) -> tuple[State, float, str]:
    """Return the state of a hypothesis, the share of the experiment's points, and why."""
    if hypothesis.experiment is None:
        return "proposed", 0.0, "no experiment is named"
    ablation, predicted = hypothesis.experiment
    if ablation not in came:
        return "proposed", 0.0, f"{ablation} was not tried"
    if came[ablation] != predicted:
        return "refuted", 0.0, f"with {ablation} the harm is {came[ablation]}, and {predicted} was predicted"
    came_true = f"with {ablation} the harm is {predicted}, as predicted"
    if ablation not in truth.supports:
        return "proposed", 0.0, f"{came_true}; with other causes it is, too"
    if hypothesis.component in truth.components and set(hypothesis.mechanisms) & set(truth.mechanisms):
        return "supported", 1.0, came_true
    return "proposed", 0.0, f"{came_true}; it supports another cause than yours"


def _of_evidence(speaking: int, cited: int) -> str:
    if not cited:
        return "no log line or trace is cited"
    return f"{speaking} of {cited} cited log lines and traces {'shows' if speaking == 1 else 'show'} the cause"


def _near(one: float | None, other: float | None) -> bool:
    return one is not None and other is not None and abs(one - other) <= ON_TIME
