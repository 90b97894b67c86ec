"""Metrics of an incident: the SUT's own, and those that the services and the network measure."""

from __future__ import annotations

import itertools
import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import CollectorRegistry, Counter, Histogram

from drill_katas.evidence.peaks import Level
from drill_katas.evidence.records import Family, Series
from drill_katas.evidence.watched import Sample, gauge

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from drill_katas.evidence.watched import Watched
    from drill_katas.judge.sut import Sut

OF_PYTHON: Final = ("python_", "process_")  # left out, because a clock that jumps makes them meaningless


@dataclass(frozen=True)
class Gauge:
    """A gauge that the incident sets; it has a level for each set of labels."""

    about: str
    levels: dict[frozenset[tuple[str, str]], Level] = field(default_factory=dict)

    def samples(self, name: str, since: float) -> Iterator[Sample]:
        """Return the highest value since a time of the judge's clock for each set of labels."""
        for labels, level in self.levels.items():
            yield gauge(name, self.about, dict(labels), level.highest(since))


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
        levels = self._gauges.setdefault(name, Gauge(about)).levels
        levels.setdefault(frozenset(labels.items()), Level()).set(value)

    def read(self, at: float, sut: Sut, watched: Iterable[Watched]) -> None:
        """Record a sample of every metric at the incident's time `at`."""
        since, self._since = self._since, time.monotonic()
        for each in self.samples(sut, watched, since):
            if not each.family.startswith(OF_PYTHON):
                self._about[each.family] = (each.kind, each.help)
                of_family = self._points.setdefault(each.family, {})
                of_family.setdefault((each.name, frozenset(each.labels.items())), []).append((at, each.value))

    def samples(self, sut: Sut, watched: Iterable[Watched], since: float) -> Iterator[Sample]:
        """Return a sample of every metric: the value of a counter, the maximum of a gauge since `since`.

        `since` is a time of the judge's clock. Gauges of the SUT have their current value, because the judge does not
        see earlier ones.
        """
        of_sut = (_of_sut(each, self._scale) for each in sut.metrics())
        seen = (each.samples(since) for each in watched)
        gauges = (each.samples(name, since) for name, each in self._gauges.items())
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
