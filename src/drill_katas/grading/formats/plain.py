"""What all formats share: text that is nothing but text, and how checks are named.

Ids, file names and messages hold what a submission wants them to hold. What leaves here has no control characters, no
surrogates, nothing that turns the direction of writing, and nothing that GitHub's runner takes for a command: what is
printed in a CI job goes through it, whatever its format.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drill_katas.text import ci_safe, printable
from drill_katas.verdict import Outcome, Stage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drill_katas.grading.grades import CheckGrade, Grade, Grades


NOT_JUDGED: Final = Outcome.NOT_JUDGED.value


def plain(text: str) -> str:
    """Return text as lines of characters that can be printed, and are in XML 1.0's range; others are escaped."""
    lines = text.expandtabs(4).split("\n")
    return ci_safe("\n".join(map(printable, lines)))


def flat(text: str) -> str:
    """Return text on one line."""
    return plain(" ".join(text.split()))


def titled(check: CheckGrade) -> str:
    """Name a check: what its docstring says, or its name."""
    return flat(check.title or check.name)


def where(grade: Grade, check: CheckGrade) -> str:
    """Say where in the files that were handed in a check failed: `katas/fp_drift/ledger.py:12`; nothing if unknown."""
    if check.file is None:
        return ""
    return flat(f"{grade.places.get(check.file, check.file)}:{check.line}")


def explained(grade: Grade, check: CheckGrade) -> str:
    """Say what came of a check that has not passed, on some lines, the last one of which says where."""
    place = where(grade, check)
    said = plain(check.message) or str(check.verdict)
    return f"{said}\n({place})" if place else said


def problem(grade: Grade) -> str:
    """Say why a submission has no checks."""
    return flat(grade.notes[-1]) if grade.notes else NOT_JUDGED


def unjudged(grades: Grades) -> str:
    """Return what follows the number of solved ones in a headline: ", 2 not judged", or nothing."""
    left = sum(grade.score is None for grade in grades)
    return f", {left} {NOT_JUDGED}" if left else ""


def without_score(grade: Grade) -> str:
    """Return why a submission has no score."""
    return flat(next((check.message for check in grade.checks if check.not_judged), problem(grade)))


def by_stage(grade: Grade) -> dict[Stage, list[CheckGrade]]:
    """Return the checks of each stage that there is, in the order in which stages are judged."""
    stages = {stage: [check for check in grade.checks if check.stage is stage] for stage in Stage}
    return {stage: checks for stage, checks in stages.items() if checks}


def gained(checks: Sequence[CheckGrade]) -> tuple[str, str]:
    """Return how many of some checks passed, and what they gave: "2 of 3", "20 of 30"; none while one is not judged."""
    passed, gave, worth = sum(check.passed for check in checks), 0.0, 0.0
    for check in checks:
        gave, worth = gave + (check.points or 0.0), worth + check.worth
    left = sum(check.not_judged for check in checks)
    number = f"{passed} of {len(checks)}{f', {left} not judged' if left else ''}"
    return number, NOT_JUDGED if left else f"{points(gave)} of {points(worth)}"


def points(value: float | None) -> str:
    """Write points with at most two places; "not judged" when there is no score."""
    if value is None:
        return NOT_JUDGED
    return f"{value:.2f}".rstrip("0").rstrip(".")
