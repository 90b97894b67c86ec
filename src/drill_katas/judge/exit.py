"""How a SUT can fail to answer the judge: it exits, or its time runs out."""

from __future__ import annotations

import os
import signal
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from drill_katas.sandbox.protocol import Why


@dataclass(frozen=True)
class Exit:
    """How a SUT ended: its wait status, and the judge's reason if the judge killed it."""

    status: int
    why: Why | None

    def __str__(self) -> str:
        """Return "exited with status 1" or "was killed by SIGSEGV"."""
        code = os.waitstatus_to_exitcode(self.status)
        if code >= 0:
            return f"exited with status {code}"
        return f"was killed by {signal.Signals(-code).name}"


class SutExited(Exception):
    """The SUT exited before it answered."""

    def __init__(self, exit_: Exit) -> None:
        super().__init__(str(exit_))
        self.exit = exit_


class NoAnswer(Exception):
    """The SUT is alive and did not answer in time."""
