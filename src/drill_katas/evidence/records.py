"""The plain data of evidence. Times are seconds since 1970, UTC, on the incident's clock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

import msgspec

FORMAT = 1  # format version of `incident.json`
NO_TRACE = "0" * 31 + "1"  # trace id of work without a trace


class LogLine(msgspec.Struct, frozen=True, kw_only=True):
    """One structured log line; a diagnosis cites its `id`, such as "log-17"."""

    id: str
    at: float
    service: str
    level: str
    event: str
    trace_id: str | None = None
    fields: dict[str, Any] = {}


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """One request that a service handles, or one call that it makes; `ended` is None if it outlasted the incident."""

    trace_id: str
    span_id: str = ""
    parent_id: str | None = None
    service: str
    name: str
    kind: Literal["server", "client"]
    began: float
    ended: float | None
    failed: bool = False
    attributes: dict[str, str] = {}

    @property
    def seconds(self) -> float | None:
        """The duration; None without an end."""
        return None if self.ended is None else self.ended - self.began


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """The samples of one metric with one set of labels, in order of time."""

    name: str
    labels: dict[str, str]
    points: tuple[tuple[float, float], ...]


class Family(msgspec.Struct, frozen=True, kw_only=True):
    """A metric family of the exposition formats: all series of `name`, including those of its buckets."""

    name: str
    kind: str
    help: str
    series: tuple[Series, ...]


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """An alert from the time when it fired until it resolved; `resolved` is None while it still fires."""

    name: str
    severity: str
    summary: str
    expression: str
    fired: float
    resolved: float | None


class ServiceLevel(msgspec.Struct, frozen=True, kw_only=True):
    """The service level in an interval: requests, good requests, and p95 in seconds."""

    requests: int
    good: int
    p95: float

    @property
    def share(self) -> float:
        """The share of good requests; 1 without requests."""
        return self.good / self.requests if self.requests else 1.0


class Basis(NamedTuple):
    """The code, variant, and seed of a replay."""

    code: str
    variant: str
    seed: int


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """The summary in `incident.json`.

    | field | meaning |
    | --- | --- |
    | `since`, `until` | the worst part of the incident |
    | `before`, `after` | service level before the worst part, and in it |
    | `onset` | first request without a good answer; None if all were good |
    | `code` | digest of the replayed files |
    | `late` | seconds that the replay waited for a processor, if it ran late on a busy machine |
    """

    format: int = FORMAT
    kata: str
    variant: str
    source: str
    seed: int
    ablation: str | None
    began: float
    ended: float
    since: float
    until: float
    onset: float | None
    before: ServiceLevel
    after: ServiceLevel
    seconds: float
    code: str = ""
    late: float | None = None

    @property
    def basis(self) -> Basis:
        """The code, variant, and seed that an experiment must share with this incident."""
        return Basis(self.code, self.variant, self.seed)


class IncidentRecord(msgspec.Struct, frozen=True, kw_only=True):
    """All evidence of an incident."""

    summary: Summary
    logs: tuple[LogLine, ...]
    spans: tuple[Span, ...]
    metrics: tuple[Family, ...]
    alerts: tuple[Alert, ...]


def clock_time(at: float) -> str:
    """Return a time of the incident as "02:57:31", UTC."""
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S}"


def day(at: float) -> str:
    """Return the day of a time as "2026-03-14", UTC."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}"
