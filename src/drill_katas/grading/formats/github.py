"""GitHub: annotations as workflow commands, and a job summary in Markdown.

https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands
"""

from __future__ import annotations

import os
import re
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final

from drill_katas.grading.formats.common import by_stage, flat, gained, plain, points, problem, titled, unjudged, where

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drill_katas.grading.grades import CheckGrade, Grade, Grades

MOST_SUMMARY: Final = 900_000  # bytes; GitHub rejects a step summary above 1 MiB
ERROR: Final = "error"
WARNING: Final = "warning"  # the grader or the machine failed
MARKDOWN: Final = re.compile(r"[\\`*_{}\[\]|~#!$@]|(?<=:)/|(?<=www)\.", re.IGNORECASE)
"""Characters with a meaning in GitHub's Markdown: markup, tables, mentions, formulas, addresses."""


def to_github(grades: Grades) -> Iterator[str]:
    """Yield the annotations, then the summary; the summary goes to the file in `GITHUB_STEP_SUMMARY` if it is set."""
    for grade in grades:
        yield from _annotations(grade)
    file = os.environ.get("GITHUB_STEP_SUMMARY")
    if not file:
        yield from to_summary(grades)
        return
    with Path(file).open("a", encoding="utf-8") as summary:
        summary.writelines(to_summary(grades))


def _annotations(grade: Grade) -> Iterator[str]:
    """Yield an annotation per failing check, those with a line first, because GitHub shows only ten per step."""
    failing = [check for check in grade.checks if not check.passed]
    for check in sorted(failing, key=lambda check: check.line is None):
        kind = WARNING if check.not_judged else ERROR
        yield _command(kind, f"{check.stage}: {titled(check)}", plain(check.message), _place(grade, check))
    if not grade.checks:
        yield _command(WARNING if grade.score is None else ERROR, flat(grade.id), problem(grade), {})


def _command(kind: str, title: str, message: str, place: dict[str, str]) -> str:
    properties = ",".join(f"{name}={_property(value)}" for name, value in {**place, "title": title}.items())
    return f"::{kind} {properties}::{_data(message)}\n"


def _place(grade: Grade, check: CheckGrade) -> dict[str, str]:
    """Return the file and line to annotate; for a check without a line, the only editable file, or {}."""
    if check.file is not None and check.file in grade.places:
        return {"file": _in_repository(grade.places[check.file]), "line": str(check.line)}
    if len(grade.places) == 1:
        return {"file": _in_repository(*grade.places.values())}
    return {}


def _in_repository(place: str) -> str:
    """Return a path relative to the checkout, as GitHub expects. Links in the submission are not followed."""
    path, top = os.path.abspath(place), os.path.abspath(os.environ.get("GITHUB_WORKSPACE") or ".")  # noqa: PTH100
    inside = (path.removeprefix(f"{each}/") for each in (top, os.path.realpath(top)))
    return plain(min(inside, key=len))


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")


def to_summary(grades: Grades) -> Iterator[str]:
    """Yield the summary of the submissions that fit into `MOST_SUMMARY` bytes."""
    solved = sum(grade.solved for grade in grades)
    yield f"## Katas: {solved} of {len(grades)} solved{unjudged(grades)}\n\nSandbox tier: {_text(grades.tier)}.\n\n"
    room = MOST_SUMMARY
    for number, grade in enumerate(grades):
        section = "".join(_submission(grade))
        room -= len(section.encode())
        if room < 0:
            yield f"{len(grades) - number} more submissions are not shown here.\n"
            return
        yield section


def _submission(grade: Grade) -> Iterator[str]:
    mark = "✅" if grade.solved else "⚠️" if grade.score is None else "❌"
    yield f"### {mark} {_text(grade.id)}{f', {_text(grade.kata)}' if grade.kata else ''}\n\n"
    if not grade.checks:
        yield f"{_text(problem(grade))}\n\n"
        return
    yield from _stages(grade)
    yield from (_failing(grade, check) for check in grade.checks if not check.passed)
    yield from (f"- {_text(note)}\n" for note in grade.notes)
    yield "\n"


def _stages(grade: Grade) -> Iterator[str]:
    yield "| stage | passed | points |\n| --- | --- | --- |\n"
    for stage, checks in by_stage(grade).items():
        yield f"| {stage} | {' | '.join(gained(checks))} |\n"
    yield f"| **all** | {gained(grade.checks)[0]} | **{points(grade.score)}** |\n\n"


def _failing(grade: Grade, check: CheckGrade) -> str:
    place = where(grade, check)
    message = f"{_text(check.message)} ({_text(place)})" if place else _text(check.message)
    return f"- {check.stage}, **{_text(titled(check))}** ({check.verdict}): {message}\n"


def _text(text: str) -> str:
    """Return text on one line, escaped so that Markdown shows it unchanged."""
    return MARKDOWN.sub(lambda sign: f"&#{ord(sign[0])};", escape(flat(text), quote=False))
