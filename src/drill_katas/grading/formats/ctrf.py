"""The Common Test Report Format: https://github.com/ctrf-io/ctrf, `schema/ctrf.schema.json`."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

import msgspec

from drill_katas import __version__
from drill_katas.grading.formats.common import explained, flat, problem, titled, where
from drill_katas.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from drill_katas.grading.grades import CheckGrade, Grade, Grades

SPECIFICATION: Final = "0.0.0"  # version of the working draft of November 2025
NAMESPACE: Final = "drill-katas"  # key in "extra"
STATUSES: Final = ("passed", "failed", "skipped", "pending", "other")
OTHER: Final = {Outcome.NOT_REACHED, Outcome.NOT_JUDGED}
"""Outcomes reported as "other", because readers may count "skipped" as a success."""


def to_ctrf(grades: Grades) -> Iterator[str]:
    """Yield the report. An unreadable submission is one failed test."""
    yield '{"reportFormat": "CTRF", "specVersion": ' + _json(SPECIFICATION)
    yield ', "generatedBy": ' + _json(f"drill-katas {__version__}")
    yield ', "results": {"tool": ' + _json({"name": "drill-katas", "version": __version__})
    yield ', "summary": ' + _json(_summary(grades)) + ', "tests": ['
    for number, test in enumerate(_tests(grades)):
        yield (",\n" if number else "\n") + _json(test)
    yield "\n]}}\n"


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _summary(grades: Grades) -> dict[str, Any]:
    """Return the counts of all tests. `stop` is now; `start` is earlier by the sum of all durations."""
    counts = dict.fromkeys(STATUSES, 0)
    duration = 0
    for grade in grades:
        duration += _milliseconds(grade.seconds)
        for status in map(_status, grade.checks) if grade.checks else [_without_checks(grade)]:
            counts[status] += 1
    stop = int(time.time() * 1000)
    extra = {NAMESPACE: {"tier": grades.tier, "submissions": len(grades)}}
    return {"tests": sum(counts.values()), **counts, "start": stop - duration, "stop": stop, "extra": extra}


def _tests(grades: Iterable[Grade]) -> Iterator[dict[str, Any]]:
    for grade in grades:
        yield from (_test(grade, check) for check in grade.checks)
        if not grade.checks:
            id_ = flat(grade.id)
            status = _without_checks(grade)
            yield {"name": "judged", "status": status, "duration": 0, "suite": [id_], "message": problem(grade)}


def _test(grade: Grade, check: CheckGrade) -> dict[str, Any]:
    suite = [flat(grade.id), grade.kata or "-", str(check.stage)]
    test = {
        "testId": "/".join((*suite, flat(check.name))),
        "name": titled(check),
        "status": _status(check),
        "rawStatus": str(check.verdict),
        "duration": _milliseconds(check.seconds),
        "suite": suite,
        "extra": {NAMESPACE: {"points": check.points, "worth": check.worth}},
    }
    if not check.passed:
        test["message"] = explained(grade, check)
        test |= {"trace": place} if (place := where(grade, check)) else {}
    return test


def _status(check: CheckGrade) -> str:
    if check.verdict in OTHER:
        return "other"
    return "passed" if check.passed else "failed"


def _without_checks(grade: Grade) -> str:
    return "other" if grade.score is None else "failed"


def _milliseconds(seconds: float) -> int:
    return round(seconds * 1000)
