"""What a check measures and counts, and its limits on time, which a busy machine does not decide."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from drill_katas.machine.cpu_time import MOMENT, TENTH

if TYPE_CHECKING:
    from drill_katas.judge.session import SutSession

MOST_DELAY: Final = 2  # seconds of delay that each second of waiting for a processor can explain


class Measuring:
    """The part of a SUT that takes figures, and asserts limits on time."""

    _session: SutSession

    def measured(self, figure: str, value: float) -> float:
        """Note what the check has measured, and return its limit, which the check holds it to.

        The limit is from the kata's `thresholds.toml`; until `kata verify --derive` has written it, there is none.
        """
        self._session.check.figures[figure] = round(value, 4)
        return self._session.check.thresholds.get(figure, math.inf)

    def counted(self, what: str, number: float) -> float:
        """Record a number that the check counts, under a name in words, and return it.

        Two runs are compared by it: "statements of a dashboard of 12 users: 72 → 4". It has no threshold.
        """
        assert " " in what, f"{what!r} should be words: a name without a space is a figure with a threshold"
        self._session.check.figures[what] = round(number, 4)
        return number

    def in_time(self, kept: bool, told: str, within: float = MOMENT, late: float = 0.0) -> None:  # noqa: FBT001 - it is what is asserted
        """Assert that a limit on time was kept. Raises `AssertionError(told)`.

        Give `within`, the limit in seconds, and `late`, by how many seconds it was missed, where that is known. A limit
        that was missed is not judged where the machine was busy for more than a tenth of any stretch as long as the
        limit, unless it was missed by more than the machine can have delayed the program.
        """
        if not kept:
            meter = self._session.check.meter
            if meter.share(within) > TENTH and late <= MOST_DELAY * meter.waited:
                self._session.check.note_fault(self._session.check.busy())
            raise AssertionError(told)

    def on_time(self) -> None:
        """Mark a check in which time-outs of the program's own decide what is right.

        A failure is not judged where the machine was busy in half of any moment of the check.
        """
        self._session.check.on_time = True
        self._session.watch()
