"""The incident's clock."""

from __future__ import annotations

import time
from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock:
    """Runs `scale` times as fast as the judge's clock, and can jump forward, never back.

    What happened is placed on it afterwards, too: what was under way during a jump has taken that much longer.
    """

    def __init__(self, begins: float, scale: float) -> None:
        self._scale = scale
        self._real = [time.monotonic()]  # when each jump was made
        self._told = [begins]  # and where it led

    def now(self) -> float:
        """Return the incident's time."""
        return self.at(time.monotonic())

    def at(self, monotonic: float) -> float:
        """Return the incident's time at a moment of the judge's clock."""
        jump = max(0, bisect_right(self._real, monotonic) - 1)
        return round(self._told[jump] + (monotonic - self._real[jump]) * self._scale, 6)

    def skipped(self, seconds: float) -> float:
        """Return how long, by the judge's clock, a jump over so many seconds of the incident's would have taken."""
        return seconds / self._scale

    def jump_to(self, at: float) -> None:
        """Go on from a later time; a time that is past already changes nothing."""
        real = time.monotonic()
        if at > self.at(real):
            self._real.append(real)
            self._told.append(at)


class PacedClock(Clock):
    """Takes its time for what a clock jumps over: a second of ours for `speed` seconds of the incident's.

    `rest(seconds)` is called for each of these times, and is back when they are over.
    """

    def __init__(self, begins: float, scale: float, speed: float, rest: Callable[[float], None]) -> None:
        super().__init__(begins, scale)
        self._speed = speed
        self._rest = rest

    def skipped(self, seconds: float) -> float:
        """Return how long it would have taken beyond the time that it takes."""
        return max(0.0, super().skipped(seconds) - seconds / self._speed)

    def jump_to(self, at: float) -> None:
        """Go on from a later time, when the time has come."""
        self._rest((at - self.now()) / self._speed)
        super().jump_to(at)
