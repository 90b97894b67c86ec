"""One self-contained HTML page: a list of submissions with expandable details."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Final

import jinja2

from drill_katas.grading.formats import common

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drill_katas.grading.grades import Grade, Grades

AT_ONCE: Final = 100  # template pieces per yielded piece


def to_html(grades: Grades) -> Iterator[str]:
    """Return the page, piece by piece."""
    solved = sum(grade.solved for grade in grades)
    pieces = _templates().get_template("page.html").stream(grades=grades, solved=solved, mark=_mark)
    pieces.enable_buffering(AT_ONCE)
    return pieces


@functools.cache
def _templates() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"flat": common.flat, "plain": common.plain}
    for function in (common.by_stage, common.explained, common.gained, common.points, common.problem, common.titled):
        environment.globals[function.__name__] = function
    environment.globals["unjudged"] = common.unjudged
    return environment


def _mark(grade: Grade) -> str:
    return "✓" if grade.solved else "?" if grade.score is None else "✗"
