"""What grading writes: `kata grade --json FILE`, one record for every input, in input order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from drill_katas.grading.weights import FULL, shares
from drill_katas.verdict import Outcome, Stage

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from drill_katas.grading.weights import Share
    from drill_katas.verdict import CheckResult

FORMAT: Final = 1  # goes up when a field changes its meaning or goes away
UNTOLD: Final = "the check failed"  # of a check that failed without words of its own


class CheckGrade(msgspec.Struct, frozen=True, kw_only=True):
    """One check: what came of it, and how many points it gave of those that it is `worth`; None without a verdict.

    A check that the broken version passes is worth nothing, and its points are negative when it does not pass any more.
    `message` is for whoever handed the fix in, and never quotes the check. `file` and `line` say where in the editable
    files the program was when it failed, as far as a traceback tells; `Grade.places` says where that file lay.
    """

    name: str
    stage: Stage
    verdict: Outcome
    points: float | None
    worth: float = 0.0
    title: str = ""
    message: str = ""
    file: str | None = None
    line: int | None = None
    seconds: float = 0.0

    @property
    def passed(self) -> bool:
        """Whether it passed."""
        return self.verdict is Outcome.PASS

    @property
    def not_judged(self) -> bool:
        """Whether the judge or the machine kept it from a verdict."""
        return self.verdict is Outcome.NOT_JUDGED


class Grade(msgspec.Struct, frozen=True, kw_only=True):
    """One submission. One that could not be judged has no kata and no checks, and its last note says why.

    `score` is None when the grader is to blame that there is no verdict: it has failed, or a check was not judged.
    `variant` is the version that it shares most lines with; points are for the checks that this version fails.

    `key` is the same where kata, files, seed, tier and the grader itself are, and so is the verdict then. `mac` seals
    the verdict: only the user who graded can make it, and `--resume` takes no verdict without it. `places` says
    by an editable file's name where it lay: a path from where grading was started, be it one that goes on into an
    archive.
    """

    id: str
    key: str | None = None
    kata: str | None = None
    variant: str | None = None
    solved: bool = False
    score: float | None = 0.0
    seconds: float = 0.0
    checks: tuple[CheckGrade, ...] = ()
    notes: tuple[str, ...] = ()
    places: dict[str, str] = {}
    mac: str = ""


class Grades(Protocol):
    """Grades in input order, which reports read as often as they need. They may be on disk."""

    @property
    def tier(self) -> str:
        """The sandbox tier of all verdicts."""

    def __len__(self) -> int:
        """Return how many grades there are."""

    def __iter__(self) -> Iterator[Grade]:
        """Read all grades."""


class GradesFile(msgspec.Struct, frozen=True, kw_only=True):
    """The file: `Grades` with the version of its format."""

    format: int = FORMAT
    tier: str
    submissions: tuple[Grade, ...]

    def __len__(self) -> int:
        return len(self.submissions)

    def __iter__(self) -> Iterator[Grade]:
        return iter(self.submissions)


def graded(
    checks: Sequence[CheckResult], weights: Mapping[Stage, float], fails: Collection[str] = ()
) -> tuple[CheckGrade, ...]:
    """Give each check its points, as `weights.shares` says; `fails` are the checks that the broken version fails."""
    return tuple(map(_graded, checks, shares(checks, weights, fails)))


def score_of(checks: Sequence[CheckGrade]) -> float | None:
    """Return the score of checks: 100 when all pass, otherwise their points, and never less than 0.

    There is none while a check is not judged.
    """
    if any(check.not_judged for check in checks):
        return None
    solved = all(check.passed for check in checks)
    return FULL if solved else max(0.0, round(sum(check.points or 0.0 for check in checks), 2))


def _graded(check: CheckResult, share: Share) -> CheckGrade:
    told = check.in_words and check.message
    file, line = check.place or (None, None)
    return CheckGrade(
        name=check.name,
        stage=check.stage,
        verdict=check.outcome,
        points=None if check.not_judged else share.points(check),
        worth=share.worth,
        title=check.title,
        message=check.message if told or not check.failed else f"{UNTOLD}: {check.title}",
        file=file,
        line=line,
        seconds=check.seconds,
    )
