"""Figures of a check and its time limits, which a busy machine must not decide."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from drill_katas.machine.cpu_time import BUSY_SHARE, MIN_STRETCH

if TYPE_CHECKING:
    from drill_katas.judge.session import SutSession

MAX_DELAY_FACTOR: Final = 2  # seconds of delay of the program that one second of run-queue delay can cause


class Measuring:
    """The methods of a SUT that record figures and assert time limits."""

    _session: SutSession

    def measured(self, figure: str, value: float) -> float:
        """Record a measured figure and return its limit, which the check asserts.

        The limit comes from the kata's `thresholds.toml`. It is infinite until `kata verify --derive` writes that file.
        """
        self._session.check.figures[figure] = round(value, 4)
        return self._session.check.thresholds.get(figure, math.inf)

    def counted(self, what: str, number: float) -> float:
        """Record a counted number under a name in words, and return it. It has no threshold.

        Comparisons of two runs show it: "statements of a dashboard of 12 users: 72 → 4".
        """
        assert " " in what, f"{what!r} should be words: a name without a space is a figure with a threshold"
        self._session.check.figures[what] = round(number, 4)
        return number

    def in_time(self, met: bool, message: str, within: float = MIN_STRETCH, late: float = 0.0) -> None:  # noqa: FBT001 - `met` is the assertion
        """Assert that a time limit was met. Raises `AssertionError(message)`.

        `within` is the limit and `late` the excess over it, in seconds; `late` is 0 if unknown. A missed limit is not
        judged if both are true:

        - in at least one stretch of `within` seconds, more than a tenth of the time went to waiting for a processor;
        - `late` is at most twice the time for which the whole check waited for a processor.
        """
        if not met:
            meter = self._session.check.meter
            if meter.delay_share(within) > BUSY_SHARE and late <= MAX_DELAY_FACTOR * meter.run_delay:
                self._session.check.note_fault(self._session.check.busy_message())
            raise AssertionError(message)

    def on_time(self) -> None:
        """Mark this check as timing-sensitive: time-outs of the program itself decide the result.

        A failure is not judged if, in any half second of the check, more than 0.25 s went to waiting for a processor.
        """
        self._session.check.timing_sensitive = True
        self._session.watch()
