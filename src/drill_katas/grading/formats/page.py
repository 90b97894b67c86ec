"""One HTML page that asks nobody for anything: a table of the submissions, each of which opens up."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from drill_katas.grading.formats.plain import (
    by_stage,
    explained,
    flat,
    gained,
    plain,
    points,
    problem,
    titled,
    unjudged,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drill_katas.grading.grades import CheckGrade, Grade, Grades

HEAD: Final = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Grades</title>
<style>
:root { color-scheme: light dark; font: 16px/1.45 system-ui, sans-serif; }
body { max-width: 64rem; margin: 2rem auto; padding: 0 1rem; }
details { border-top: 1px solid #8886; padding: .4rem 0; }
summary { cursor: pointer; overflow-wrap: anywhere; }
table { border-collapse: collapse; margin: .6rem 0 .6rem 1.2rem; }
th, td { padding: .1rem .8rem .1rem 0; text-align: left; }
td + td, th + th { text-align: right; font-variant-numeric: tabular-nums; }
ul { margin: .4rem 0; }
pre { margin: .1rem 0 .6rem; white-space: pre-wrap; overflow-wrap: anywhere; }
.score { display: inline-block; min-width: 4.5rem; font-variant-numeric: tabular-nums; }
</style>
</head>
<body>
<h1>Grades</h1>
"""


def to_html(grades: Grades) -> Iterator[str]:
    """Yield the page."""
    solved = sum(grade.solved for grade in grades)
    yield HEAD
    yield f"<p>{solved} of {len(grades)} solved{unjudged(grades)}; held at the tier {_text(grades.tier)}</p>\n"
    yield from (_submission(grade) for grade in grades)
    yield "</body>\n</html>\n"


def _submission(grade: Grade) -> str:
    mark = "✓" if grade.solved else "?" if grade.score is None else "✗"
    head = f'<span class="score">{mark} {points(grade.score)}</span> {_text(grade.id)}'
    if not grade.checks:
        return f"<details><summary>{head}</summary><p>{escape(problem(grade))}</p></details>\n"
    failing = "".join(_failing(grade, check) for check in grade.checks if not check.passed)
    notes = "".join(f"<li>{_text(note)}</li>" for note in grade.notes)
    return (
        f"<details><summary>{head}, {_text(grade.kata or '')}</summary>\n{_stages(grade)}"
        f"{f'<ul>{failing}</ul>' if failing else ''}{f'<ul>{notes}</ul>' if notes else ''}</details>\n"
    )


def _stages(grade: Grade) -> str:
    rows = "".join(
        f"<tr><td>{stage}</td>{''.join(f'<td>{each}</td>' for each in gained(checks))}</tr>"
        for stage, checks in by_stage(grade).items()
    )
    return f"<table><tr><th>stage</th><th>passed</th><th>points</th></tr>{rows}</table>\n"


def _failing(grade: Grade, check: CheckGrade) -> str:
    said = escape(plain(explained(grade, check)))
    return f"<li>{check.stage}: {escape(titled(check))} ({check.verdict})<pre>{said}</pre></li>"


def _text(text: str) -> str:
    return escape(flat(text))
