"""What grading writes: `kata grade --json FILE`, one record for every input, in input order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from drill_katas.verdict import Outcome, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from drill_katas.verdict import CheckResult

FORMAT: Final = 1  # goes up when a field changes its meaning or goes away
UNTOLD: Final = "the check failed"  # of a check that failed without words of its own
FULL: Final = 100.0  # points of a submission that is solved


class CheckGrade(msgspec.Struct, frozen=True, kw_only=True):
    """One check: what came of it, and how many points it gave of those that it is `worth`.

    `message` is for whoever handed the fix in, and never quotes the check. `file` and `line` say where in the editable
    files the program was when it failed, as far as a traceback tells; `Grade.places` says where that file lay.
    """

    name: str
    stage: Stage
    verdict: Outcome
    points: float
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


class Grade(msgspec.Struct, frozen=True, kw_only=True):
    """One submission. One that could not be judged has no kata and no checks, and its last note says why.

    `key` is the same where kata, files, seed, tier and the grader itself are, and so is the verdict then. `mac` seals
    the verdict: only the user who graded can make it, and `--resume` takes no verdict without it. `places` says
    by an editable file's name where it lay: a path from where grading was started, be it one that goes on into an
    archive.
    """

    id: str
    key: str | None = None
    kata: str | None = None
    solved: bool = False
    score: float = 0.0
    seconds: float = 0.0
    checks: tuple[CheckGrade, ...] = ()
    notes: tuple[str, ...] = ()
    places: dict[str, str] = {}
    mac: str = ""


class Book(Protocol):
    """Grades in input order, from which reports are made. A report may read it twice: it need not lie in memory."""

    @property
    def tier(self) -> str:
        """How well what was handed in was held."""

    def __len__(self) -> int:
        """Return how many grades there are."""

    def __iter__(self) -> Iterator[Grade]:
        """Read all grades, anew each time."""


class Grades(msgspec.Struct, frozen=True, kw_only=True):
    """The file. `tier` says how well what was handed in was held."""

    format: int = FORMAT
    tier: str
    submissions: tuple[Grade, ...]

    def __len__(self) -> int:
        return len(self.submissions)

    def __iter__(self) -> Iterator[Grade]:
        return iter(self.submissions)


def graded(checks: Sequence[CheckResult], weights: Mapping[Stage, float]) -> tuple[CheckGrade, ...]:
    """Give each check that passed its points: its stage's weight, shared by the stage's checks; all make 100."""
    whole = sum(weights[stage] for stage in {check.stage for check in checks})
    worth = {
        stage: FULL * weights[stage] / whole / sum(check.stage is stage for check in checks)
        for stage in Stage
        if any(check.stage is stage for check in checks)
    }
    return tuple(_graded(check, round(worth[check.stage], 4)) for check in checks)


def _graded(check: CheckResult, worth: float) -> CheckGrade:
    told = check.in_words and check.message
    file, line = check.place or (None, None)
    return CheckGrade(
        name=check.name,
        stage=check.stage,
        verdict=check.outcome,
        points=worth if check.passed else 0.0,
        worth=worth,
        title=check.title,
        message=check.message if told or not check.failed else f"{UNTOLD}: {check.title}",
        file=file,
        line=line,
        seconds=check.seconds,
    )
