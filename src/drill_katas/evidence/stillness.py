"""Detection of a system at rest: it shows no sign of progress."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from drill_katas.machine.cpu_time import Meter


class Stillness:
    """Detects that `signs` did not change for `seconds`.

    Time without a processor does not count, because a system without one cannot make progress.
    """

    def __init__(self, signs: Callable[[], tuple[int, ...]], meter: Meter, seconds: float) -> None:
        self._signs = signs
        self._meter = meter
        self._seconds = seconds
        self._seen: tuple[int, ...] | None = None
        self._since = 0.0
        self._waited = meter.measure()

    def reached(self) -> bool:
        """Look again, and return whether the system has been still for `seconds`."""
        now, seen = time.monotonic(), self._signs()
        if seen != self._seen:
            self._since, self._seen = now, seen
        if now - self._since < self._seconds:
            return False
        before, self._waited = self._waited, self._meter.measure()
        self._since = min(now, self._since + self._waited - before)
        return now - self._since >= self._seconds
