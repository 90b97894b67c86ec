"""Limits on time in a check: asserted against the machine as it was, for a busy one decides nothing."""

from __future__ import annotations

import abc
import contextlib
from typing import TYPE_CHECKING

from drill_katas.judge.owntime import TENTH, watching

if TYPE_CHECKING:
    from drill_katas.judge.trial import Trial


class Timed(abc.ABC):
    """The part of a SUT that asserts limits on time."""

    def __init__(self) -> None:
        self._watching: contextlib.ExitStack | None = None

    @property
    @abc.abstractmethod
    def trial(self) -> Trial:
        """The check that is running."""

    def in_time(self, kept: bool, told: str) -> None:  # noqa: FBT001 - it is what is asserted
        """Assert that a limit on time was kept. Raises `AssertionError(told)`; on a busy machine that is not judged."""
        if not kept:
            if self.trial.meter.share() > TENTH:
                self.trial.note_fault(self.trial.busy())
            raise AssertionError(told)

    def on_time(self) -> None:
        """Mark a check in which time-outs of the program's own decide what is right.

        A failure is not judged where the machine was busy in half of any moment of the check.
        """
        self.trial.on_time = True
        self._watch()

    def _watch(self) -> None:
        """Take readings of the machine from here to the end of the check, for a short stretch may decide."""
        if self._watching is None:
            self._watching = contextlib.ExitStack()
            self._watching.enter_context(watching(self.trial.meter))

    def _end_watch(self) -> None:
        if self._watching is not None:
            self._watching.close()
            self._watching = None
