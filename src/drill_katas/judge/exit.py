"""How a SUT ends, or stays silent, while the judge waits for its answer."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from drill_katas.sandbox.protocol import Why


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


class Died(Exception):
    """The SUT ended while an answer was awaited."""

    def __init__(self, exit_: Exit) -> None:
        super().__init__(str(exit_))
        self.exit = exit_


class Silent(Exception):
    """No answer came in time; the SUT is alive."""
