"""What grading writes: `kata grade --json FILE`, one record for every input, in input order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from drill_katas.verdict import Outcome, Stage

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from drill_katas.verdict import CheckResult

FORMAT: Final = 1  # goes up when a field changes its meaning or goes away
FULL: Final = 100.0  # points of a submission that is solved


class CheckGrade(msgspec.Struct, frozen=True, kw_only=True):
    """One check: what came of it, and the points it gave. `message` is for whoever handed the fix in."""

    name: str
    stage: Stage
    verdict: Outcome
    points: float
    message: str = ""


class Grade(msgspec.Struct, frozen=True, kw_only=True):
    """One submission. One that could not be judged has no kata and no checks, and its last note says why."""

    id: str
    kata: str | None = None
    solved: bool = False
    score: float = 0.0
    seconds: float = 0.0
    checks: tuple[CheckGrade, ...] = ()
    notes: tuple[str, ...] = ()


class Grades(msgspec.Struct, frozen=True, kw_only=True):
    """The file. `tier` says how well what was handed in was held."""

    format: int = FORMAT
    tier: str
    submissions: tuple[Grade, ...]


def graded(checks: Sequence[CheckResult], weights: Mapping[Stage, float]) -> tuple[CheckGrade, ...]:
    """Give each check that passed its points: its stage's weight, shared by the stage's checks; all make 100."""
    whole = sum(weights[stage] for stage in {check.stage for check in checks})
    worth = {
        stage: FULL * weights[stage] / whole / sum(check.stage is stage for check in checks)
        for stage in Stage
        if any(check.stage is stage for check in checks)
    }
    return tuple(
        CheckGrade(
            name=check.name,
            stage=check.stage,
            verdict=check.outcome,
            points=round(worth[check.stage], 4) if check.passed else 0.0,
            message=check.message,
        )
        for check in checks
    )
