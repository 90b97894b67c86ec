"""State of the running check: its budget, the calls of the current example, the smallest failure."""

from __future__ import annotations

import math
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from drill_katas.failures import CheckEnded, NotJudged, StopShrinking, TooSlow
from drill_katas.machine.cpu_time import BUSY_SHARE, MAX_WALL_FACTOR, VERY_BUSY_SHARE, Meter, Wait
from drill_katas.services.calls import Call
from drill_katas.services.retained import RetainedBytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drill_katas.catalog.katas import Limits
    from drill_katas.judge.output import Output
    from drill_katas.judge.program import Program

BUSY: Final = (
    "the machine was too busy: the check waited {waited:.1f} s of its {passed:.1f} s for a processor; "
    "run it again when fewer programs are running"
)
SHRINK_EXAMPLES: Final = 100  # examples that may run after the first failing one, to find a smaller one
SHOWN_CALLS: Final = 12


@dataclass(frozen=True)
class Failure:
    """A failing example: the exception, the calls before it, and the program's output."""

    error: BaseException
    calls: tuple[str, ...]
    output: str

    @property
    def size(self) -> tuple[int, int]:
        """The order of failures: fewer calls first, then shorter ones, because these are easier to read."""
        return len(self.calls), sum(map(len, self.calls))


@dataclass
class CheckContext:
    """The running check of `program`, with its `limits` and a `budget` in seconds of CPU-adjusted time.

    | field | meaning |
    | --- | --- |
    | `thresholds` | the limit of each figure, by name |
    | `figures` | the numbers that the check measured, by name |
    | `fault` | the culprit, if the judge or the machine failed during the check |
    | `timing_sensitive` | the program's own time-outs decide the result |
    """

    program: Program
    limits: Limits
    budget: float
    thresholds: Mapping[str, float] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)
    failure: Failure | None = None
    fault: str | None = None
    output: Output | None = None
    meter: Meter = field(default_factory=Meter)
    answered: int = 0
    timing_sensitive: bool = False
    retained: RetainedBytes = field(default_factory=RetainedBytes)
    _calls: deque[Call] = field(default_factory=lambda: deque(maxlen=SHOWN_CALLS))
    _left_out: int = 0  # calls before those in `_calls`
    _shrinks: int = 0

    def seconds_left(self, extra: float = 0.0) -> float:
        """Return the rest of the budget plus `extra` seconds, in CPU-adjusted time; 0 when it is used up.

        The run-queue delay is read only when the last reading leaves no time.
        """
        left = self._left() + extra
        if left > 0:
            return left
        self.meter.measure()
        return 0.0 if self.exceeds_wall_limit() else max(0.0, self._left() + extra)

    def wait(self, seconds: float) -> Wait:
        """Start the time limit of one answer, in seconds of CPU-adjusted time."""
        return Wait(self.meter, seconds, self.seconds_left)

    def over_budget(self) -> CheckEnded:
        """Return the exception for a check that used up its budget although the SUT answered every call."""
        if self.meter.delay_share() > BUSY_SHARE:
            return NotJudged(self.busy_message())
        if not self.answered:
            return NotJudged(
                f"the judge used all {self.budget:g} s of this check before the first call; run the check alone"
            )
        calls = "1 call was" if self.answered == 1 else f"{self.answered:,} calls were"
        return TooSlow(f"{calls} answered, but the check did not finish within its {self.budget:g} s")

    def note_busy_machine(self) -> None:
        """Note the machine as the culprit if a time limit was missed while the check waited for a processor."""
        missed = any(value > self.thresholds.get(name, math.inf) for name, value in self.figures.items())
        share = self.meter.delay_share()
        if (missed and share > BUSY_SHARE) or (self.timing_sensitive and share > VERY_BUSY_SHARE):
            self.note_fault(self.busy_message())

    def busy_message(self) -> str:
        """Return the clause that names a busy machine as the culprit."""
        return BUSY.format(passed=self._passed(), waited=self.meter.run_delay)

    def exceeds_wall_limit(self) -> bool:
        """Return whether the check took more wall time than a check may take on the busiest machine."""
        return self._passed() >= self.budget * MAX_WALL_FACTOR

    def _passed(self) -> float:
        return time.monotonic() - self.meter.began

    def _left(self) -> float:
        return self.budget - self._passed() + self.meter.run_delay

    def begin_example(self) -> None:
        """Begin a Hypothesis example. Raises `StopShrinking` after `SHRINK_EXAMPLES` examples or without time left."""
        if self.failure is not None:
            self._shrinks += 1
            if self._shrinks > SHRINK_EXAMPLES or not self.seconds_left():
                raise StopShrinking
        self._calls.clear()
        self._left_out = 0

    def note_call(self, text: str) -> Call:
        """Add a call to this example and return it; the caller fills in its result later."""
        self._left_out += len(self._calls) == SHOWN_CALLS
        self._calls.append(Call(text))
        return self._calls[-1]

    def note_fault(self, culprit: str) -> None:
        """Note a fault of the judge or the machine: the check is not judged, unless it passes.

        `culprit` is a clause with the remedy: "the judge ran out of file descriptors (limit 256); raise it with ...".
        Only the first culprit counts, because later ones are often its consequences. Thread-safe.
        """
        self.fault = self.fault or culprit

    def note_failure(self, error: BaseException) -> None:
        """Keep a failing example if it is the smallest so far. Hypothesis's own exceptions do not count."""
        if not isinstance(error, Exception) or type(error).__module__.startswith("hypothesis"):
            return
        failure = self.failing_example(error)
        if self.failure is None or failure.size <= self.failure.size:
            self.failure = failure

    def failing_example(self, error: BaseException) -> Failure:
        """Return the current example as a failure with `error`; it shows the last `SHOWN_CALLS` calls."""
        before = [f"... {self._left_out} calls before these"] if self._left_out else []
        return Failure(error, (*before, *map(str, self._calls)), self.output.text() if self.output else "")
