"""What is known of one check while it runs: its budget, the calls of the current example, the smallest failure."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from drill_katas.judge.failures import StopShrinking

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drill_katas.catalog import Limits
    from drill_katas.judge.output import Output
    from drill_katas.judge.program import Program

SHRINK_EXAMPLES: Final = 100  # tried after the first failing example, to find a smaller one
SHOWN_CALLS: Final = 12
SHOWN_RESULT: Final = 1_000  # characters


@dataclass
class Call:
    """One call of the current example, for the report."""

    text: str
    result: str = "no answer"

    def __str__(self) -> str:
        """Say it on one line."""
        result = self.result if len(self.result) <= SHOWN_RESULT else f"{self.result[:SHOWN_RESULT]}..."
        return f"{self.text} -> {result}" if result else self.text


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

    `thresholds` limit what it measures, by name; `figures` are what it has measured. `fault` names what failed in the
    judge or the machine meanwhile.
    """

    program: Program
    limits: Limits
    budget: float
    thresholds: Mapping[str, float] = field(default_factory=dict)
    figures: dict[str, float] = field(default_factory=dict)
    failure: Failure | None = None
    fault: str | None = None
    output: Output | None = None
    began: float = field(default_factory=time.monotonic)
    _calls: list[Call] = field(default_factory=list)
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
        self._calls = []

    def note_call(self, text: str) -> Call:
        """Remember a call of this example; its result is filled in when it is known."""
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
        lines = [str(call) for call in self._calls[-SHOWN_CALLS:]]
        left_out = len(self._calls) - len(lines)
        before = [f"... {left_out} calls before these"] if left_out else []
        return Failure(error, (*before, *lines), self.output.text() if self.output else "")
