"""Trouble at one of the SUT's steps: it is killed there, what it asks for fails, or somebody else comes first.

A step is a SQL statement, commit or rollback, or a call to an upstream. A check prepares the trouble for the k-th of
them, for every k in turn, which is how "trouble between any two steps" is tried.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from drill_katas.services.steps import AnswerLost, StepRefused, SutKilled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from drill_katas.judge.session import SutSession
    from drill_katas.services.steps import Closable


@dataclass
class Trouble:
    """A kill or failure that is prepared: `request` is what the SUT had asked for; None until it comes to that."""

    step: int
    request: str | None = None

    def __str__(self) -> str:
        """Say where it was, after what it was: "killed at step 3 (COMMIT)"."""
        return f"at step {self.step} ({self.request or 'which it did not come to'})"


class Troubled:
    """The part of a SUT that makes things go wrong in a block, from its `step`-th step on; 1 is the first.

    Each context manager yields its `Trouble`. A block with fewer steps ends normally.
    """

    _session: SutSession

    @contextlib.contextmanager
    def killed_before_step(self, step: int) -> Iterator[Trouble]:
        """Kill the SUT in place of this step. The call that is under way then raises `Killed`."""
        running = self._session.started()

        def kill(_: Closable) -> None:
            running.kill_soon()
            raise SutKilled

        with self._armed(step, kill) as trouble:
            yield trouble

    @contextlib.contextmanager
    def failing_at_step(self, step: int) -> Iterator[Trouble]:
        """Have this step fail; everything after it goes well.

        What fails is not carried out: the database is locked, which is an `OperationalError`, an upstream does not
        answer, which is a `TimeoutError`.
        """

        def refuse(_: Closable) -> None:
            self._session.services.disarm()
            raise StepRefused("database is locked")

        with self._armed(step, refuse) as trouble:
            yield trouble

    @contextlib.contextmanager
    def unanswered_at_step(self, step: int) -> Iterator[Trouble]:
        """Have this step carried out and its answer lost: as `failing_at_step`, but a commit, say, has been made."""

        def lose(_: Closable) -> None:
            self._session.services.disarm()
            raise AnswerLost("no answer from the server")

        with self._armed(step, lose) as trouble:
            yield trouble

    @contextlib.contextmanager
    def failing_from_step(self, step: int) -> Iterator[Trouble]:
        """Have this step fail, and everything after it in this block that the same service is asked for.

        As `failing_at_step`, but the database's disk has an I/O error, and no second try helps; or an upstream cannot
        be reached any more, and the database can.
        """
        failing: list[Closable] = []

        def refuse(service: Closable) -> None:
            failing.append(service)
            if service is failing[0]:
                raise StepRefused("disk I/O error")

        with self._armed(step, refuse) as trouble:
            yield trouble

    @contextlib.contextmanager
    def meanwhile_at_step(self, step: int, act: Callable[[], object]) -> Iterator[Trouble]:
        """Call `act` before this step is carried out: it does what others do between two steps of the program's.

        The step waits for it. `act` runs on another thread than the check, raises nothing, and takes a bounded time:
        the program may have locked what it needs.
        """

        def let_go_first(_: Closable) -> None:
            self._session.services.disarm()
            act()

        with self._armed(step, let_go_first) as trouble:
            yield trouble

    @contextlib.contextmanager
    def _armed(self, step: int, carry_out: Callable[[Closable], None]) -> Iterator[Trouble]:
        trouble = Trouble(step)

        def note(request: str, service: Closable) -> None:
            trouble.request = trouble.request or request
            carry_out(service)

        self._session.services.arm(step, note)
        try:
            yield trouble
        finally:
            self._session.services.disarm()
