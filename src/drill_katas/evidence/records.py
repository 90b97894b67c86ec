"""The plain data that evidence is made of. Times are seconds since 1970, UTC, on the incident's own clock."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

import msgspec

FORMAT = 1  # of `incident.json`
NO_TRACE = "0" * 31 + "1"  # the trace id of work that is on no trace


class LogLine(msgspec.Struct, frozen=True, kw_only=True):
    """One structured log line. `id` names it in a diagnosis: "log-17"."""

    id: str
    at: float
    service: str
    level: str
    event: str
    trace_id: str | None = None
    fields: dict[str, Any] = {}


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """One piece of work of a service, or one call it makes; `ended` is None when it had not ended with the incident."""

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
        """How long it took."""
        return None if self.ended is None else self.ended - self.began


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """The samples of one metric with one set of labels, in order of time."""

    name: str
    labels: dict[str, str]
    points: tuple[tuple[float, float], ...]


class Family(msgspec.Struct, frozen=True, kw_only=True):
    """A metric as the exposition formats have it: all series that belong to `name`, those of its buckets, too."""

    name: str
    kind: str
    help: str
    series: tuple[Series, ...]


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """A time during which a rule's condition held long enough; `resolved` is None while it still does."""

    name: str
    severity: str
    summary: str
    expression: str
    fired: float
    resolved: float | None


class ServiceLevel(msgspec.Struct, frozen=True, kw_only=True):
    """What customers got in a stretch of time: how many requests, how many of them good, and p95 in seconds."""

    requests: int
    good: int
    p95: float

    @property
    def share(self) -> float:
        """The share of good requests; 1 when nobody asked."""
        return self.good / self.requests if self.requests else 1.0


class Basis(NamedTuple):
    """Which code was replayed, on which variant, with which seed."""

    code: str
    variant: str
    seed: int


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """`incident.json`: what was replayed, and what customers got before its worst part, `since` to `until`, and in it.

    `onset` is when the first of them got what is not good; None when all went well. `code` is the digest of the files
    that were replayed. `late` is set when the replay ran late on a busy machine: the seconds that it waited for a
    processor.
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
        """What an experiment must share with this incident."""
        return Basis(self.code, self.variant, self.seed)


class IncidentRecord(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known of an incident."""

    summary: Summary
    logs: tuple[LogLine, ...]
    spans: tuple[Span, ...]
    metrics: tuple[Family, ...]
    alerts: tuple[Alert, ...]


def clock_time(at: float) -> str:
    """Write a time of the incident as 02:57:31, UTC."""
    return f"{datetime.fromtimestamp(at, UTC):%H:%M:%S}"


def day(at: float) -> str:
    """Write the day of a time, UTC, as 2026-03-14."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d}"
