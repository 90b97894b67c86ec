"""Alert rules: PromQL expressions. Prometheus accepts them, and the kit computes the same values as Prometheus.

>>> errors = rate("requests_total", "5m", status="error") / rate("requests_total", "5m")
>>> Rule("CheckoutErrors", errors > 0.05, wait="2m", severity="page", summary="checkouts fail")

The supported subset of PromQL: the sum of a rate, of an increase, or of a gauge over the series with given labels;
ratios of such sums; quantiles of histograms. A label matches one value or one of several: `status="200|202"`. The
semantics are those of https://prometheus.io/docs/prometheus/latest/querying/functions/.
"""

from __future__ import annotations

import itertools
import math
import re
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Literal, Protocol, Self

from drill_katas.quantiles import quantile_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Point = tuple[float, float]  # time in seconds, value

UNITS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}
LOOK_BACK: Final = 300.0  # seconds that a sample stays valid; Prometheus's default
Severity = Literal["page", "ticket"]


class Samples(Protocol):
    """The series that rules are evaluated on."""

    def select(
        self, name: str, labels: Mapping[str, str], since: float, until: float
    ) -> Iterable[tuple[Mapping[str, str], Sequence[Point]]]:
        """Return the series of that name with at least these labels, each with its points from `since` to `until`."""


class Expression(ABC):
    """An expression with one value at each time, or none without samples."""

    @property
    def per_second(self) -> int:
        """The power of 1/second in the unit: 1 for a rate, 0 for a ratio of two rates."""
        return 0

    @abstractmethod
    def value(self, samples: Samples, at: float) -> float | None:
        """Return the value at a time, None without samples."""

    def at_speed(self, speed: float) -> Self:
        """Return the expression for a system that runs `speed` times as fast, with shorter windows."""
        assert speed > 0
        return self

    def __truediv__(self, other: Expression) -> Expression:
        return Ratio(self, other)

    def __gt__(self, limit: float) -> Condition:
        return Condition(self, ">", limit)

    def __lt__(self, limit: float) -> Condition:
        return Condition(self, "<", limit)


@dataclass(frozen=True)
class Condition:
    """A comparison of an expression with a limit."""

    expression: Expression
    relation: Literal[">", "<"]
    limit: float

    def __str__(self) -> str:
        return f"{self.expression} {self.relation} {self.limit:g}"

    def holds(self, samples: Samples, at: float) -> bool:
        """Return whether the condition is true at a time; without a value it is false."""
        value = self.expression.value(samples, at)
        if value is None or math.isnan(value):
            return False
        return value > self.limit if self.relation == ">" else value < self.limit

    def at_speed(self, speed: float) -> Condition:
        """Return the condition for a system that runs `speed` times as fast."""
        limit = self.limit * speed**self.expression.per_second
        return replace(self, expression=self.expression.at_speed(speed), limit=limit)


@dataclass(frozen=True)
class Rule:
    """An alert; it fires when the condition has been true for `wait`, such as "2m"."""

    name: str
    condition: Condition
    wait: str
    severity: Severity
    summary: str

    def at_speed(self, speed: float) -> Rule:
        """Return the rule for a system that runs `speed` times as fast."""
        return replace(self, condition=self.condition.at_speed(speed), wait=shortened(self.wait, speed))


@dataclass(frozen=True, eq=False)
class Gauge(Expression):
    """The sum of the last samples of all series with these labels."""

    name: str
    labels: Mapping[str, str]

    def __str__(self) -> str:
        return f"sum({_selector(self.name, self.labels)})"

    def value(self, samples: Samples, at: float) -> float | None:
        """Return the value at a time."""
        found = [points[-1][1] for _, points in samples.select(self.name, self.labels, at - LOOK_BACK, at) if points]
        return sum(found) if found else None


@dataclass(frozen=True, eq=False)
class Rate(Expression):
    """The sum of the rates or increases of all counters with these labels over a window."""

    function: Literal["rate", "increase"]
    name: str
    window: str
    labels: Mapping[str, str]

    @property
    def per_second(self) -> int:
        """The power of 1/second in the unit."""
        return int(self.function == "rate")

    def __str__(self) -> str:
        return f"sum({self.function}({_selector(self.name, self.labels)}[{self.window}]))"

    def value(self, samples: Samples, at: float) -> float | None:
        """Return the value at a time."""
        found = list(increases(samples, self.name, self.labels, self.window, at).values())
        if not found:
            return None
        return sum(found) / (seconds_of(self.window) if self.function == "rate" else 1)

    def at_speed(self, speed: float) -> Rate:
        """Return the expression for a system that runs `speed` times as fast."""
        return replace(self, window=shortened(self.window, speed))


