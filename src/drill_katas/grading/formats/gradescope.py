"""Gradescope's `results.json`: https://gradescope-autograders.readthedocs.io/en/latest/specs/#output-format."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drill_katas.errors import UserError
from drill_katas.files import indented_json
from drill_katas.grading.formats.common import by_stage, explained, plain, points, problem, titled, without_score

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drill_katas.grading.grades import CheckGrade, Grade, Grades


def expect_one(number: int) -> None:
    """Raise `UserError` unless there is exactly one submission, because `results.json` describes one."""
    if number != 1:
        raise UserError(
            f"--format gradescope needs exactly one submission, got {number}; "
            f"give the path of one (on Gradescope, /autograder/submission)"
        )


def to_gradescope(grades: Grades) -> Iterator[str]:
    """Return the file in one piece.

    Raises `UserError` for more than one submission, or without a score. The format requires a score; without a file,
    Gradescope reports that the autograder failed, and the submission can be graded again.
    """
    expect_one(len(grades))
    (grade,) = grades
    if grade.score is None:
        raise UserError(f"{grade.id} has no score, so no results are printed: {without_score(grade)}")
    return iter([indented_json(_results(grade, grades.tier)).decode()])


def _results(grade: Grade, tier: str) -> dict[str, Any]:
    return {
        "score": grade.score,
        "execution_time": grade.seconds,
        "output": _output(grade),
        "output_format": "text",
        "visibility": "visible",
        "stdout_visibility": "hidden",
        "tests": [
            _test(grade, check, f"{stage_number}.{number}")
            for stage_number, checks in enumerate(by_stage(grade).values(), 1)
            for number, check in enumerate(checks, 1)
        ],
        "extra_data": {"kata": grade.kata, "solved": grade.solved, "tier": tier},
    }


def _output(grade: Grade) -> str:
    if grade.kata is None:
        return problem(grade)
    passed = sum(check.passed for check in grade.checks)
    summary = f"{grade.kata}: {passed} of {len(grade.checks)} checks pass, {points(grade.score)} points"
    return plain("\n".join((summary, *grade.notes)))


def _test(grade: Grade, check: CheckGrade, number: str) -> dict[str, Any]:
    return {
        "number": number,
        "name": f"{check.stage}: {titled(check)}",
        "score": check.points,
        "max_score": check.worth,
        "status": "passed" if check.passed else "failed",
        "output": "" if check.passed else explained(grade, check),
        "output_format": "text",
        "tags": [str(check.stage), str(check.verdict)],
        "visibility": "visible",
    }
