"""JUnit XML, as Jenkins's xunit plugin (`junit-10.xsd`), Surefire, and GitLab read it.

A suite is a submission. GitLab shows the class name as the suite, and keeps only one test per class name and name: https://docs.gitlab.com/ci/testing/unit_test_reports/.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape, quoteattr

from drill_katas.grading.formats.common import explained, flat, points, problem, titled
from drill_katas.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from drill_katas.grading.grades import CheckGrade, Grade, Grades

ERRORS: Final = {Outcome.HANG, Outcome.CRASH, Outcome.LIMIT, Outcome.NOT_REACHED, Outcome.NOT_JUDGED}
"""Outcomes reported as errors. NOT_REACHED is one, because readers may count a skipped test as a success."""


def to_junit(grades: Grades) -> Iterator[str]:
    """Yield the document. An unreadable submission is one test with an error."""
    whole = _attributes(name="drill-katas", time=_seconds(sum(grade.seconds for grade in grades)), **_counts(grades))
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<testsuites {whole}>\n'
    for grade in grades:
        yield from _suite(grade, grades.tier)
    yield "</testsuites>\n"


def _suite(grade: Grade, tier: str) -> Iterator[str]:
    of_suite = _attributes(name=grade.id, time=_seconds(grade.seconds), skipped="0", **_counts([grade]))
    known = {
        "kata": grade.kata or "-",
        "solved": str(grade.solved).lower(),
        "score": points(grade.score),
        "tier": tier,
    }
    yield f"<testsuite {of_suite}>\n<properties>\n"
    for name, value in known.items():
        yield f"<property {_attributes(name=name, value=value)}/>\n"
    yield "</properties>\n"
    yield from (_case(grade, check) for check in grade.checks)
    if not grade.checks:
        what = "not judged" if grade.score is None else "unreadable"
        yield _element(_attributes(classname=grade.id, name="judged", time="0"), "error", what, problem(grade))
    yield "</testsuite>\n"


def _case(grade: Grade, check: CheckGrade) -> str:
    case = _attributes(
        classname=f"{grade.id}.{grade.kata}.{check.stage}",
        name=f"{titled(check)} ({check.name})",
        time=_seconds(check.seconds),
    )
    if check.passed:
        return f"<testcase {case}/>\n"
    kind = "error" if check.verdict in ERRORS else "failure"
    return _element(case, kind, str(check.verdict), explained(grade, check))


def _element(case: str, kind: str, type_: str, text: str) -> str:
    about = _attributes(type=type_, message=text.partition("\n")[0])
    return f"<testcase {case}>\n<{kind} {about}>{escape(text)}</{kind}>\n</testcase>\n"


def _attributes(**values: str) -> str:
    return " ".join(f"{name}={quoteattr(flat(value))}" for name, value in values.items())


def _counts(grades: Iterable[Grade]) -> dict[str, str]:
    tests = failures = errors = 0
    for grade in grades:
        failing = [check.verdict in ERRORS for check in grade.checks if not check.passed] if grade.checks else [True]
        tests += len(grade.checks) or 1
        errors += sum(failing)
        failures += len(failing) - sum(failing)
    return {"tests": str(tests), "failures": str(failures), "errors": str(errors)}


def _seconds(seconds: float) -> str:
    return f"{seconds:.3f}"
