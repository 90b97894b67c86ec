"""The declaration of an incident in a kata's `incident.py`; the function `replay(scene)` there plays it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drill_katas.kit.rules import Rule


@dataclass(frozen=True)
class Incident:
    """The time of an incident, its alert rules, and its experiments.

    | field | meaning |
    | --- | --- |
    | `begins` | start, ISO 8601 in UTC |
    | `minutes` | duration |
    | `request` | the customers' request whose service level is reported |
    | `since`, `until` | first and last minute of the worst part, counted from `begins`; `until` defaults to the end |
    | `ablations` | experiments: the name of each thing to leave out or fix, and its meaning in words |
    | `scale` | speed of the incident's clock relative to the judge's; the clock jumps over idle time |
    | `buckets` | upper bounds of the duration histograms, in seconds |
    """

    begins: str
    minutes: int
    request: str
    since: int
    rules: tuple[Rule, ...]
    ablations: Mapping[str, str]
    until: int | None = None
    scale: float = 1.0
    buckets: tuple[float, ...] = field(default=(0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.28))

    @property
    def began(self) -> float:
        """The start, in seconds since 1970."""
        return datetime.fromisoformat(self.begins).timestamp()

    @property
    def impact(self) -> tuple[float, float]:
        """Start and end of the worst part, in seconds since 1970."""
        until = self.minutes if self.until is None else self.until
        return self.began + self.since * 60, self.began + until * 60

    @property
    def ended(self) -> float:
        """The end, in seconds since 1970."""
        return self.began + self.minutes * 60
