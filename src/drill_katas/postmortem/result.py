"""The result of the check of a post-mortem: its findings, and its score."""

from __future__ import annotations

from typing import Final

import msgspec

from drill_katas.postmortem.finding import Finding  # noqa: TC001 - msgspec reads the annotations
from drill_katas.practice.journal import Reviewed

FORMAT: Final = 1
POINTS: Final = {
    "factors": 40,
    "evidence": 10,
    "whys": 12,
    "alerts": 12,
    "actions": 14,
    "impact": 4,
    "timeline": 4,
    "learning": 4,
}


class Review(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a check.

    | field | meaning |
    | --- | --- |
    | `findings` | problems, by line |
    | `score` | from 0 to 100 |
    | `parts` | the points of each part |
    | `named`, `of` | factors of the author that the table names, and all of them |
    | `missing` | the kinds of the others |
    """

    format: int = FORMAT
    kata: str
    variant: str
    findings: tuple[Finding, ...]
    score: int
    parts: dict[str, float]
    named: int
    of: int
    missing: tuple[str, ...]


def event_of(of: Review) -> Reviewed:
    """Return the event of a check for the journal."""
    return Reviewed(kata=of.kata, variant=of.variant, score=of.score, findings=len(of.findings))
