"""What telemetry owes the person on call: every error is counted once and logged once, on the trace it happened on."""

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
    """How the contract wants something told: a sample that goes up by one, and the fields of one log line."""

    metric: str
    labels: Mapping[str, str]
    line: Mapping[str, str]

    def expect(self, seen: Observation, told: str, *, times: int = 1, trace_ids: Sequence[str] | None = None) -> None:
        """Raise `AssertionError`, which begins with `told`, unless it was told so many times, each on its trace.

        `trace_ids` are those of the requests, one each; without them all are on the trace of the observation.
        """
        labels = ",".join(f'{name}="{value}"' for name, value in self.labels.items())
        counted = seen.increase(self.metric, **self.labels)
        sample = f"{self.metric}{{{labels}}}" if labels else self.metric
        assert counted == times, f"{told} {sample} went up by {counted:g}; it should go up by {times}"
        lines = seen.logs(**self.line)
        assert len(lines) == times, (
            f"{told} it is logged {_times(len(lines))} as the contract says; it should be {_times(times)}. Logged was: "
            f"{seen.log_text()}"
        )
        traces = Counter(str(line.get("trace_id")) for line in lines)
        strange = traces - Counter([seen.trace_id] * times if trace_ids is None else trace_ids)
        assert not strange, (
            f"{told} it is logged under the trace id {min(strange)}; it should be under that of the request, once"
        )

    def expect_ever(self, sut: Sut, told: str, *, times: int, unseen: int = 0) -> None:
        """Raise `AssertionError`, which begins with `told`, unless it was reported so many times in the whole check.

        Reports count whether they were observed or not: `times` is the number that the judge saw itself, and finds out
        a program that reports only while it is observed. Up to `unseen` more may have been made, of customers who hung
        up for instance. A restart resets the sample, so ask ahead of it.
        """
        samples = (
            each for each in sut.metrics() if each["name"] == self.metric and each["labels"] == dict(self.labels)
        )
        counted = sum(float(each["value"]) for each in samples)
        logged = sum(self.line.items() <= each.line.items() for each in sut.logs())
        may_be = range(times, times + unseen + 1)
        assert {counted, logged} <= set(may_be), (
            f"{told} in the whole check, observed or not, {self.metric} counts {counted:g} and {_times(logged)} a line "
            f"is logged; the judge saw {times}{f', and up to {unseen} more that may count' if unseen else ''}"
        )


def _times(number: int) -> str:
    return f"{number} time" if number == 1 else f"{number} times"
