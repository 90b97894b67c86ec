"""Lookup of an incident's samples for rules and queries, and the evaluation of alert rules."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import TYPE_CHECKING

from drill_katas.evidence.records import Alert, Series
from drill_katas.kit.rules import seconds_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from drill_katas.evidence.records import Family
    from drill_katas.kit.rules import Point, Rule


class Metrics:
    """All series by name."""

    def __init__(self, families: Iterable[Family]) -> None:
        self._series: dict[str, list[Series]] = {}
        for family in families:
            for series in family.series:
                self._series.setdefault(series.name, []).append(series)

    def names(self) -> list[str]:
        """Return the names of all series, sorted."""
        return sorted(self._series)

    def of(self, name: str, labels: Mapping[str, str]) -> list[Series]:
        """Return the series of that name with at least these labels; a value `a|b` matches a or b."""
        wanted = {label: value.split("|") for label, value in labels.items()}
        return [
            series
            for series in self._series.get(name, [])
            if all(series.labels.get(label) in values for label, values in wanted.items())
        ]

    def select(
        self, name: str, labels: Mapping[str, str], since: float, until: float
    ) -> Iterator[tuple[Mapping[str, str], Sequence[Point]]]:
        """Return the series of that name with at least these labels, each with its points from `since` to `until`."""
        for series in self.of(name, labels):
            first = bisect_left(series.points, (since,))
            yield series.labels, series.points[first : bisect_right(series.points, (until, float("inf")))]

    def times(self) -> list[float]:
        """Return the times of all samples, sorted."""
        return sorted({at for of in self._series.values() for series in of for at, _ in series.points})


def alerts_of(rules: Iterable[Rule], metrics: Metrics) -> tuple[Alert, ...]:
    """Return the alerts that fire, in order of time; rules are evaluated at each time with samples."""
    times = metrics.times()
    found = [alert for rule in rules for alert in _alerts(rule, metrics, times)]
    return tuple(sorted(found, key=lambda alert: alert.fired))


def _alerts(rule: Rule, metrics: Metrics, times: Sequence[float]) -> Iterator[Alert]:
    wait, pending, fired = seconds_of(rule.wait), None, None
    for at in times:
        if rule.condition.holds(metrics, at):
            pending = at if pending is None else pending
            if fired is None and at - pending >= wait:
                fired = at
        else:
            if fired is not None:
                yield _alert(rule, fired, at)
            pending = fired = None
    if fired is not None:
        yield _alert(rule, fired, None)


def _alert(rule: Rule, fired: float, resolved: float | None) -> Alert:
    return Alert(
        name=rule.name,
        severity=rule.severity,
        summary=rule.summary,
        expression=str(rule.condition),
        fired=fired,
        resolved=resolved,
    )
