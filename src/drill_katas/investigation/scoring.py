"""The score of a diagnosis, from 0 to 100: the product of two factors.

| factor | from 0 to 1 |
| --- | --- |
| answer | component, mechanism, onset, and alerts, weighted by `POINTS`, less the best constant (`baseline.py`) |
| grounds | half the share of cited evidence that shows the cause; half for an experiment that supports the hypothesis |

`answer.toml` has the right answer. Equal diagnoses get equal scores.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from msgspec.structs import replace

from drill_katas.catalog.answer import EFFECTS
from drill_katas.investigation.baseline import ON_TIME, Named, beyond, constant_points, points

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from drill_katas.catalog.answer import AlertLabel, Effect, ExpectedDiagnosis
    from drill_katas.evidence.records import IncidentRecord

AS_BEFORE: Final = 0.1  # largest difference of shares of good requests that counts as unchanged
ALL: Final = 0.98  # least share of good requests for which the harm is gone
DECIDED_BY: Final[dict[str, tuple[frozenset[str], ...]]] = {
    "component": (frozenset({"traces"}), frozenset({"graph"})),
    "mechanism": tuple(frozenset({"experiment", each}) for each in ("traces", "logs", "metrics")),
    "onset": (frozenset({"metrics"}), frozenset({"logs"})),
    "alerts": (frozenset({"experiment"}),),
}
"""The queries that decide each part, so that guessing does not pay; one complete set is enough to report a part."""
GROUNDS: Final = ("evidence", "experiment")
ANSWER: Final = ("component", "mechanism", "onset", "alerts")
NO_EXPERIMENT: Final = "no experiment is named"
DAY: Final = 86_400  # seconds
State = Literal["proposed", "supported", "refuted"]


@dataclass(frozen=True, kw_only=True)
class Hypothesis:
    """A learner's explanation of an incident.

    `onset` is the time when customers were first hurt, in seconds since 1970, None for never. `alerts` has a label for
    each alert by name, `evidence` the ids of log lines and traces, `experiment` an ablation and its predicted outcome.
    """

    component: str
    mechanisms: tuple[str, ...]
    onset: float | None
    alerts: Mapping[str, AlertLabel]
    evidence: tuple[str, ...] = ()
    experiment: tuple[str, Effect] | None = None


@dataclass(frozen=True)
class Part:
    """One part of a score: `share` is its correctness from 0 to 1; the `GROUNDS` have the reason in `why`."""

    name: str
    share: float
    why: str = ""

    @property
    def right(self) -> bool:
        """Whether the part is completely right."""
        return self.share == 1


@dataclass(frozen=True)
class Score:
    """The score of a hypothesis; `constant` is the points of the best constant answer, from 0 to 100.

    | state | condition |
    | --- | --- |
    | supported | the outcome was predicted and differs with other causes; component and some mechanism are right |
    | refuted | the outcome differs from the prediction |
    | proposed | otherwise |
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
        """Whether the component and all mechanisms are right."""
        return all(part.right for part in self.parts if part.name in {"component", "mechanism"})

    @property
    def right(self) -> bool:
        """Whether the cause is right, and an experiment supports it."""
        return self.state == "supported" and self.cause

    @property
    def wrong(self) -> bool:
        """Whether the diagnosis costs time: the cause is wrong, or an experiment refutes it."""
        return self.state == "refuted" or not self.cause


