"""What the telemetry of a SUT said during a part of a check."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Samples = Mapping[tuple[str, frozenset[tuple[str, str]]], float]
"""Metric samples by name and labels."""


@dataclass(frozen=True)
class Logged:
    """A log line of the SUT's, and when it was written, by the clock that judge and SUT share."""

    at: float
    line: dict[str, Any]


@dataclass
class Observation:
    """What the SUT's telemetry said during a `with sut.observe()` block."""

    trace_id: str
    log_lines: list[dict[str, Any]] = field(default_factory=list)
    before: Samples = field(default_factory=dict)
    after: Samples = field(default_factory=dict)

    def increase(self, metric: str, **labels: str) -> float:
        """Return by how much the sample `metric` with exactly these labels went up; 0 if there is none."""
        key = (metric, frozenset(labels.items()))
        return self.after.get(key, 0.0) - self.before.get(key, 0.0)

    def logs(self, **fields: str) -> list[dict[str, Any]]:
        """Return the log lines that have all these fields."""
        return [line for line in self.log_lines if fields.items() <= line.items()]

    def told(self) -> str:
        """Return all log lines as text, for a message; without what is different every time."""
        texts = [
            ", ".join(f"{name}={value}" for name, value in line.items() if name not in {"timestamp", "trace_id"})
            for line in self.log_lines
        ]
        return "; ".join(texts) or "nothing"
