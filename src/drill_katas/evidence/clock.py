"""The simulated clock of an incident."""

from __future__ import annotations

import time
from bisect import bisect_right
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


class Clock:
    """A clock that runs `scale` times as fast as the judge's clock and can jump forward, never back.

    It also converts past times of the judge's clock. An operation that was running during a jump therefore becomes
    longer by the jump.
    """

    def __init__(self, begins: float, scale: float) -> None:
        self._scale = scale
        self._real = [time.monotonic()]  # judge's time of each jump
        self._simulated = [begins]  # incident's time after each jump

    def now(self) -> float:
        """Return the incident's current time, in seconds since 1970."""
        return self.at(time.monotonic())

    def at(self, monotonic: float) -> float:
        """Return the incident's time at a time of the judge's monotonic clock."""
        jump = max(0, bisect_right(self._real, monotonic) - 1)
        return round(self._simulated[jump] + (monotonic - self._real[jump]) * self._scale, 6)

    def skipped(self, seconds: float) -> float:
        """Return the seconds of the judge's clock that a jump over `seconds` of the incident's clock saves."""
        return seconds / self._scale

    def jump_to(self, at: float) -> None:
        """Continue from a later time; a past time changes nothing."""
        real = time.monotonic()
        if at > self.at(real):
            self._real.append(real)
            self._simulated.append(at)


class PacedClock(Clock):
    """A clock that waits before each jump: one real second for `speed` seconds of the incident.

    `rest(seconds)` is called to wait.
    """

    def __init__(self, begins: float, scale: float, speed: float, rest: Callable[[float], None]) -> None:
        super().__init__(begins, scale)
        self._speed = speed
        self._rest = rest

    def skipped(self, seconds: float) -> float:
        """Return the seconds of the judge's clock that a jump saves, in spite of the wait."""
        return max(0.0, super().skipped(seconds) - seconds / self._speed)

    def jump_to(self, at: float) -> None:
        """Wait, then continue from a later time."""
        self._rest((at - self.now()) / self._speed)
        super().jump_to(at)
