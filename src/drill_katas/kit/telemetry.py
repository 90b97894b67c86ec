"""What telemetry owes the person on call: every error counted once and logged once, on the trace it happened on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from drill_katas.judge.observation import Observation


@dataclass(frozen=True)
class ErrorReport:
    """How the contract wants an error told: a counter with its labels, and the fields of one log line."""

    metric: str
    labels: Mapping[str, str]
    line: Mapping[str, str]

    def expect(self, seen: Observation, told: str, *, times: int = 1, trace_ids: Collection[str] | None = None) -> None:
        """Raise `AssertionError`, which begins with `told`, unless the error was reported so many times.

        `trace_ids` are those of the requests that failed, one each; by default that of the observation.
        """
        labels = ",".join(f'{name}="{value}"' for name, value in self.labels.items())
        counted = seen.increase(self.metric, **self.labels)
        assert counted == times, f"{told} {self.metric}{{{labels}}} went up by {counted:g}; it should by {times}"
        lines = seen.logs(**self.line)
        assert len(lines) == times, (
            f"{told} it is logged {_times(len(lines))} as the contract says; it should be {_times(times)}. Logged was: "
            f"{seen.told()}"
        )
        wanted = {seen.trace_id} if trace_ids is None else set(trace_ids)
        strange = {str(line.get("trace_id")) for line in lines} - wanted
        assert not strange, (
            f"{told} it is logged under the trace id {min(strange)}; it should be under that of the request"
        )


def _times(number: int) -> str:
    return f"{number} time" if number == 1 else f"{number} times"
