"""What a run found, as plain data that every report is made from."""

from __future__ import annotations

import enum
from itertools import groupby
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterator

FORMAT = 1  # of the JSON report; goes up when a field changes its meaning or goes away


class Stage(enum.StrEnum):
    """The stages of a kata, in the order they are judged in."""

    SYMPTOM = "symptom"
    CAUSE = "cause"
    REGRESSION = "regression"
    STRESS = "stress"
    SLA = "sla"
    TRACE = "trace"

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
    """One check of one run.

    `message` says what happened and what was expected, in the domain's words; unless `in_words`, it had none, and
    quotes the check. `details` is what a closer look needs (calls, stacks, output), `help` what is known of this way of
    failing, `place` the editable file and the line in it where the program was. Without `keeps_contract` the module
    could not be imported, or not be called as the contract says: no more is known of it. `figures` are the numbers it
    recorded: measured ones with a threshold by an identifier, counted ones by words. Of its `seconds` it was ready to
    run for `waited`, and got no processor.
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
    def passed(self) -> bool:
        """Whether it passed; a check that was not reached has not."""
        return self.outcome is Outcome.PASS

    @property
    def failed(self) -> bool:
        """Whether it ran and did not pass, for a reason of the program's own."""
        return self.outcome not in {Outcome.PASS, Outcome.NOT_REACHED, Outcome.NOT_JUDGED}

    @property
    def not_judged(self) -> bool:
        """Whether the judge or the machine failed, so that nothing is known of the program."""
        return self.outcome is Outcome.NOT_JUDGED


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """One kata, judged once.

    `source` is "workspace" for the learner's own files, otherwise the folder that was judged.
    `attempt` counts the attempts since the kata was last started or reset; None for a run that is no attempt, and on
    the learner's own files `no_attempt` says why.
    `partial` means that some checks were left out on purpose (`-k`, `-x`, a single test id).
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
        """The checks without a verdict. With one the run is no attempt: neither solved nor failed."""
        return tuple(check for check in self.checks if check.not_judged)

    @property
    def solved(self) -> bool:
        """Whether this counts: all checks pass on the learner's own files, outside the judge's process."""
        return self.passed and not self.inline and self.source == "workspace"

    def stages(self) -> Iterator[tuple[Stage, list[CheckResult]]]:
        """Yield each stage with its checks, in order."""
        ordered = sorted(self.checks, key=lambda check: check.stage.position)
        for stage, checks in groupby(ordered, key=lambda check: check.stage):
            yield stage, list(checks)


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """The file that `--kata-report` writes."""

    format: int = FORMAT
    version: str
    python: str
    katas: tuple[Verdict, ...]
