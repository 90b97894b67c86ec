"""Diagnoses: what somebody takes for the cause of an incident, and how that is scored.

The score is the sum of six parts, 100 in all; what is right stands in `answer.toml`, and scoring knows no chance.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from drill_katas.answer import Mark, Outcome, Truth
    from drill_katas.evidence.records import Incident

POINTS: Final = {"component": 20, "mechanism": 30, "onset": 10, "evidence": 10, "alerts": 20, "experiment": 10}
ON_TIME: Final = 120.0  # seconds that an onset may be off
AS_BEFORE: Final = 0.1  # difference of the share of good requests that is none
ALL: Final = 0.98  # of the requests, and the harm is gone
DECIDED_BY: Final[dict[str, tuple[frozenset[str], ...]]] = {
    "component": (frozenset({"traces"}), frozenset({"graph"})),
    "mechanism": tuple(frozenset({"experiment", each}) for each in ("traces", "logs", "metrics")),
    "onset": (frozenset({"metrics"}), frozenset({"logs"})),
    "alerts": (frozenset({"experiment"}),),
}
"""Which questions must have been asked before a part is told to be right or wrong; any of the sets will do."""
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
    alerts: Mapping[str, Mark]
    evidence: tuple[str, ...] = ()
    experiment: tuple[str, Outcome] | None = None


@dataclass(frozen=True)
class Part:
    """One part of a score: its points, of how many, why, and whether it is all right."""

    name: str
    points: int
    of: int
    why: str

    @property
    def right(self) -> bool:
        """Whether nothing is missing."""
        return self.points == self.of


@dataclass(frozen=True)
class Score:
    """How good a hypothesis is, and whether an experiment has supported or refuted it.

    It supports what has component and mechanism right, at least in part, if with other causes it would come out
    otherwise.
    """

    parts: tuple[Part, ...]
    state: State

    @property
    def points(self) -> int:
        """The sum, of 100."""
        return sum(part.points for part in self.parts)

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


def score(hypothesis: Hypothesis, truth: Truth, incident: Incident, came: Mapping[str, Outcome]) -> Score:
    """Score a hypothesis; `came` says what came of the experiments that were made."""
    named = {name: hypothesis.alerts.get(name) for name in {alert.name for alert in incident.alerts}}
    as_they_are = sum(of is not None and of == truth.alerts.get(name) for name, of in named.items())
    onset = incident.summary.onset
    on_time = hypothesis.onset == onset if None in {hypothesis.onset, onset} else _near(hypothesis.onset, onset)
    mechanisms, right = set(hypothesis.mechanisms), set(truth.mechanisms)
    state, experiment, why = _experiment(hypothesis, truth, came)
    speaking = sum(speaks(incident, each, truth.evidence) for each in hypothesis.evidence)
    return Score(
        parts=(
            _part("component", hypothesis.component in truth.components, "where the cause is"),
            _part("mechanism", len(mechanisms & right) / len(mechanisms | right), "what the cause is"),
            _part("onset", on_time, "when customers began to be hurt, to two minutes"),
            _part(
                "evidence", speaking / max(1, len(hypothesis.evidence)), "log lines or traces that speak of the cause"
            ),
            _part("alerts", as_they_are / len(named) if named else 1.0, "what each alert was"),
            _part("experiment", experiment, why),
        ),
        state=state,
    )


def told(part: Part, asked: frozenset[str]) -> str:
    """Say what is told of a part of a score, given what of the evidence was asked: guessing is not to pay.

    `asked` names the questions that were put (logs, traces, metrics, graph, alerts) and "experiment" if one was made.
    """
    needed = DECIDED_BY.get(part.name, ())
    if any(each <= asked for each in needed) or not needed:
        how = "right" if part.right else "partly right" if part.points else "not right"
        return f"{how}: {part.why}" if part.name == "experiment" else how
    missing = min((each - asked for each in needed), key=lambda each: (len(each), "experiment" not in each))
    questions = " and ".join(sorted(missing - {"experiment"}))
    ways = ["make an experiment"] * ("experiment" in missing) + [f"ask {questions}"] * bool(questions)
    return f"not told: what you have asked so far does not decide it; {' and '.join(ways)}"


def outcome(baseline: Incident, experiment: Incident) -> Outcome:
    """Return what became of the harm in an experiment."""
    before, after = baseline.summary.after.share, experiment.summary.after.share
    if after >= ALL > before:
        return "gone"
    if abs(after - before) <= AS_BEFORE:
        return "unchanged"
    return "better" if after > before else "worse"


def speaks(incident: Incident, of: str, pattern: str) -> bool:
    """Return whether a log line or a trace, by its id, has something that matches."""
    return any(re.search(pattern, text) for text in texts(incident, of))


def texts(incident: Incident, of: str) -> Iterable[str]:
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


def _experiment(hypothesis: Hypothesis, truth: Truth, came: Mapping[str, Outcome]) -> tuple[State, float, str]:
    """Return the state of a hypothesis, the share of the experiment's points, and why."""
    if hypothesis.experiment is None:
        return "proposed", 0.0, "no experiment is named"
    ablation, predicted = hypothesis.experiment
    if ablation not in came:
        return "proposed", 0.0, f"{ablation} was not tried"
    if came[ablation] != predicted:
        return "refuted", 0.0, f"with {ablation} the harm is {came[ablation]}, and {predicted} was predicted"
    came_true = f"with {ablation} the harm is {predicted}, as predicted"
    named = hypothesis.component in truth.components and set(hypothesis.mechanisms) & set(truth.mechanisms)
    if not named or ablation not in truth.supports:
        return "proposed", 0.5, f"{came_true}; with other causes it would be, too"
    return "supported", 1.0, came_true


def _part(name: str, share: float, why: str) -> Part:
    return Part(name, int(POINTS[name] * share), POINTS[name], why)


def _near(one: float | None, other: float | None) -> bool:
    return one is not None and other is not None and abs(one - other) <= ON_TIME
