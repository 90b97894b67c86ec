"""Comma-separated values for a gradebook, one row per submission."""

from __future__ import annotations

import csv
from typing import TYPE_CHECKING, Final

from drill_katas.grading.formats.common import NOT_JUDGED, by_stage, explained, flat, points, problem, titled
from drill_katas.verdict import Stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drill_katas.grading.grades import Grade, Grades

HEAD: Final = ("id", "kata", "solved", "score", *(stage.value for stage in Stage), "seconds", "tier", "first problem")
FORMULA: Final = tuple("=+-@＝＋－＠")  # noqa: RUF001 - first characters of a formula in spreadsheets


class _Line:
    """A file object for the csv module that keeps only the last line."""

    text = ""

    def write(self, text: str) -> None:
        self.text = text


def to_csv(grades: Grades) -> Iterator[str]:
    """Yield the rows. The cell of a stage is empty if the kata lacks the stage, or a check of it is not judged."""
    line = _Line()
    writer = csv.writer(line)
    writer.writerow(HEAD)
    yield line.text
    for grade in grades:
        writer.writerow(map(_cell, _row(grade, grades.tier)))
        yield line.text


def _row(grade: Grade, tier: str) -> Iterator[str]:
    solved = "yes" if grade.solved else NOT_JUDGED if grade.score is None else "no"
    yield from (grade.id, grade.kata or "", solved, "" if grade.score is None else points(grade.score))
    stages = by_stage(grade)
    for stage in Stage:
        known = stage in stages and not any(check.not_judged for check in stages[stage])
        yield points(sum(check.points or 0.0 for check in stages[stage])) if known else ""
    yield from (f"{grade.seconds:.2f}", tier, _problem(grade))


def _problem(grade: Grade) -> str:
    failing = next((check for check in grade.checks if check.not_judged), None)
    failing = failing or next((check for check in grade.checks if not check.passed), None)
    if failing is not None:
        return f"{failing.stage}: {titled(failing)}: {explained(grade, failing)}"
    return "" if grade.solved else problem(grade)


def _cell(text: str) -> str:
    """Return text on one line; a quote in front stops spreadsheets from reading it as a formula.

    https://owasp.org/www-community/attacks/CSV_Injection
    """
    text = flat(text)
    return f"'{text}" if text.startswith(FORMULA) else text
