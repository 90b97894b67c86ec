"""The findings and the score of a post-mortem as text."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from drill_katas.postmortem.result import POINTS
from drill_katas.report.text import TextLine, line, wrapped
from drill_katas.text import plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from drill_katas.postmortem.blocks import Problem
    from drill_katas.postmortem.result import Review
    from drill_katas.report.text import Style


def problem_lines(problems: Iterable[Problem], width: int) -> Iterator[TextLine]:
    """Return the problems of the markers, each with its line."""
    for problem in problems:
        yield from wrapped(f"line {problem.line}: {problem.message}" if problem.line else problem.message, width, "")


def review_lines(review: Review, file: str, width: int) -> Iterator[TextLine]:
    """Return the findings, each with its line, the points of each part, and the score."""
    for finding in review.findings:
        where = f"{file}:{finding.line}: " if finding.line else f"{file}: "
        yield from wrapped(where + finding.message, width, "", "note")
    if review.findings:
        yield line()
    for name, points in review.parts.items():
        yield line(f"  {name:<10}{points:>5g} of {POINTS[name]:>2}")
    yield line()
    style: Style = "bad" if review.findings else "good"
    findings = plural(len(review.findings), "finding") if review.findings else "no finding"
    yield line((f"score {review.score} of 100", "bold"), "; ", (findings, style))
    if review.missing:
        counts = Counter(review.missing)
        kinds = ", ".join(plural(number, kind) for kind, number in counts.items())
        text = f"Your table names {review.named} of the {review.of} factors that the author knows. It lacks: {kinds}."
        yield from wrapped(text, width, "")
