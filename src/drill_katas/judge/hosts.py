"""The two hosts that programs run on, in turn."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from drill_katas.judge.process import Process, Zygote

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drill_katas.catalog import Limits
    from drill_katas.judge.program import Program


class Hosts:
    """Starts each SUT on the other host than the one before: from a zygote of its own.

    What is forked from one process has one seed for `hash()` of strings. After a restart in production it is another
    one, and a program that has stored such a hash must fail here as it would there.
    """

    def __init__(self, preload: Sequence[str]) -> None:
        self._preload = preload
        self._zygotes = deque([Zygote(preload)])

    def spawn(self, program: Program, limits: Limits) -> Process:
        """Start a SUT; the one before has to be ended."""
        process = self._zygotes[0].spawn(program, limits)
        if len(self._zygotes) == 1:  # while the first SUT is busy, so that nobody waits for it
            self._zygotes.append(Zygote(self._preload))
        self._zygotes.rotate()
        return process

    def renew(self) -> None:
        """Be ready to start another run's programs, as if none had been started."""
        self.close()
        self._zygotes = deque([Zygote(self._preload)])

    def close(self) -> None:
        """End all that runs."""
        for zygote in self._zygotes:
            zygote.close()
