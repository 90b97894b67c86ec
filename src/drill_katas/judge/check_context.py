"""What is known of one check while it runs: its budget, the calls of the current example, the smallest failure."""

from __future__ import annotations

import math
import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from drill_katas.failures import CheckEnded, NotJudged, StopShrinking, TooSlow
from drill_katas.machine.cpu_time import HALF, MOST_WALL, TENTH, Meter, Wait
from drill_katas.services.calls import Call
from drill_katas.services.kept import Kept

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drill_katas.catalog.katas import Limits
    from drill_katas.judge.output import Output
    from drill_katas.judge.program import Program

BUSY: Final = (
    "the machine was too busy: of {passed:.1f} s the check waited {waited:.1f} s for a processor; run it again when "
    "fewer programs are running"
)
SHRINK_EXAMPLES: Final = 100  # tried after the first failing example, to find a smaller one
SHOWN_CALLS: Final = 12


@dataclass(frozen=True)
class Failure:
    """A failing example: what it raised, the calls that led there, and what the program printed."""

    error: BaseException
    calls: tuple[str, ...]
    output: str

    @property
    def size(self) -> tuple[int, int]:
        """Smaller is easier to read."""
        return len(self.calls), sum(map(len, self.calls))


@dataclass
class CheckContext:
    """One check that is running `program`, within `limits` and `budget` seconds in all.

    `thresholds` limit what it measures, by name; `figures` are what it has measured. `fault` names what failed in the
    judge or the machine meanwhile. `on_time` means that the program's own time-outs decide what is right.
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
    on_time: bool = False
    kept: Kept = field(default_factory=Kept)
    _calls: deque[Call] = field(default_factory=lambda: deque(maxlen=SHOWN_CALLS))
    _left_out: int = 0  # calls before these
    _shrinks: int = 0

    def seconds_left(self, more: float = 0.0) -> float:
        """Return what is left of the budget, and of so much `more`, in own time; 0 when it is used up.

        The kernel is asked only then.
        """
        left = self._left() + more
        if left > 0:
            return left
        self.meter.measure()
        return 0.0 if self.too_long_on_the_wall() else max(0.0, self._left() + more)

    def wait(self, seconds: float) -> Wait:
        """Begin to wait for an answer, which may take so many seconds of own time."""
        return Wait(self.meter, seconds, self.seconds_left)

    def late(self) -> CheckEnded:
        """Return how the check ended whose budget is used up while its calls are being answered."""
        share = self.meter.share()
        if share > TENTH:
            return NotJudged(self.busy())
        if not self.answered:
            return NotJudged(
                f"the judge used the {self.budget:g} s of this check up before the first call; run it again, alone"
            )
        calls = "1 call was" if self.answered == 1 else f"{self.answered:,} calls were"
        return TooSlow(f"{calls} answered; the check needs more than its {self.budget:g} s of work")

    def blame_a_busy_machine(self) -> None:
        """Note the machine as culprit when a limit on time was missed while the check waited for a processor."""
        missed = [name for name, value in self.figures.items() if value > self.thresholds.get(name, math.inf)]
        if (missed and self.meter.share() > TENTH) or (self.on_time and self.meter.share() > HALF):
            self.note_fault(self.busy())

    def busy(self) -> str:
        """Return the clause that names a busy machine as the culprit."""
        return BUSY.format(passed=self._passed(), waited=self.meter.waited)

    def too_long_on_the_wall(self) -> bool:
        """Whether more wall time passed than a check may take on the busiest machine."""
        return self._passed() >= self.budget * MOST_WALL

    def _passed(self) -> float:
        return time.monotonic() - self.meter.began

    def _left(self) -> float:
        return self.budget - self._passed() + self.meter.waited

    def begin_example(self) -> None:
        """Begin a Hypothesis example. Raises `StopShrinking` when a failure is known and was made small enough."""
        if self.failure is not None:
            self._shrinks += 1
            if self._shrinks > SHRINK_EXAMPLES or not self.seconds_left():
                raise StopShrinking
        self._calls.clear()
        self._left_out = 0

    def note_call(self, text: str) -> Call:
        """Remember a call of this example; its result is filled in when it is known."""
        self._left_out += len(self._calls) == SHOWN_CALLS
        self._calls.append(Call(text))
        return self._calls[-1]

    def note_fault(self, culprit: str) -> None:
        """Note a fault of the judge or the machine; unless the check passes all the same, it is not judged.

        `culprit` is a clause with the remedy: "the judge ran out of file descriptors (limit 256); raise it with ...".
        The first culprit is kept, because later ones are often its consequences. Thread-safe.
        """
        self.fault = self.fault or culprit

    def note_failure(self, error: BaseException) -> None:
        """Remember a failing example, if it is the smallest yet. What Hypothesis raises for itself is none."""
        if not isinstance(error, Exception) or type(error).__module__.startswith("hypothesis"):
            return
        failure = self.example_that_raised(error)
        if self.failure is None or failure.size <= self.failure.size:
            self.failure = failure

    def example_that_raised(self, error: BaseException) -> Failure:
        """Return the current example as the one that failed with `error`; of many calls only the last are kept."""
        before = [f"... {self._left_out} calls before these"] if self._left_out else []
        return Failure(error, (*before, *map(str, self._calls)), self.output.text() if self.output else "")
