"""What is told of a diagnosis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drill_katas.diagnosis import told
from drill_katas.report.catalog import penalty_of
from drill_katas.report.text import clock, line, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from drill_katas.diagnosis import Score, State
    from drill_katas.progress import KataProgress
    from drill_katas.report.text import Line, Style

STYLES: Final[dict[State, Style]] = {"proposed": "note", "supported": "good", "refuted": "bad"}


def score_lines(score: Score, standing: KataProgress, width: int, at: datetime) -> Iterator[Line]:
    """Show a score part by part, as far as the evidence that was asked decides them, and its cost."""
    yield line("your hypothesis is ", (score.state, STYLES[score.state]))
    for part in score.parts:
        first, *rest = wrapped(f"{part.name:<10}  {told(part, standing.asked)}", width - 14, "")
        yield line("  ", *((piece.text, "") for piece in first))
        yield from (line(" " * 14, *((piece.text, "") for piece in more)) for more in rest)
    if score.right:
        yield line(
            (f"That is the cause: {score.points} of 100 points", "good"), f", after {clock(standing.to_diagnose())}."
        )
        return
    cost = f": {penalty_of(standing.wrong_diagnoses)}" if standing.wrong_at else ""
    yield line(f"The clock shows {clock(standing.clock(at))}{cost}.")
    yield line("Ask more, predict what comes of another experiment, and diagnose again.")
