"""What is known of one check while it runs: its budget, the calls of the current example, the smallest failure."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from drill_katas.judge.failures import StopShrinking
from drill_katas.judge.kept import Kept

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drill_katas.catalog import Limits
    from drill_katas.judge.output import Output
    from drill_katas.judge.program import Program

SHRINK_EXAMPLES: Final = 100  # tried after the first failing example, to find a smaller one
SHOWN_CALLS: Final = 12
SHOWN_TEXT: Final = 1_000  # characters of a call, and of its result


def shortened(text: str) -> str:
    """Return the beginning of a text that is too long to be shown, or to be kept."""
    return text if len(text) <= SHOWN_TEXT else f"{text[:SHOWN_TEXT]}..."


@dataclass
class Call:
    """One call of the current example, for the report. Its text and its result are `shortened`."""

    text: str
    result: str = "no answer"

    def __str__(self) -> str:
        """Say it on one line."""
        return f"{self.text} -> {self.result}" if self.result else self.text


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
class Trial:
    """One check that is running `program`, within `limits` and `budget` seconds in all.

    `thresholds` limit what it measures, by name; `figures` are what it has measured.
    """

    program: Program
    limits: Limits
    budget: float
    thresholds: Mapping[str, float] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)
    failure: Failure | None = None
    output: Output | None = None
    kept: Kept = field(default_factory=Kept)
    began: float = field(default_factory=time.monotonic)
    _calls: deque[Call] = field(default_factory=lambda: deque(maxlen=SHOWN_CALLS))
    _left_out: int = 0  # calls before these
    _shrinks: int = 0

    def seconds_left(self) -> float:
        """Return what is left of the budget; 0 when it is used up."""
        return max(0.0, self.began + self.budget - time.monotonic())

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
