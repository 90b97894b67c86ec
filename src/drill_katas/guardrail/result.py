"""The result of a guardrail: its verdict on each version of the module, and its score."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from drill_katas.practice.journal import Guarded

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

FORMAT: Final = 1
ENOUGH: Final = 80  # the score from which a guardrail is good
Kind = Literal["reference", "accepted", "healthy", "broken", "near miss", "canary"]
RIGHT: Final[tuple[Kind, ...]] = ("reference", "accepted", "healthy")
WRONG: Final[tuple[Kind, ...]] = ("broken", "near miss")


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """The tests of a guardrail on one version of the module.

    | field | meaning |
    | --- | --- |
    | `kind` | a right design (`reference`, `accepted`, `healthy`), a wrong one (`broken`, `near miss`), or `canary` |
    | `name` | name of the version |
    | `failed` | the tests that failed, each with the first line of its message |
    | `calls` | for a right design: the calls of each failed test that led to its failure |
    | `unjudged` | the reasons why tests were not judged |
    | `lesson` | for a right design: what it does differently; for a wrong one: what is wrong with it |
    """

    kind: Kind
    name: str
    failed: dict[str, str] = {}
    calls: dict[str, tuple[str, ...]] = {}
    unjudged: tuple[str, ...] = ()
    lesson: str = ""

    @property
    def shown_name(self) -> str:
        """A noun phrase for the version."""
        names = {"reference": "the reference solution", "healthy": "the healthy version", "canary": "the canary"}
        return names.get(self.kind) or f"the {'design' if self.kind == 'accepted' else self.kind} {self.name}"

    @property
    def right(self) -> bool:
        """Whether this version keeps the contract."""
        return self.kind in RIGHT


class GuardrailResult(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a guardrail.

    | field | meaning |
    | --- | --- |
    | `rejects` | for each test: the number of wrong versions that it fails on; 0 is a test that proves nothing |
    | `score` | from 0 to 100: the share of wrong versions rejected; 0 if it refuses a right design or rejects nothing |
    """

    format: int = FORMAT
    kata: str
    tests: tuple[str, ...]
    trials: tuple[Trial, ...]
    rejects: dict[str, int]
    score: int

    @property
    def refused(self) -> tuple[Trial, ...]:
        """The right designs that a test fails on."""
        return tuple(trial for trial in self.trials if trial.right and trial.failed)

    @property
    def slipped(self) -> tuple[Trial, ...]:
        """The wrong versions that pass every test."""
        return tuple(trial for trial in self.trials if trial.kind in WRONG and not trial.failed)

    @property
    def is_decided(self) -> bool:
        """Whether the score is 0, whatever the versions that were not tried would show."""
        return bool(self.refused) or self.passes_everything

    @property
    def unjudged(self) -> tuple[str, ...]:
        """Why tests were not judged, on versions where no test failed."""
        return tuple(reason for trial in self.trials if not trial.failed for reason in trial.unjudged)

    @property
    def passes_everything(self) -> bool:
        """Whether it even passes the canary, in which no function does anything."""
        return any(trial.kind == "canary" and not trial.failed for trial in self.trials)

    def of(self, *kinds: Kind) -> tuple[Trial, ...]:
        """Return the trials of these kinds."""
        return tuple(trial for trial in self.trials if trial.kind in kinds)


def result_of(kata: str, trials: Sequence[Trial], tests: Iterable[str] = ()) -> GuardrailResult:
    """Return the result of these trials; `tests` are the tests of the file, in its order."""
    rejects = Counter(name for trial in trials if trial.kind in WRONG for name in trial.failed)
    names = tuple(tests)
    return GuardrailResult(
        kata=kata,
        tests=names,
        trials=tuple(trials),
        rejects={name: rejects[name] for name in names},
        score=score_of(trials),
    )


def score_of(trials: Sequence[Trial]) -> int:
    """Return the score of a guardrail, from 0 to 100, rounded down."""
    wrong = [trial for trial in trials if trial.kind in WRONG]
    refuses = any(trial.failed for trial in trials if trial.right)
    idle = any(trial.kind == "canary" and not trial.failed for trial in trials)
    if refuses or idle or not wrong:
        return 0
    return 100 * sum(bool(trial.failed) for trial in wrong) // len(wrong)


def event_of(result: GuardrailResult, variant: str) -> Guarded:
    """Return the event of a judged guardrail for the journal; `variant` is the learner's."""
    right, wrong = result.of(*RIGHT), result.of(*WRONG)
    return Guarded(
        kata=result.kata,
        variant=variant,
        score=result.score,
        passed=len(right) - len(result.refused),
        right=len(right),
        rejected=len(wrong) - len(result.slipped),
        wrong=len(wrong),
    )
