"""Fault injection at one step of the SUT: the judge kills it, fails the step, or acts first.

A step is a SQL statement, a commit, a rollback, or a call to an upstream. A check injects the fault at step k, for each
k in turn, and so tests a fault between any two steps.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drill_katas.failures import KataMistake
from drill_katas.services.injected_errors import AnswerLost, StepRefused, SutKilled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from drill_katas.judge.session import SutSession
    from drill_katas.services.injected_errors import Closable


@dataclass
class InjectedFault:
    """A fault at step `step` of a block. `request` is the SUT's request at that step; None until the SUT reaches it."""

    step: int
    request: str | None = None

    def __str__(self) -> str:
        """Return "at step 3 (COMMIT)", to follow the kind of the fault in a message."""
        return f"at step {self.step} ({self.request or 'not reached'})"


class FaultInjection:
    """The methods of a SUT that inject a fault at the `step`-th step of a block, counted from 1.

    A step is a SQL statement, a commit, a rollback, or a call to an upstream. Each context manager yields its
    `InjectedFault`. A block with fewer steps ends without a fault.
    """

    _session: SutSession

    @contextlib.contextmanager
    def killed_before_step(self, step: int) -> Iterator[InjectedFault]:
        """Kill the SUT instead of this step. The call in progress raises `Killed`."""
        running = self._session.started()

        def kill(_: Closable) -> None:
            running.kill_soon()
            raise SutKilled

        with self._armed(step, kill) as fault:
            yield fault

    @contextlib.contextmanager
    def failing_at_step(self, step: int) -> Iterator[InjectedFault]:
        """Fail this step, without its effect; all later steps succeed.

        A database is locked and raises `OperationalError`; an upstream does not answer and raises `TimeoutError`. A
        COMMIT or ROLLBACK that fails ends its transaction without effect, as in PostgreSQL.
        """

        def refuse(_: Closable) -> None:
            self._session.services.disarm()
            raise StepRefused("database is locked")

        with self._armed(step, refuse) as fault:
            yield fault

    @contextlib.contextmanager
    def unanswered_at_step(self, step: int) -> Iterator[InjectedFault]:
        """Execute this step and lose its answer: the error is that of `failing_at_step`, but the effect remains."""

        def lose(_: Closable) -> None:
            self._session.services.disarm()
            raise AnswerLost("no answer from the server")

        with self._armed(step, lose) as fault:
            yield fault

    @contextlib.contextmanager
    def failing_from_step(self, step: int) -> Iterator[InjectedFault]:
        """Fail this step and all later steps of the same service in this block, so that retries fail as well.

        A database has a disk I/O error and raises `OperationalError`; an upstream does not answer and raises
        `TimeoutError`. Other services work.
        """
        failing: list[Closable] = []

        def refuse(service: Closable) -> None:
            failing.append(service)
            if service is failing[0]:
                raise StepRefused("disk I/O error")

        with self._armed(step, refuse) as fault:
            yield fault

    @contextlib.contextmanager
    def meanwhile_at_step(self, step: int, act: Callable[[], object]) -> Iterator[InjectedFault]:
        """Call `act` before this step; the step waits until it returns. So `act` can play another program.

        `act` runs on another thread than the check. It must not raise, and it must end in bounded time, because the SUT
        may hold a lock that `act` needs.
        """

        def act_first(_: Closable) -> None:
            self._session.services.disarm()
            act()

        with self._armed(step, act_first) as fault:
            yield fault

    @contextlib.contextmanager
    def _armed(self, step: int, inject: Callable[[Closable], None]) -> Iterator[InjectedFault]:
        if step < 1:
            raise KataMistake(f"steps count from 1, so there is no step {step}")
        fault = InjectedFault(step)

        def note(request: str, service: Closable) -> None:
            fault.request = fault.request or request
            inject(service)

        self._session.services.arm(step, note)
        try:
            yield fault
        finally:
            self._session.services.disarm()
