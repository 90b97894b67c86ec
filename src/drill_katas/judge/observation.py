"""Telemetry of a SUT during a part of a check: log lines and metric samples."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from drill_katas.failures import KataMistake

Samples = Mapping[tuple[str, frozenset[tuple[str, str]]], float]
"""Metric samples by name and labels."""


@dataclass(frozen=True)
class Logged:
    """A log line of the SUT; `at` is its time on the monotonic clock, which judge and SUT share."""

    at: float
    line: dict[str, Any]


@dataclass
class Observation:
    """The SUT's telemetry during a `with sut.observe()` block. Ask it after the block."""

    trace_id: str
    log_lines: list[dict[str, Any]] = field(default_factory=list)
    before: Samples = field(default_factory=dict)
    after: Samples | None = None  # until the block ends

    def increase(self, metric: str, **labels: str) -> float:
        """Return the increase of the sample `metric` with exactly these labels; 0 if there is no such sample."""
        key = (metric, frozenset(labels.items()))
        return self._complete().get(key, 0.0) - self.before.get(key, 0.0)

    def logs(self, **fields: str) -> list[dict[str, Any]]:
        """Return the log lines with all these fields."""
        self._complete()
        return [line for line in self.log_lines if fields.items() <= line.items()]

    def log_text(self) -> str:
        """Return all log lines as text for a message, without timestamps and trace ids, which differ in every run."""
        self._complete()
        texts = [
            ", ".join(f"{name}={value}" for name, value in line.items() if name not in {"timestamp", "trace_id"})
            for line in self.log_lines
        ]
        return "; ".join(texts) or "nothing"

    def _complete(self) -> Samples:
        """Return the samples after the block. Raises `KataMistake` inside the block."""
        if self.after is None:
            raise KataMistake("an observation is complete when its `with sut.observe()` block ends; ask it after that")
        return self.after
