"""The results of a run as plain data, the input of every report."""

from __future__ import annotations

import enum
from itertools import groupby, takewhile
from typing import TYPE_CHECKING, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

CALLS: Final = "The calls that led there:"  # heads the calls among the details of a result
FORMAT = 1  # version of the JSON report; increases when a field changes its meaning or is removed


class Stage(enum.StrEnum):
    """The stages, in the order of judging. No check of a kata is in `guardrail`; it is for a learner's tests."""

    SYMPTOM = "symptom"
    CAUSE = "cause"
    REGRESSION = "regression"
    STRESS = "stress"
    SLA = "sla"
    TRACE = "trace"
    GUARDRAIL = "guardrail"

    @property
    def position(self) -> int:
        """Its place in the order, from 0."""
        return list(Stage).index(self)


class Outcome(enum.StrEnum):
    """How a check ended."""

    PASS = "pass"  # noqa: S105
    FAIL = "fail"
    HANG = "hang"
    CRASH = "crash"
    LIMIT = "limit"
    NOT_REACHED = "not reached"
    NOT_JUDGED = "not judged"


class CheckResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result of one check in one run.

    | field | meaning |
    | --- | --- |
    | `message` | what happened and what was expected |
    | `in_words` | the check has a message of its own; if false, `message` quotes the check's code |
    | `details` | calls, stacks and output, for a closer look |
    | `help` | advice on this way of failing |
    | `place` | the editable file and the line where the program was |
    | `keeps_contract` | if false, the module cannot be imported, or not be called as the contract says |
    | `figures` | recorded numbers: measured ones by an identifier, counted ones by words |
    | `waited` | run-queue delay in seconds, a part of `seconds` |
    """

    name: str
    stage: Stage
    title: str
    outcome: Outcome
    seconds: float = 0.0
    waited: float = 0.0
    message: str = ""
    in_words: bool = True
    details: tuple[str, ...] = ()
    help: str = ""
    place: tuple[str, int] | None = None
    keeps_contract: bool = True
    figures: dict[str, float] = {}

    @property
    def calls(self) -> tuple[str, ...]:
        """The calls among the details that led to the failure."""
        if CALLS not in self.details:
            return ()
        return tuple(takewhile(lambda each: each.startswith(" "), self.details[self.details.index(CALLS) + 1 :]))

    @property
    def passed(self) -> bool:
        """Whether the check passed; false if it was not reached."""
        return self.outcome is Outcome.PASS

    @property
    def failed(self) -> bool:
        """Whether the check ran and failed because of the program."""
        return self.outcome not in {Outcome.PASS, Outcome.NOT_REACHED, Outcome.NOT_JUDGED}

    @property
    def not_judged(self) -> bool:
        """Whether the judge or the machine failed, so that the check has no verdict."""
        return self.outcome is Outcome.NOT_JUDGED


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """One run of one kata.

    | field | meaning |
    | --- | --- |
    | `source` | "workspace" for the learner's own files, otherwise the judged folder |
    | `attempt` | number of this attempt since the last start or reset; None if the run is not an attempt |
    | `no_attempt` | why a run on the learner's own files is not an attempt |
    | `partial` | the user selected only some checks (`-k`, `-x`, a single test id) |
    """

    kata: str
    variant: str
    source: str
    seed: int
    checks: tuple[CheckResult, ...]
    seconds: float = 0.0
    attempt: int | None = None
    no_attempt: str = ""
    inline: bool = False
    partial: bool = False

    @property
    def passed(self) -> bool:
        """Whether every check ran and passed."""
        return bool(self.checks) and not self.partial and all(check.passed for check in self.checks)

    @property
    def not_judged(self) -> tuple[CheckResult, ...]:
        """The checks that were not judged. A run with such a check is not an attempt."""
        return tuple(check for check in self.checks if check.not_judged)

    @property
    def of_guardrail(self) -> bool:
        """Whether the learner's guardrail ran in place of the kata's checks."""
        return any(check.stage is Stage.GUARDRAIL for check in self.checks)

    @property
    def solved(self) -> bool:
        """Whether this run solves the kata: all checks pass on the learner's own files, and it is not inline."""
        return self.passed and not self.inline and self.source == "workspace"

    def stages(self) -> Iterator[tuple[Stage, list[CheckResult]]]:
        """Yield each stage with its checks, in order."""
        ordered = sorted(self.checks, key=lambda check: check.stage.position)
        for stage, checks in groupby(ordered, key=lambda check: check.stage):
            yield stage, list(checks)


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The content of the `--kata-report` file."""

    format: int = FORMAT
    version: str
    python: str
    katas: tuple[Verdict, ...]
