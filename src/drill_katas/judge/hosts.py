"""The two hosts that programs run on, in turn."""

from __future__ import annotations

import itertools
from collections import deque
from typing import TYPE_CHECKING, Final, Self

from drill_katas.judge.spawning import Zygote
from drill_katas.machine.shortage import require_proc
from drill_katas.sandbox.tier import PRACTICE, Hold
from drill_katas.services.sql_nursery import NURSERY

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from drill_katas.catalog.katas import Limits
    from drill_katas.judge.process import Process
    from drill_katas.judge.program import Program


HOSTS: Final = 2


class Hosts:
    """Starts each SUT on the other host than the one before: from a zygote of its own.

    What is forked from one process has one seed for `hash()` of strings. After a restart in production it is another
    one, and a program that has stored such a hash must fail here as it would there. Each host has one of its own that
    is always the same, and so is the verdict. Raises `UserError` where no SUT can be watched.
    """

    def __init__(self, preload: Sequence[str], hold: Hold = PRACTICE) -> None:
        require_proc()
        if any(module.partition(".")[0] == "sqlalchemy" for module in preload):
            NURSERY.start()
        self._preload = preload
        self._hold = hold
        self._seeds = itertools.count(1)
        self._zygotes = deque(self._zygote() for _ in range(HOSTS))

    def spawn(self, program: Program, limits: Limits, sockets: Path) -> Process:
        """Start a SUT, which finds the judge in the folder `sockets`; the one before has to be ended."""
        process = self._zygotes[0].spawn(program, limits, sockets)
        self._zygotes.rotate()
        return process

    def get_ready(self) -> Self:
        """Wait until both hosts are ready: a start takes processor time from what runs beside it."""
        self.rest()
        return self

    @property
    def pids(self) -> list[int]:
        """The processes that programs are forked from."""
        return [zygote.pid for zygote in self._zygotes]

    @property
    def families(self) -> list[int]:
        """The processes whose work, and that of all below them, is the judge's own; one may still start up."""
        return [*self.pids, *NURSERY.pids]

    def rest(self) -> None:
        """End what a run in a fork of this process has left; then be ready for another one's programs."""
        for zygote in self._zygotes:
            zygote.rest()

    def close(self) -> None:
        """End all that runs."""
        for zygote in self._zygotes:
            zygote.close()

    def _zygote(self) -> Zygote:
        return Zygote(self._preload, self._hold, hash_seed=next(self._seeds))
