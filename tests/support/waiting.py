"""Waiting for a condition, with a bound."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable

SOON: Final = 20.0  # seconds, more than any machine needs


def eventually(holds: Callable[[], object], seconds: float = SOON) -> bool:
    """Return whether a condition becomes true in time."""
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def wait_until(holds: Callable[[], object], seconds: float = SOON) -> None:
    """Wait for a condition. Raises `AssertionError` if it does not become true in time."""
    assert eventually(holds, seconds), f"it did not happen within {seconds:g} s"
