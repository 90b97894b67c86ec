"""The grades file of `kata grade --json FILE`: one record per input, in input order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from drill_katas.grading.weights import FULL, PLACES, Share, shares
from drill_katas.verdict import Outcome, Stage

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from drill_katas.verdict import CheckResult

FORMAT: Final = 1  # increases when a field changes its meaning or disappears
WITHOUT_MESSAGE: Final = "the check failed"  # of a check without a message of its own


class CheckGrade(msgspec.Struct, frozen=True, kw_only=True):
    """The grade of one check.

    | field | meaning |
    | --- | --- |
    | `points` | its points; negative if the fix breaks a check that the broken version passes; None if not judged |
    | `worth` | its points if it passes; 0 if the broken version passes it |
    | `message` | for the author of the fix; never quotes the check |
    | `file`, `line` | the position in the editable files where the check failed, if a traceback has one |
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
        """Whether the check passed."""
        return self.verdict is Outcome.PASS

    @property
    def not_judged(self) -> bool:
        """Whether the check has no verdict because the judge or the machine failed."""
        return self.verdict is Outcome.NOT_JUDGED


class Grade(msgspec.Struct, frozen=True, kw_only=True):
    """The grade of one submission.

    | field | meaning |
    | --- | --- |
    | `key` | equal for equal kata, files, seed, tier, and grader |
    | `kata` | None if the submission could not be judged; the last note gives the reason |
    | `variant` | the broken version that the submission shares the most lines with |
    | `score` | from 0 to 100; None if the grader or the machine failed |
    | `places` | the path of each editable file, relative to the working directory; it can continue into an archive |
    | `mac` | MAC of the verdict by a key of the user who graded; `--resume` drops a verdict with a wrong MAC |
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
    """Grades in input order. Reports iterate over them several times; they may be on disk."""

    @property
    def tier(self) -> str:
        """The sandbox tier of all verdicts."""

    def __len__(self) -> int:
        """Return the number of grades."""

    def __iter__(self) -> Iterator[Grade]:
        """Iterate over all grades."""


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
    """Return the grades of checks by `weights.shares`; `fails` are the checks that the broken version fails."""
    return tuple(map(_graded, checks, shares(checks, weights, fails)))


def score_of(checks: Sequence[CheckGrade]) -> float | None:
    """Return the score of checks: 100 if all pass, otherwise the sum of their points, at least 0.

    The points of a guardrail are added to those of the checks. None if a check that decides points is not judged.
    """
    own = [check for check in checks if check.stage is not Stage.GUARDRAIL]
    guardrail = [check for check in checks if check.stage is Stage.GUARDRAIL and check.worth]
    if any(check.not_judged for check in (*own, *guardrail)):
        return None
    most = FULL - sum(check.worth for check in guardrail)
    gained = most if all(check.passed for check in own) else sum(check.points or 0.0 for check in own)
    return max(0.0, round(gained + sum(check.points or 0.0 for check in guardrail), 2))


def with_guardrail(checks: Sequence[CheckGrade], guardrail: CheckResult, share: float) -> tuple[CheckGrade, ...]:
    """Return the grades of checks and guardrail together; the guardrail decides `share` of all points."""
    rest = 1.0 - share
    scaled = (
        msgspec.structs.replace(
            check,
            points=None if check.points is None else round(check.points * rest, PLACES),
            worth=round(check.worth * rest, PLACES),
        )
        for check in checks
    )
    worth = round(FULL * share, PLACES)
    points = None if guardrail.not_judged else round(worth * guardrail.figures["score"] / FULL, PLACES)
    return *scaled, msgspec.structs.replace(_graded(guardrail, Share(worth)), points=points)


def _graded(check: CheckResult, share: Share) -> CheckGrade:
    has_message = check.in_words and check.message
    file, line = check.place or (None, None)
    return CheckGrade(
        name=check.name,
        stage=check.stage,
        verdict=check.outcome,
        points=None if check.not_judged else share.points(check),
        worth=share.worth,
        title=check.title,
        message=check.message if has_message or not check.failed else f"{WITHOUT_MESSAGE}: {check.title}",
        file=file,
        line=line,
        seconds=check.seconds,
    )
