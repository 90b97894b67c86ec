"""What every way of running a SUT can do: in a process of its own, or in this one for a debugger."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from drill_katas.catalog.katas import Limits
    from drill_katas.judge.observation import Logged
    from drill_katas.judge.output import Output
    from drill_katas.judge.program import Program
    from drill_katas.machine.cpu_time import Wait
    from drill_katas.services.kept import Kept
    from drill_katas.sut.protocol import JudgeRequest, Reply


class Running(Protocol):
    """A SUT that runs: in a process of its own, or in this one for a debugger."""

    pid: int
    logs: list[Logged]
    output: Output

    @property
    def weight(self) -> int:
        """About how many bytes of the judge's memory its last answer takes."""

    def count_in(self, kept: Kept) -> None:
        """Count there what is kept of this SUT; too much of it is its end."""

    def ask(self, request: JudgeRequest, wait: Wait, fds: Sequence[int] = ()) -> Reply:
        """Send a request, with file descriptors that it needs, and return its answer."""

    def kill(self) -> None:
        """End it at once."""

    def kill_soon(self) -> None:
        """End it from another thread."""

    def stacks(self) -> str:
        """Return the stacks of its threads."""

    def close(self) -> None:
        """End it and let go of what it held."""


class Spawner(Protocol):
    """Starts SUTs."""

    @property
    def families(self) -> list[int]:
        """The processes whose work, and that of all below them, is the judge's own."""

    def spawn(self, program: Program, limits: Limits, sockets: Path) -> Running:
        """Start one, which finds the judge in the folder `sockets`; an earlier one is ended first."""
