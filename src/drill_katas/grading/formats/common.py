"""Helpers of all formats: escaped text, and names of checks.

A submission controls ids, file names, and messages. Text from these functions has no control characters, no surrogates,
no marks that change the writing direction, and no workflow commands, because GitHub's runner reads all output of a job.
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
    """Return text with every character escaped that is not printable or not allowed in XML 1.0; lines are kept."""
    lines = text.expandtabs(4).split("\n")
    return ci_safe("\n".join(map(printable, lines)))


def flat(text: str) -> str:
    """Return text on one line."""
    return plain(" ".join(text.split()))


def titled(check: CheckGrade) -> str:
    """Return the title of a check: the first line of its docstring, or its name."""
    return flat(check.title or check.name)


def where(grade: Grade, check: CheckGrade) -> str:
    """Return the position in the submission where a check failed: `katas/fp_drift/ledger.py:12`; "" if unknown."""
    if check.file is None:
        return ""
    return flat(f"{grade.places.get(check.file, check.file)}:{check.line}")


def explained(grade: Grade, check: CheckGrade) -> str:
    """Return the message of a check that did not pass; the last line is its position, if known."""
    place = where(grade, check)
    message = plain(check.message) or str(check.verdict)
    return f"{message}\n({place})" if place else message


def problem(grade: Grade) -> str:
    """Return why a submission has no checks."""
    return flat(grade.notes[-1]) if grade.notes else NOT_JUDGED


def unjudged(grades: Grades) -> str:
    """Return the end of a headline: ", 2 not judged", or ""."""
    left = sum(grade.score is None for grade in grades)
    return f", {left} {NOT_JUDGED}" if left else ""


def without_score(grade: Grade) -> str:
    """Return why a submission has no score."""
    return flat(next((check.message for check in grade.checks if check.not_judged), problem(grade)))


def by_stage(grade: Grade) -> dict[Stage, list[CheckGrade]]:
    """Return the checks by stage, in the order of stages, without empty stages."""
    stages = {stage: [check for check in grade.checks if check.stage is stage] for stage in Stage}
    return {stage: checks for stage, checks in stages.items() if checks}


def gained(checks: Sequence[CheckGrade]) -> tuple[str, str]:
    """Return passed checks and points as text: "2 of 3", "20 of 30"; "not judged" for points if a check is not."""
    passed, gain, worth = sum(check.passed for check in checks), 0.0, 0.0
    for check in checks:
        gain, worth = gain + (check.points or 0.0), worth + check.worth
    left = sum(check.not_judged for check in checks)
    number = f"{passed} of {len(checks)}{f', {left} not judged' if left else ''}"
    return number, NOT_JUDGED if left else f"{points(gain)} of {points(worth)}"


def points(value: float | None) -> str:
    """Return points with at most two decimal places; "not judged" for None."""
    if value is None:
        return NOT_JUDGED
    return f"{value:.2f}".rstrip("0").rstrip(".")
