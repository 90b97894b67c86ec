"""`solutions/NAME/answer.toml`: hints, the declared verdict of every arm, and the help for known wrong fixes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Final, Literal

import msgspec

from drill_katas.catalog.katas import read_toml
from drill_katas.errors import UserError
from drill_katas.verdict import Stage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from drill_katas.verdict import CheckResult


class NearMiss(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A tempting wrong fix.

    | field | meaning |
    | --- | --- |
    | `fails` | the checks that it must fail, no others |
    | `message` | regular expression for the message of the first of these checks |
    | `help` | text for a learner whose fix fails in the same way |
    | `may_fail` | checks that it fails in some runs only |
    | `tempting` | true if it passes the stage `symptom` |
    | `held_back` | a guardrail is tried on it only by `kata grade`, so that a learner never meets it |
    """

    fails: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    message: str
    help: str
    may_fail: tuple[str, ...] = ()
    tempting: bool = True
    held_back: bool = False


class AcceptedDesign(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A right fix with another design than the reference.

    | field | meaning |
    | --- | --- |
    | `design` | what it does differently, in a sentence; a guardrail that fails on it reads this |
    | `better_when` | when it is the better choice, in a sentence |
    """

    design: str
    better_when: str


AlertLabel = Literal["caused", "noise"]
"""Whether an alert was caused by the fault."""
Effect = Literal["gone", "better", "unchanged", "worse"]
"""The harm in an experiment, compared with the incident without it."""
EFFECTS: Final[dict[str, str]] = {
    "gone": "the harm is gone",
    "better": "there is less harm",
    "unchanged": "the harm is unchanged",
    "worse": "there is more harm",
}


TimeOfDay = Annotated[str, msgspec.Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class ExpectedDiagnosis(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The right diagnosis of a variant's incident.

    | field | meaning |
    | --- | --- |
    | `components` | each of these services is a right answer: every member of a cycle |
    | `mechanisms` | all of these take part |
    | `onset` | empty for never; else two times of day, HH:MM: the first harm, and the first measurement that shows it |
    | `alerts` | label of each alert that fires |
    | `evidence` | regular expression; a log line or span that matches shows the cause |
    | `supports` | the experiments that distinguish this cause from others, with their outcomes |
    | `cause` | the cause in two sentences, for a learner who has solved the variant |
    | `why` | for each alert: why it fired, in a sentence |
    """

    components: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    mechanisms: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    onset: Annotated[tuple[TimeOfDay, ...], msgspec.Meta(max_length=2)]
    alerts: dict[str, AlertLabel]
    evidence: str
    supports: dict[str, Effect]
    cause: str = ""
    why: dict[str, str] = {}


FactorKind = Literal["trigger", "condition", "amplifier", "detection gap", "mitigation gap"]
"""The part of a contributing factor in an incident."""


class Factor(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A contributing factor that a good post-mortem names.

    | field | meaning |
    | --- | --- |
    | `variants` | the variants whose incident has this factor |
    | `kind` | its part in the incident; triggers, conditions, and amplifiers count as one kind in the score |
    | `factor` | the factor in a sentence |
    | `terms` | regular expressions, regardless of case; the words of a matching row match each of them |
    """

    variants: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    kind: FactorKind
    factor: str
    terms: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The declarations of a kata's author.

    | field | meaning |
    | --- | --- |
    | `broken` | the failing checks of each broken variant, with a regular expression for the message of each |
    | `broken_may_fail` | checks that a broken variant fails in some runs only |
    | `healthy` | variants without a fault (false alarms); they pass every check |
    | `accepted` | the right fixes of other designs by name |
    | `near_misses` | the tempting wrong fixes by name |
    | `diagnosis` | the right diagnosis of each variant; empty without an incident |
    | `factors` | the contributing factors that a post-mortem should name |
    """

    format: Literal[1]
    hints: Annotated[tuple[str, ...], msgspec.Meta(min_length=3, max_length=5)]
    broken: dict[str, dict[str, str]]
    broken_may_fail: dict[str, tuple[str, ...]] = {}
    healthy: tuple[str, ...] = ()
    accepted: dict[str, AcceptedDesign] = {}
    near_misses: dict[str, NearMiss] = {}
    diagnosis: dict[str, ExpectedDiagnosis] = {}
    factors: tuple[Factor, ...] = ()


def read_answer(solutions: Path) -> Answer:
    """Return the answer in a kata's solutions folder. Raises `UserError`."""
    path = solutions / "answer.toml"
    answer = read_toml(path, Answer)
    of_broken = [message for failing in answer.broken.values() for message in failing.values()]
    of_truth = (truth.evidence for truth in answer.diagnosis.values())
    terms = (term for factor in answer.factors for term in factor.terms)
    for message in (*of_broken, *(miss.message for miss in answer.near_misses.values()), *of_truth, *terms):
        try:
            re.compile(message)
        except re.error as mistake:
            raise UserError(f"{path}: {message!r} is not a regular expression: {mistake}") from mistake
    return answer


def with_help(checks: Sequence[CheckResult], answer: Answer) -> tuple[CheckResult, ...]:
    """Return the checks with a help text for each failure that a near miss explains.

    A near miss explains a failure if exactly its declared checks fail, among those reached, with its declared message.
    Without a passed symptom there is no help, because the cause is not the topic yet.
    """
    if not all(check.passed for check in checks if check.stage is Stage.SYMPTOM):
        return tuple(checks)
    failing = {check.name for check in checks if check.failed}
    reached = {check.name for check in checks if check.passed or check.failed}
    return tuple(
        msgspec.structs.replace(check, help=_help(check, answer, failing, reached)) if check.failed else check
        for check in checks
    )


def _help(check: CheckResult, answer: Answer, failing: set[str], reached: set[str]) -> str:
    for miss in answer.near_misses.values():
        declared = set(miss.fails) & reached <= failing <= {*miss.fails, *miss.may_fail}
        if declared and miss.fails[0] == check.name and re.search(miss.message, check.message):
            return miss.help.strip()
    return ""
