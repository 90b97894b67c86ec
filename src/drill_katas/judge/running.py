"""Protocols of a running SUT and of its spawner, for SUT processes and for inline runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drill_katas.catalog.katas import Limits
    from drill_katas.judge.observation import Logged
    from drill_katas.judge.output import Output
    from drill_katas.judge.program import Program
    from drill_katas.machine.cpu_time import Wait
    from drill_katas.services.broker import Services
    from drill_katas.services.retained import RetainedBytes
    from drill_katas.sut.protocol import JudgeRequest, Reply


class Running(Protocol):
    """A running SUT: a process, or the judge's own process in an inline run."""

    pid: int
    logs: list[Logged]
    output: Output

    @property
    def weight(self) -> int:
        """The approximate size of its last answer in the judge's memory, in bytes."""

    def count_toward(self, retained: RetainedBytes) -> None:
        """Count the data that is retained from this SUT in `retained`, which kills the SUT beyond its limit."""

    def ask(self, request: JudgeRequest, wait: Wait, fds: Sequence[int] = ()) -> Reply:
        """Send a request and its file descriptors, and return the answer."""

    def kill(self) -> None:
        """Kill it and wait until it is gone."""

    def kill_soon(self) -> None:
        """Kill it without waiting. Thread-safe."""

    def stacks(self) -> str:
        """Return the stacks of its threads."""

    def close(self) -> None:
        """Kill it and release its resources."""


class Spawner(Protocol):
    """Starts SUTs."""

    @property
    def families(self) -> list[int]:
        """The roots of the process trees whose processor time counts as the judge's own."""

    def spawn(self, program: Program, limits: Limits, services: Services) -> Running:
        """Start a SUT, which can connect to `services`. End the earlier SUT first."""
