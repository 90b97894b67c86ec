"""Grades as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drill_katas.report.text import fit, line
from drill_katas.text import printable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drill_katas.grading.grades import Grade, Grades
    from drill_katas.report.text import TextLine

ID: Final = 24  # columns


def grade_lines(grades: Grades, width: int) -> Iterator[TextLine]:
    """Return one line per submission: grade, kata, score, first problem; then a line with totals and sandbox tier."""
    ids, katas, solved = 0, 0, 0
    for grade in grades:
        ids, katas = max(ids, len(grade.id)), max(katas, len(grade.kata or ""))
        solved += grade.solved
    for grade in grades:
        score = "     ?" if grade.score is None else f"{grade.score:6.2f}"
        head = f"{fit(grade.id, min(ids, ID)):<{min(ids, ID)}} {grade.kata or '-':<{katas}} {score}  "
        yield line(
            ("✓ ", "good") if grade.solved else ("? ", "note") if grade.score is None else ("✗ ", "bad"),
            head,
            fit(_why(grade), width - len(head) - 2),
        )
    left = sum(grade.score is None for grade in grades)
    unjudged = f"; {left} not judged, because the judge or the machine failed: grade again" if left else ""
    yield line(f"{solved} of {len(grades)} solved{unjudged}; sandbox tier {grades.tier}")


def _why(grade: Grade) -> str:
    """Return the first problem of a grade on one line, "" if the submission is solved."""
    failing = next((check for check in grade.checks if check.not_judged), None)
    failing = failing or next((check for check in grade.checks if not check.passed), None)
    if failing is not None:
        return printable(f"{failing.stage}: {' '.join(failing.message.split())}")
    return "" if grade.solved else grade.notes[-1]
