"""How a SUT ends, and the answers and exceptions that a judge hears from it."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from typing import Literal

import msgspec

Why = Literal["asked", "output", "processes", "memory", "descriptors", "replaced", "frame", "hung up"]
"""Why the judge ended a SUT; what it printed, started, used or sent was too much, or it was asked to."""


@dataclass(frozen=True)
class Exit:
    """How a SUT ended: its wait status, and why the judge ended it, if it did."""

    status: int
    why: Why | None

    def __str__(self) -> str:
        """Say it as an engineer would."""
        code = os.waitstatus_to_exitcode(self.status)
        if code >= 0:
            return f"exited with status {code}"
        return f"was killed by {signal.Signals(-code).name}"


class Problem(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a SUT answers when a request could not be served; see `sut/host.py`."""

    kind: Literal["import", "elsewhere", "missing", "signature", "raised", "exit", "unplain", "memory", "processes"]
    type: str
    message: str
    frames: list[tuple[str, int, str, str]]


class Refusal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The frame of such an answer."""

    error: Problem


class Died(Exception):
    """The SUT ended while an answer was awaited."""

    def __init__(self, exit_: Exit) -> None:
        super().__init__(str(exit_))
        self.exit = exit_


class Silent(Exception):
    """No answer came in time; the SUT is alive."""
