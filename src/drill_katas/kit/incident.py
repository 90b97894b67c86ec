"""What a kata's `incident.py` says of its incident; its function `replay(scene)` then plays it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drill_katas.kit.rules import Rule


@dataclass(frozen=True)
class Incident:
    """The time of an incident, its alert rules, and the experiments that can be made with it.

    It lasts from `begins`, ISO 8601 in UTC, for so many minutes. `request` is what the customers ask whom it is about;
    what they got is told before the minute `since`, and from then on to `until` or the end. The incident's clock runs
    `scale` times as fast as the judge's while something happens, and jumps when nothing does. `buckets` are the upper
    bounds in seconds of the histograms of durations. `ablations` names what can be left out or put right, and says in
    words what that means.
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
        """When it begins, in seconds since 1970."""
        return datetime.fromisoformat(self.begins).timestamp()

    @property
    def hurt(self) -> tuple[float, float]:
        """The stretch of time that it is about, in seconds since 1970."""
        until = self.minutes if self.until is None else self.until
        return self.began + self.since * 60, self.began + until * 60

    @property
    def ended(self) -> float:
        """When it ends, in seconds since 1970."""
        return self.began + self.minutes * 60
