"""`solutions/NAME/answer.toml`: the hints, what every arm must be found to be, and the help for known wrong fixes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec

from drill_katas.catalog.katas import read_toml
from drill_katas.errors import UserError
from drill_katas.verdict import Stage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from drill_katas.verdict import CheckResult


class NearMiss(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A tempting wrong fix: it fails exactly the checks in `fails`, the first of them with a message like `message`.

    `may_fail` are checks that find it with some seeds and not with others.
    `tempting` near misses pass the stage `symptom`. `help` is shown to a learner whose fix fails in the same way.
    """

    fails: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    message: str
    help: str
    may_fail: tuple[str, ...] = ()
    tempting: bool = True


AlertLabel = Literal["caused", "noise"]
"""What an alert was: caused by the fault, or not."""
Effect = Literal["gone", "better", "unchanged", "worse"]
"""What became of the harm in an experiment, against the incident as it was."""


TimeOfDay = Annotated[str, msgspec.Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class ExpectedDiagnosis(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The right diagnosis of a variant's incident.

    `components` are the services of which one is right: every member of a circle. `mechanisms` all have a part in it.
    `onset` is empty for never, else two times of day, HH:MM, between which the evidence places the first harm: from the
    first customer who is hurt to the first measurement that shows it. `alerts` says of each alert
    that fires whether it is caused by it. `evidence` is a regex that a log line or span has which speaks of it.
    `supports` are the experiments that tell this cause from others, with what comes of them.
    """

    components: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    mechanisms: Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]
    onset: Annotated[tuple[TimeOfDay, ...], msgspec.Meta(max_length=2)]
    alerts: dict[str, AlertLabel]
    evidence: str
    supports: dict[str, Effect]


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What is known about a kata. `broken` gives for every variant its failing checks, and what each says (a regex).

    `broken_may_fail` are checks that find a variant broken in some runs and not in others.

    `healthy` are variants with which nothing is wrong: the alarm is a false one, and they pass every check.
    `diagnosis` gives for every variant what its incident is diagnosed as; there is none without an incident.
    """

    format: Literal[1]
    hints: Annotated[tuple[str, ...], msgspec.Meta(min_length=3, max_length=5)]
    broken: dict[str, dict[str, str]]
    broken_may_fail: dict[str, tuple[str, ...]] = {}
    healthy: tuple[str, ...] = ()
    near_misses: dict[str, NearMiss] = {}
    diagnosis: dict[str, ExpectedDiagnosis] = {}


def read_answer(solutions: Path) -> Answer:
    """Read the answer of the kata whose solutions lie in that folder. Raises `UserError`."""
    path = solutions / "answer.toml"
    answer = read_toml(path, Answer)
    of_broken = [message for failing in answer.broken.values() for message in failing.values()]
    of_truth = (truth.evidence for truth in answer.diagnosis.values())
    for message in (*of_broken, *(miss.message for miss in answer.near_misses.values()), *of_truth):
        try:
            re.compile(message)
        except re.error as mistake:
            raise UserError(f"{path}: {message!r} is no regular expression: {mistake}") from mistake
    return answer


def with_help(checks: Sequence[CheckResult], answer: Answer) -> tuple[CheckResult, ...]:
    """Add to each failing check what is known of failing in that way.

    Only once the symptom is gone: before that nobody has tried to mend the cause. Of the near misses that fail this
    check with such a message, the one whose failing checks are most like the ones seen here speaks.
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
    alike = [
        (len(failing ^ (set(miss.fails) & reached)), miss.help)
        for miss in answer.near_misses.values()
        if miss.fails[0] == check.name and re.search(miss.message, check.message)
    ]
    return min(alike, default=(0, ""))[1].strip()
