"""Metrics to and from OpenMetrics text with timestamps, live samples as text, and alert rules as a Prometheus file.

https://github.com/prometheus/OpenMetrics/blob/v1.0.0/specification/OpenMetrics.md
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Final

from prometheus_client.core import Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.openmetrics.exposition import generate_latest

from drill_katas.evidence.records import Family, Series

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from drill_katas.evidence.watched import Sample
    from drill_katas.kit.rules import Rule


LABEL: Final = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')


class _Collected:
    """A prometheus_client collector of metrics that are already collected."""

    def __init__(self, metrics: Iterable[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        """Return the metrics."""
        return self._metrics


def to_openmetrics(families: Iterable[Family]) -> bytes:
    """Return families as OpenMetrics text."""
    text: bytes = generate_latest(_Collected(map(_over_time, families)))  # type: ignore[no-untyped-call]
    return text


def negotiated(samples: Sequence[Sample], accept: str) -> tuple[bytes, str]:
    """Return samples in the text format that the header `Accept` prefers, and its content type."""
    families: dict[str, Metric] = {}
    for each in samples:
        family = families.setdefault(each.family, Metric(each.family, each.help, each.kind))
        family.add_sample(each.name, dict(each.labels), each.value)
    encode, content_type = choose_encoder(accept)
    return encode(_Collected(families.values())), content_type


def from_openmetrics(text: str) -> tuple[Family, ...]:
    """Return the families of OpenMetrics text with timestamps, without exemplars. Raises `ValueError` for other text.

    prometheus_client's parser is not used, because it keeps only one sample of the second timestamp of a histogram.
    """
    about: dict[str, dict[str, str]] = {"HELP": {}, "TYPE": {}, "UNIT": {}}
    points: dict[str, dict[str, list[tuple[float, float]]]] = {}
    for line in text.splitlines():
        if line.startswith("# "):
            _, what, *rest = line.split(" ", 3)
            if rest:
                name = rest[0]
                about[what][name] = _unescaped(rest[1])
                points.setdefault(name, {})
        else:
            series, value, at = line.rsplit(" ", 2)
            points[name].setdefault(series, []).append((float(at), float(value)))
    return tuple(
        Family(
            name=name,
            kind=about["TYPE"][name],
            help=about["HELP"][name],
            series=tuple(_series(series, tuple(of)) for series, of in found.items()),
        )
        for name, found in points.items()
    )


def rule_file(group: str, rules: Iterable[Rule]) -> str:
    """Return alert rules as a Prometheus rule file in YAML, with JSON strings, because JSON strings are valid YAML."""
    lines = ["groups:", f"  - name: {json.dumps(group)}", "    rules:"]
    for rule in rules:
        lines += [
            f"      - alert: {json.dumps(rule.name)}",
            f"        expr: {json.dumps(str(rule.condition))}",
            f"        for: {rule.wait}",
            f"        labels: {{severity: {rule.severity}}}",
            f"        annotations: {{summary: {json.dumps(rule.summary)}}}",
        ]
    return "\n".join(lines) + "\n"


def _over_time(family: Family) -> Metric:
    """Return all samples of a family, grouped by labels and time, because the format requires this order."""
    metric = Metric(family.name, family.help, family.kind)
    samples = [(_group(series), at, series, value) for series in family.series for at, value in series.points]
    for _, at, series, value in sorted(samples, key=lambda sample: sample[:2]):
        metric.add_sample(series.name, series.labels, value, timestamp=at)
    return metric


def _group(series: Series) -> tuple[tuple[str, str], ...]:
    return tuple(sorted((label, value) for label, value in series.labels.items() if label != "le"))


def _series(series: str, points: tuple[tuple[float, float], ...]) -> Series:
    name, _, labels = series.partition("{")
    of = {label: _unescaped(value) for label, value in LABEL.findall(labels)}
    return Series(name=name, labels=of, points=points)


def _unescaped(text: str) -> str:
    return re.sub(r"\\(.)", lambda match: "\n" if match[1] == "n" else match[1], text)