def score(
    hypothesis: Hypothesis,
    truths: Mapping[str, ExpectedDiagnosis],
    incident: IncidentRecord,
    outcomes: Mapping[str, Effect],
) -> Score:
    """Return the score of a hypothesis; `truths` has the right answer by variant, `outcomes` those of experiments."""
    truth = truths[incident.summary.variant]
    fired = {alert.name for alert in incident.alerts}
    of_fired = replace(truth, alerts={name: mark for name, mark in truth.alerts.items() if name in fired})
    moment = None if hypothesis.onset is None else hypothesis.onset % DAY
    named = Named(hypothesis.component, frozenset(hypothesis.mechanisms), moment, hypothesis.alerts)
    shares = named.shares(of_fired)
    if _near(hypothesis.onset, incident.summary.onset):
        shares["onset"] = 1.0
    state, experiment, why = _experiment(hypothesis, truth, outcomes)
    relevant = sum(shows_cause(incident, each, truth.evidence) for each in hypothesis.evidence)
    evidence = relevant / max(1, len(hypothesis.evidence))
    return Score(
        parts=(
            *(Part(name, shares[name]) for name in ANSWER if name in shares),
            Part("evidence", evidence, _of_evidence(relevant, len(hypothesis.evidence))),
            Part("experiment", experiment, why),
        ),
        state=state,
        constant=constant_points(truths.values()),
    )


def part_report(part: Part, queries: frozenset[str]) -> str:
    """Return the correctness of a part, or the queries that are missing to decide it.

    `queries` has the kinds of evidence that were queried (logs, traces, metrics, graph, alerts), and "experiment" after
    an experiment.
    """
    needed = DECIDED_BY.get(part.name, ())
    if any(each <= queries for each in needed) or not needed:
        how = "right" if part.right else "partly right" if part.share else "not right"
        return f"{how}: {part.why}" if part.name in GROUNDS else how
    missing = min((each - queries for each in needed), key=lambda each: (len(each), "experiment" not in each))
    kinds = " and ".join(sorted(missing - {"experiment"}))
    steps = ["run an experiment"] * ("experiment" in missing) + [f"query the {kinds}"] * bool(kinds)
    return f"not shown: your queries so far do not decide it; {' and '.join(steps)}"


def outcome(baseline: IncidentRecord, experiment: IncidentRecord) -> Effect:
    """Return the effect of an experiment on the harm."""
    before, after = baseline.summary.after.share, experiment.summary.after.share
    if after >= ALL > before:
        return "gone"
    if abs(after - before) <= AS_BEFORE:
        return "unchanged"
    return "better" if after > before else "worse"


def shows_cause(incident: IncidentRecord, of: str, pattern: str) -> bool:
    """Return whether the log line or trace with the id `of` matches the pattern of the cause."""
    return any(re.search(pattern, text) for text in texts(incident, of))


def texts(incident: IncidentRecord, of: str) -> Iterable[str]:
    """Return the text of the log line, or of the spans and log lines of the trace, with the id `of`."""
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
    hypothesis: Hypothesis, truth: ExpectedDiagnosis, outcomes: Mapping[str, Effect]
) -> tuple[State, float, str]:
    """Return the state of a hypothesis, the share of the experiment's points, and why."""
    if hypothesis.experiment is None:
        return "proposed", 0.0, NO_EXPERIMENT
    ablation, predicted = hypothesis.experiment
    if ablation not in outcomes:
        return "proposed", 0.0, f"{ablation} did not run yet"
    if outcomes[ablation] != predicted:
        return "refuted", 0.0, f"with {ablation} {EFFECTS[outcomes[ablation]]}; you predicted {predicted}"
    as_predicted = f"with {ablation} {EFFECTS[predicted]}, as predicted"
    if ablation not in truth.supports:
        return "proposed", 0.0, f"{as_predicted}; other causes have the same outcome"
    if hypothesis.component in truth.components and set(hypothesis.mechanisms) & set(truth.mechanisms):
        return "supported", 1.0, as_predicted
    return "proposed", 0.0, f"{as_predicted}; this supports another cause"


def _of_evidence(relevant: int, cited: int) -> str:
    if not cited:
        return "no log line or trace is cited"
    return f"{relevant} of {cited} cited log lines and traces {'shows' if relevant == 1 else 'show'} the cause"


def _near(one: float | None, other: float | None) -> bool:
    return one is not None and other is not None and abs(one - other) <= ON_TIME
