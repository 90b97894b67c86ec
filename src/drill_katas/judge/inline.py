"""Inline runs: the learner's code runs in the judge's process, so that a debugger can stop in it.

An inline run has no sandbox and no limits, so it never counts as solved.
"""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Final

from drill_katas.judge.exit import Exit, SutExited
from drill_katas.judge.observation import Logged
from drill_katas.judge.output import Output
from drill_katas.sut import telemetry
from drill_katas.sut.host import Host
from drill_katas.sut.protocol import REQUESTS, Problem
from drill_katas.sut.wire import encode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drill_katas.catalog.katas import Limits
    from drill_katas.judge.program import Program
    from drill_katas.machine.cpu_time import Wait
    from drill_katas.services.broker import Services
    from drill_katas.services.retained import RetainedBytes
    from drill_katas.sut.protocol import JudgeRequest, Reply


class InlineSpawner:
    """Starts SUTs in this process, without a sandbox."""

    families: Final[list[int]] = []

    def spawn(self, program: Program, limits: Limits, services: Services) -> InlineRunning:  # noqa: ARG002 - no limits here
        """Start a SUT. Its modules may be imported already, so their global state may be old."""
        return InlineRunning(Host(program.package, list(program.modules), str(program.overlay), keeps_error=True))

    def close(self) -> None:
        """Do nothing: there are no processes to end."""


class InlineRunning:
    """The learner's code, called directly."""

    def __init__(self, host: Host) -> None:
        self.logs: list[Logged] = []
        self.output = Output()
        self.pid = os.getpid()
        self.weight = 0  # nothing is counted here, because the judge's memory has no bound in an inline run
        self._host = host
        self._killed = False
        telemetry.send_logs_to(lambda line, at: self.logs.append(Logged(at, line)))

    def count_toward(self, retained: RetainedBytes) -> None:
        """Let the count end this program. Its log lines are not counted."""
        retained.end = self.kill_soon

    def ask(
        self,
        request: JudgeRequest,
        wait: Wait,  # noqa: ARG002 - no time limit, for a debugger
        fds: Sequence[int] = (),
    ) -> Reply:
        """Serve the request in this thread. Exceptions of the learner's code are raised unchanged, for debuggers."""
        answer = self._host.answer(REQUESTS.decode(encode(request)), [os.dup(fd) for fd in fds])
        if self._killed:
            raise SutExited(Exit(signal.SIGKILL, "asked"))
        if isinstance(answer.error, Problem) and answer.error.kind == "raised" and self._host.last_error:
            raise self._host.last_error
        return answer

    def kill(self) -> None:
        """Refuse all further requests."""
        self._killed = True

    def kill_soon(self) -> None:
        """Refuse all further requests."""
        self._killed = True

    def stacks(self) -> str:
        """Return "", because a call that hangs here hangs the judge as well."""
        return ""

    def close(self) -> None:
        """Refuse all further requests."""
        self._killed = True
