"""The charts of an incident's page: the same series in the same order for every replay on the page."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import msgspec

from drill_katas.evidence.changes import Change, change_of
from drill_katas.evidence.query import plotted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from drill_katas.evidence.query import Plotted
    from drill_katas.evidence.records import Family, IncidentRecord
    from drill_katas.kit.pictures import Picture
    from drill_katas.kit.rules import Point

MOST_SERIES: Final = 8  # most series of a chart, because people cannot distinguish more colors
UNITS: Final = {"_seconds": "seconds", "_ratio": "share", "_bytes": "bytes"}


class Figures(msgspec.Struct, frozen=True):
    """The mean of a series in one replay, before and in the incident's worst part."""

    before: float | None
    during: float | None


class ChartLine(msgspec.Struct, frozen=True):
    """One series: short name for the legend, full name, and the points and figures in each replay."""

    name: str
    full: str
    points: tuple[Sequence[Point], ...]
    figures: tuple[Figures, ...]


class Chart(msgspec.Struct, frozen=True, kw_only=True):
    """A chart: lines over time, or with `x`, the title of the horizontal axis, dots over another quantity.

    `y` is the title of the vertical axis; `unit` is seconds, share, bytes, or "" for a number. `score` is the largest
    change of a series, in doublings.
    """

    title: str
    about: str
    y: str
    unit: str = ""
    x: str = ""
    lines: tuple[ChartLine, ...]
    score: int = 0


def charts_of(incidents: Sequence[IncidentRecord]) -> list[Chart]:
    """Return a chart of every metric, the largest change in the incident first."""
    names = dict.fromkeys(family.name for incident in incidents for family in incident.metrics)
    ranked = [_of_metric(name, incidents) for name in names]
    return [chart for _, chart in sorted(ranked, key=lambda entry: entry[0], reverse=True) if chart.lines]


def picture_charts(drawn: Sequence[Sequence[Picture]]) -> list[Chart]:
    """Return charts of a kata's own pictures; `drawn` has the pictures of each replay."""
    by_title = [{each.title: each for each in of} for of in drawn]
    found = []
    for title in dict.fromkeys(title for of in by_title for title in of):
        of_replays = [of.get(title) for of in by_title]
        first = next(each for each in of_replays if each)
        names = dict.fromkeys(name for each in of_replays if each for name in each.series)
        lines = tuple(
            ChartLine(name, name, tuple(each.series.get(name, ()) if each else () for each in of_replays), ())
            for name in names
        )
        found.append(Chart(title=title, about=first.about, y=first.y, x=first.x, lines=lines))
    return found


def axis_title(family: Family) -> str:
    """Return the title of a metric's vertical axis, with the unit: "p95, seconds", "requests per minute", "share"."""
    if family.kind == "histogram":
        return "p95, seconds" if unit_of(family) == "seconds" else "p95"
    words = family.name.replace("_", " ")
    return f"{words} per minute" if family.kind == "counter" else unit_of(family) or words


def unit_of(family: Family) -> str:
    """Return the unit of a metric by the suffix of its name: seconds, share, bytes, or "" for a number."""
    if family.kind == "counter":
        return ""
    return next((unit for suffix, unit in UNITS.items() if family.name.endswith(suffix)), "")


def short_names(labels: Sequence[Mapping[str, str]]) -> list[str]:
    """Return short, distinct names for sets of labels: the values that differ, without redundant ones."""
    worded = [_worded(of) for of in labels]
    known = dict.fromkeys(label for of in worded for label in of)
    differing = [label for label in known if len({of.get(label) for of in worded}) > 1]
    found = []
    for of in worded:
        chosen = differing
        for label in differing[1:]:
            fewer = [each for each in chosen if each != label]
            if sum(all(other.get(each) == of.get(each) for each in fewer) for other in worded) == 1:
                chosen = fewer
        found.append(" · ".join(of[label] for label in chosen if of.get(label)))
    return found


def _worded(labels: Mapping[str, str]) -> dict[str, str]:
    """Return labels in plain words: caller and callee become "call", and the value "none" becomes "no answer"."""
    words = {label: "no answer" if value == "none" else value for label, value in labels.items()}
    if "caller" in words and "callee" in words:
        words = {"call": f"{words.pop('caller')} → {words.pop('callee')}", **words}
    return words


def _of_metric(name: str, incidents: Sequence[IncidentRecord]) -> tuple[tuple[float, ...], Chart]:
    """Return the rank and the chart of a metric.

    Among changes of equal magnitude (in doublings) durations come last, because they also depend on the machine.
    """
    family = next(family for incident in incidents for family in incident.metrics if family.name == name)
    of_replays = [{_key(each): each for each in _plotted(incident, name)} for incident in incidents]
    found = {key: each for of in of_replays for key, each in of.items()}
    scored = sorted(_scored(found, of_replays, incidents), key=lambda entry: -entry[0])[:MOST_SERIES]
    shorts = dict(zip(found, short_names([each.labels for each in found.values()]), strict=True))
    lines = tuple(
        ChartLine(
            shorts[key] or ("p95" if family.kind == "histogram" else name.replace("_", " ")),
            found[key].name,
            tuple(of[key].points if key in of else () for of in of_replays),
            tuple(_figures(change, family.kind) for change in changes),
        )
        for _, key, changes in sorted(scored, key=lambda entry: entry[1])
    )
    best = max((score for score, _, _ in scored), default=0.0)
    doublings = round(math.log2(1 + best))
    title = f"p95 of {name}" if family.kind == "histogram" else name
    chart = Chart(
        title=title, about=family.help, y=axis_title(family), unit=unit_of(family), lines=lines, score=doublings
    )
    return (doublings, unit_of(family) != "seconds", best, sum(score for score, _, _ in scored)), chart


def _figures(change: Change, kind: str) -> Figures:
    """Return the figures of a change; a counter without samples counts as 0."""
    missing = 0.0 if kind == "counter" else None
    return Figures(
        missing if change.before is None else change.before, missing if change.during is None else change.during
    )


def _scored(
    found: Mapping[tuple[tuple[str, str], ...], Plotted],
    of_replays: Sequence[Mapping[tuple[tuple[str, str], ...], Plotted]],
    incidents: Sequence[IncidentRecord],
) -> Iterator[tuple[float, tuple[tuple[str, str], ...], list[Change]]]:
    for key in found:
        changes = [
            change_of(of[key].points if key in of else (), incident.summary)
            for of, incident in zip(of_replays, incidents, strict=True)
        ]
        yield max(change.score for change in changes), key, changes


def _plotted(incident: IncidentRecord, name: str) -> Sequence[Plotted]:
    if not any(family.name == name for family in incident.metrics):
        return ()
    return plotted(incident.metrics, name, {}, None)


def _key(of: Plotted) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(of.labels.items()))
