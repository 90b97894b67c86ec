"""A SUT without a process: the learner's code runs in the judge's own, so that a debugger can stop in it.

Nothing is isolated or limited here, which is why such a run never counts.
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Final

from drill_katas.judge.exit import Died, Exit
from drill_katas.judge.observation import Logged
from drill_katas.judge.output import Output
from drill_katas.sut import telemetry
from drill_katas.sut.host import Host
from drill_katas.sut.protocol import REQUESTS, Problem
from drill_katas.sut.wire import encode

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from drill_katas.catalog.katas import Limits
    from drill_katas.judge.program import Program
    from drill_katas.machine.cpu_time import Wait
    from drill_katas.services.kept import Kept
    from drill_katas.sut.protocol import JudgeRequest, Reply


class InlineSpawner:
    """Starts SUTs in this process."""

    families: Final[list[int]] = []

    def spawn(self, program: Program, limits: Limits, sockets: Path) -> InlineRunning:  # noqa: ARG002 - no limits here
        """Start one. Modules imported before stay imported: state they keep is not fresh."""
        return InlineRunning(Host(program.package, list(program.modules), str(program.overlay)))

    def close(self) -> None:
        """Nothing is held."""


class InlineRunning:
    """The learner's code, called directly."""

    def __init__(self, host: Host) -> None:
        self.logs: list[Logged] = []
        self.output = Output()
        self.pid = os.getpid()
        self.weight = 0  # not counted, as all that is kept here
        self._host = host
        self._killed = False
        telemetry.send_logs_to(lambda line, at: self.logs.append(Logged(at, line)))

    def count_in(self, kept: Kept) -> None:
        """End with what is counted elsewhere; what is logged here is not counted."""
        kept.end = self.kill_soon

    def ask(
        self,
        request: JudgeRequest,
        wait: Wait,  # noqa: ARG002 - a debugger does
        fds: Sequence[int] = (),
    ) -> Reply:
        """Serve the request here and now. An exception of the learner's is raised as it is, for the debugger."""
        answer = self._host.answer(REQUESTS.decode(encode(request)), [os.dup(fd) for fd in fds])
        if self._killed:
            raise Died(Exit(signal.SIGKILL, "asked"))
        if isinstance(answer.error, Problem) and answer.error.kind == "raised" and self._host.last_error:
            raise self._host.last_error
        return answer

    def kill(self) -> None:
        """Serve no more."""
        self._killed = True

    def kill_soon(self) -> None:
        """Serve no more."""
        self._killed = True

    def stacks(self) -> str:
        """Return nothing: a call that hangs here hangs the judge."""
        return ""

    def close(self) -> None:
        """Serve no more."""
        self._killed = True
