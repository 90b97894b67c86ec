"""Assertions about telemetry: each error is counted once and logged once, on its own trace."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from drill_katas.judge.observation import Observation
    from drill_katas.judge.sut import Sut


@dataclass(frozen=True)
class ErrorReport:
    """The report that the contract requires for an error: a counter that goes up by one, and a log line's fields."""

    metric: str
    labels: Mapping[str, str]
    line: Mapping[str, str]

    def expect(
        self, seen: Observation, context: str, *, times: int = 1, trace_ids: Sequence[str] | None = None
    ) -> None:
        """Raise `AssertionError` unless the error was reported `times` times, each time on its trace.

        The message begins with `context`. `trace_ids` has the trace of each request; by default all requests are on the
        trace of the observation.
        """
        labels = ",".join(f'{name}="{value}"' for name, value in self.labels.items())
        counted = seen.increase(self.metric, **self.labels)
        sample = f"{self.metric}{{{labels}}}" if labels else self.metric
        assert counted == times, f"{context} {sample} went up by {counted:g}; it should go up by {times}"
        lines = seen.logs(**self.line)
        assert len(lines) == times, (
            f"{context} the contract's line is in the log {_times(len(lines))}; it should be there {_times(times)}. "
            f"Logged: {seen.log_text()}"
        )
        traces = Counter(str(line.get("trace_id")) for line in lines)
        unexpected = traces - Counter([seen.trace_id] * times if trace_ids is None else trace_ids)
        assert not unexpected, (
            f"{context} it is logged under the trace id {min(unexpected)}; it should be logged once, under that of the "
            f"request"
        )

    def expect_ever(self, sut: Sut, context: str, *, times: int, unseen: int = 0) -> None:
        """Raise `AssertionError` unless the error was reported `times` times in the whole check.

        The message begins with `context`. Every report made during the check counts, also one made outside of
        `sut.observe()`; `times` is the number of errors that the judge saw itself. So if a program reports errors only
        while a `sut.observe()` block runs, it reports too few, and the check fails. The program may report up to
        `unseen` more errors than `times`, such as for customers who hung up. Call this before a restart, because a
        restart resets the counter.
        """
        samples = (
            each for each in sut.metrics() if each["name"] == self.metric and each["labels"] == dict(self.labels)
        )
        counted = sum(float(each["value"]) for each in samples)
        logged = sum(self.line.items() <= each.line.items() for each in sut.logs())
        allowed = range(times, times + unseen + 1)
        more = f", and up to {unseen} more may count" if unseen else ""
        assert {counted, logged} <= set(allowed), (
            f"{context} in the whole check, observed or not, {self.metric} counts {counted:g} and the contract's line "
            f"is in the log {_times(logged)}; the judge saw {times}{more}"
        )

    def expect_at_most(self, sut: Sut, context: str, *, times: int = 1) -> None:
        """Raise `AssertionError` if the error was logged more than `times` times in this check, over all restarts.

        The message begins with `context`. Use it where a kill may lose a report but must not repeat it.
        """
        logged = sum(self.line.items() <= each.line.items() for each in sut.logs())
        assert logged <= times, (
            f"{context} the contract's line is in the log {_times(logged)}; it should be there {_times(times)} at most"
        )


def _times(number: int) -> str:
    return f"{number} time" if number == 1 else f"{number} times"
