"""The virtual clock of a program in a replay: the judge advances it, so that long waits take no real time."""

from __future__ import annotations

import time
from typing import Final

real_monotonic: Final = time.monotonic  # the clock that judge and SUT share
_real_time: Final = time.time
_ahead: list[float] = [0.0]


def make_virtual() -> None:
    """Make `time.monotonic`, `time.time` and event loops of this process use the virtual clock.

    Call this before the learner's modules are imported. Waits of threads still take real time.
    """
    time.monotonic = lambda: real_monotonic() + _ahead[0]
    time.time = lambda: _real_time() + _ahead[0]


def is_virtual() -> bool:
    """Return whether this process uses the virtual clock."""
    return time.monotonic is not real_monotonic


def advance(seconds: float) -> None:
    """Advance the virtual clock."""
    _ahead[0] += seconds
