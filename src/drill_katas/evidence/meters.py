"""Metrics of an incident: the SUT's own, and those that the services and the network measure."""

from __future__ import annotations

import itertools
import math
import time
from collections import Counter as Tally
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from prometheus_client import CollectorRegistry, Counter, Histogram

from drill_katas.evidence.peaks import Level, calls_open, connections_in_use
from drill_katas.evidence.records import Family, Series

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from drill_katas.judge.sut import Sut
    from drill_katas.services.database import Database
    from drill_katas.services.hops import Hop
    from drill_katas.services.network import Network
    from drill_katas.services.upstream import Upstream

OF_PYTHON: Final = ("python_", "process_")  # left out, because a clock that jumps makes them meaningless


class Sample(NamedTuple):
    """One sample of a metric, with the kind and help text of the metric."""

    family: str
    kind: str
    help: str
    name: str
    labels: Mapping[str, str]
    value: float


@dataclass(frozen=True)
class Gauge:
    """A gauge that the incident sets; it has a level for each set of labels."""

    about: str
    levels: dict[frozenset[tuple[str, str]], Level] = field(default_factory=dict)

    def samples(self, name: str, since: float) -> Iterator[Sample]:
        """Return the highest value since a time of the judge's clock for each set of labels."""
        for labels, level in self.levels.items():
            yield _gauge(name, self.about, dict(labels), level.highest(since))


class Meters:
    """Counts and times requests, and records samples of all metrics.

    Durations that the SUT measured are multiplied by `scale`, the speed of the incident's clock.
    """

    def __init__(self, buckets: Sequence[float], scale: float) -> None:
        self._scale = scale
        self._registry = CollectorRegistry()
        about = "Requests by their outcome."
        self._requests = Counter("requests", about, ["service", "request", "status"], registry=self._registry)
        about = "Time until a request was answered, or its customer gave up."
        self._seconds = Histogram(
            "request_duration_seconds", about, ["service", "request"], buckets=buckets, registry=self._registry
        )
        about = "Requests of customers by whether the answer was good."
        self._level = Counter("slo_requests", about, ["result"], registry=self._registry)
        self._gauges: dict[str, Gauge] = {}
        self._since = time.monotonic()  # the last reading
        self._about: dict[str, tuple[str, str]] = {}
        self._points: dict[str, dict[tuple[str, frozenset[tuple[str, str]]], list[tuple[float, float]]]] = {}

    def note(self, service: str, request: str, status: str, seconds: float) -> None:
        """Count a request and its duration."""
        self._requests.labels(service=service, request=request, status=status).inc()
        self._seconds.labels(service=service, request=request).observe(seconds)

    def note_level(self, *, good: bool) -> None:
        """Count a request for the service level."""
        self._level.labels(result="good" if good else "bad").inc()

    def set_gauge(self, name: str, about: str, labels: Mapping[str, str], value: float) -> None:
        """Set a gauge; each sample is the highest value since the last sample."""
        gauge = self._gauges.setdefault(name, Gauge(about))
        gauge.levels.setdefault(frozenset(labels.items()), Level()).set(value)

    def read(self, at: float, sut: Sut, watched: Mapping[str, Database | Upstream | Network]) -> None:
        """Record a sample of every metric at the incident's time `at`."""
        since, self._since = self._since, time.monotonic()
        for each in self.samples(sut, watched, since):
            if not each.family.startswith(OF_PYTHON):
                self._about[each.family] = (each.kind, each.help)
                of_family = self._points.setdefault(each.family, {})
                of_family.setdefault((each.name, frozenset(each.labels.items())), []).append((at, each.value))

    def samples(self, sut: Sut, watched: Mapping[str, Database | Upstream | Network], since: float) -> Iterator[Sample]:
        """Return a sample of every metric: the value of a counter, the maximum of a gauge since `since`.

        `since` is a time of the judge's clock. Gauges of the SUT have their current value, because the judge does not
        see earlier ones.
        """
        of_sut = (_of_sut(each, self._scale) for each in sut.metrics())
        seen = (_seen_by(name, thing, since) for name, thing in watched.items())
        gauges = (gauge.samples(name, since) for name, gauge in self._gauges.items())
        everything = itertools.chain(*seen, *gauges, _exposed(self._registry), of_sut)
        return (each for each in everything if not each.name.endswith("_created"))

    def families(self) -> tuple[Family, ...]:
        """Return all recorded samples by metric."""
        return tuple(
            Family(
                name=name,
                kind=self._about[name][0],
                help=self._about[name][1],
                series=tuple(
                    Series(name=sample, labels=dict(sorted(labels)), points=tuple(points))
                    for (sample, labels), points in series.items()
                ),
            )
            for name, series in sorted(self._points.items())
        )


def _of_sut(of: Mapping[str, Any], scale: float) -> Sample:
    """Return a sample of the SUT; durations are converted to the incident's clock."""
    sample = Sample(**{**of, "value": float(of["value"])})
    if scale == 1 or not sample.family.endswith("_seconds"):
        return sample
    if "le" in sample.labels:
        bound = float(sample.labels["le"]) * scale
        return sample._replace(labels={**sample.labels, "le": "+Inf" if math.isinf(bound) else repr(bound)})
    return sample if sample.name.endswith("_count") else sample._replace(value=sample.value * scale)


def _exposed(registry: CollectorRegistry) -> Iterator[Sample]:
    for family in registry.collect():
        for sample in family.samples:
            yield Sample(family.name, family.type, family.documentation, sample.name, dict(sample.labels), sample.value)


def _seen_by(name: str, thing: Any, since: float) -> Iterator[Sample]:
    """Return the metrics of a database, an upstream, or a network."""
    if hasattr(thing, "statements"):
        of, in_use = {"database": name}, connections_in_use(thing, since)
        open_ = max(thing.open_connections, in_use)
        yield _gauge("db_connections_open", "Connections that are open.", of, open_)
        yield _gauge("db_connections_in_use", "Connections that are checked out of a pool.", of, in_use)
        yield _counter("db_statements", "SQL statements executed.", of, len(thing.statements))
        yield _counter("db_rows", "Rows fetched.", of, sum(each.rows for each in thing.statements))
    elif hasattr(thing, "sent"):
        results = Tally("none" if each.lost else "ok" for each in thing.sent)
        for result, number in results.items():
            yield _counter(
                "upstream_calls", "Calls to upstreams by result.", {"upstream": name, "result": result}, number
            )
    else:
        pairs = Tally((hop.caller, hop.callee, str(hop.status or "none")) for hop in thing.hops if hop.ended)
        for (caller, callee, status), number in pairs.items():
            labels = {"caller": caller, "callee": callee, "status": status}
            yield _counter("calls", "Calls to a service by caller and status.", labels, number)
        of_pair: dict[tuple[str, str], list[Hop]] = {}
        for hop in list(thing.hops):
            of_pair.setdefault((hop.caller, hop.callee), []).append(hop)
        for (caller, callee), hops in of_pair.items():
            labels = {"caller": caller, "callee": callee}
            yield _gauge("calls_open", "Calls without an answer yet.", labels, calls_open(hops, since))


def _gauge(name: str, about: str, labels: Mapping[str, str], value: float) -> Sample:
    return Sample(name, "gauge", about, name, labels, value)


def _counter(name: str, about: str, labels: Mapping[str, str], value: float) -> Sample:
    return Sample(name, "counter", about, f"{name}_total", labels, value)
