"""The program's clock in a replay: it can be put forward, so that what waits for minutes need not be waited for."""

from __future__ import annotations

import time
from typing import Final

real_monotonic: Final = time.monotonic  # by the clock that the judge shares
_real_time: Final = time.time
_ahead: list[float] = [0.0]


def make_virtual() -> None:
    """Have `time.monotonic` and `time.time` of this process, and event loops with them, go by the clock here.

    To be called before the learner's modules are imported. Threads that wait go on by the real clock.
    """
    time.monotonic = lambda: real_monotonic() + _ahead[0]
    time.time = lambda: _real_time() + _ahead[0]


def is_virtual() -> bool:
    """Return whether this process's clock can be put forward."""
    return time.monotonic is not real_monotonic


def put_forward(seconds: float) -> None:
    """Put the clock forward."""
    _ahead[0] += seconds