@dataclass(frozen=True, eq=False)
class Ratio(Expression):
    """One expression divided by another."""

    above: Expression
    below: Expression

    @property
    def per_second(self) -> int:
        """The power of 1/second in the unit."""
        return self.above.per_second - self.below.per_second

    def at_speed(self, speed: float) -> Ratio:
        """Return the expression for a system that runs `speed` times as fast."""
        return Ratio(self.above.at_speed(speed), self.below.at_speed(speed))

    def __str__(self) -> str:
        return f"{self.above} / {self.below}"

    def value(self, samples: Samples, at: float) -> float | None:
        """Return the value at a time."""
        above, below = self.above.value(samples, at), self.below.value(samples, at)
        if above is None or below is None:
            return None
        return above / below if below else math.nan


@dataclass(frozen=True, eq=False)
class Quantile(Expression):
    """A quantile, such as 0.95, of a histogram over a window, by linear interpolation in its bucket."""

    quantile: float
    name: str
    window: str
    labels: Mapping[str, str]

    def __str__(self) -> str:
        selector = _selector(f"{self.name}_bucket", self.labels)
        return f"histogram_quantile({self.quantile:g}, sum by (le) (rate({selector}[{self.window}])))"

    def value(self, samples: Samples, at: float) -> float | None:
        """Return the value at a time."""
        buckets: dict[float, float] = {}
        for labels, increase in increases(samples, f"{self.name}_bucket", self.labels, self.window, at).items():
            bound = float(dict(labels)["le"])
            buckets[bound] = buckets.get(bound, 0.0) + increase
        return quantile_of(buckets, self.quantile)

    def at_speed(self, speed: float) -> Quantile:
        """Return the expression for a system that runs `speed` times as fast."""
        return replace(self, window=shortened(self.window, speed))


def gauge(name: str, **labels: str) -> Expression:
    """Return the sum of a gauge's series with these labels."""
    return Gauge(name, labels)


def rate(name: str, window: str, **labels: str) -> Expression:
    """Return the summed rate per second of a counter's series with these labels over a window such as "5m"."""
    return Rate("rate", name, window, labels)


def increase(name: str, window: str, **labels: str) -> Expression:
    """Return the summed increase of a counter's series with these labels over a window such as "5m"."""
    return Rate("increase", name, window, labels)


def quantile(share: float, name: str, window: str, **labels: str) -> Expression:
    """Return the quantile `share`, such as 0.95, of the histogram `name` over a window."""
    return Quantile(share, name, window, labels)


def seconds_of(window: str) -> float:
    """Return the seconds of a duration such as "5m"."""
    match = re.fullmatch(r"(\d+)(ms|[smh])", window)
    assert match, f"{window!r} is not a duration such as 500ms, 30s, 5m, or 1h"
    return int(match[1]) * UNITS[match[2]]


def shortened(window: str, speed: float) -> str:
    """Return a duration divided by `speed`."""
    milliseconds = round(seconds_of(window) / speed * 1000)
    return f"{milliseconds // 1000}s" if milliseconds % 1000 == 0 else f"{milliseconds}ms"


def increases(
    samples: Samples, name: str, labels: Mapping[str, str], window: str, at: float
) -> dict[frozenset[tuple[str, str]], float]:
    """Return the increase of each series over a window, by its labels, for series with at least two samples in it."""
    since = at - seconds_of(window)
    selected = samples.select(name, labels, since, at)
    return {frozenset(of.items()): _increase(points, since, at) for of, points in selected if len(points) > 1}


def _increase(points: Sequence[Point], since: float, until: float) -> float:
    """Return the increase of a counter, extrapolated to the ends of its window as Prometheus does.

    https://github.com/prometheus/prometheus/blob/v2.42.0/promql/functions.go, extrapolatedRate
    """
    (first_at, first), (last_at, last) = points[0], points[-1]
    resets = sum(one for (_, one), (_, other) in itertools.pairwise(points) if other < one)
    grown, sampled = last - first + resets, last_at - first_at
    apart = sampled / (len(points) - 1)
    before, after = first_at - since, until - last_at
    if grown > 0 and first >= 0:
        before = min(before, sampled * first / grown)
    ends = sum(gap if gap < apart * 1.1 else apart / 2 for gap in (before, after))
    return grown * (sampled + ends) / sampled


def _selector(name: str, labels: Mapping[str, str]) -> str:
    chosen = ",".join(f'{label}{"=~" if "|" in value else "="}"{value}"' for label, value in sorted(labels.items()))
    return f"{name}{{{chosen}}}" if chosen else name
