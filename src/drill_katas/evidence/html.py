"""An incident, or two side by side, as one HTML page that asks nobody for anything."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING, Any, Final

import msgspec

from drill_katas.errors import UserError
from drill_katas.evidence import history
from drill_katas.evidence.graph import edges
from drill_katas.evidence.layout import to_svg
from drill_katas.evidence.query import plotted
from drill_katas.evidence.replay import story_of
from drill_katas.evidence.samples import Metrics

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from drill_katas.catalog import Kata
    from drill_katas.evidence.records import Incident, Span
    from drill_katas.kit.pictures import Picture
    from drill_katas.kit.rules import Point

ASSETS: Final = Path(__file__).parent / "page"
MOST_SERIES: Final = 8  # of a metric; more in one plot nobody can tell apart


@dataclass(frozen=True)
class Seen:
    """What the pictures of an incident are made from."""

    incident: Incident
    kata: Kata

    @property
    def spans(self) -> Sequence[Span]:
        """All spans, in order of time."""
        return self.incident.spans

    def series(self, name: str, **labels: str) -> Sequence[Point]:
        """Return the points of the first series of that name with these labels; none when there is none."""
        return next((each.points for each in Metrics(self.incident.metrics).of(name, labels)), ())

    def recorded(self, name: str, **labels: str) -> Sequence[Point]:
        """Return the points of a series in the kata's recorded history."""
        return next((each.points for each in Metrics(history.metrics(self.kata)).of(name, labels)), ())


@dataclass(frozen=True)
class Shown:
    """A replay on the page: a short label, which files were replayed, and the incident."""

    label: str
    about: str
    incident: Incident


def to_html(kata: Kata, shown: Sequence[Shown]) -> str:
    """Return the page of one kata's incident, replayed on one or more sets of files."""
    told = {"incidents": [_told(kata, each) for each in shown]}
    data = msgspec.json.encode(told).decode().replace("<", "\\u003c")  # so that no text can end the script element
    page = Template((ASSETS / "page.html").read_text(encoding="utf-8"))
    return page.substitute(
        title=kata.manifest.title,
        data=data,
        style=(ASSETS / "page.css").read_text(encoding="utf-8"),
        script=(ASSETS / "page.js").read_text(encoding="utf-8"),
        plot_style=(ASSETS / "uPlot.min.css").read_text(encoding="utf-8"),
        plot_script=(ASSETS / "uPlot.iife.min.js").read_text(encoding="utf-8"),
    )


def write(file: Path, html: str) -> None:
    """Write the page. Raises `UserError` when it cannot be written."""
    try:
        file.write_text(html, encoding="utf-8")
    except OSError as error:
        raise UserError(f"cannot write {file} ({error.strerror})") from error


def _told(kata: Kata, shown: Shown) -> dict[str, Any]:
    incident = shown.incident
    with story_of(kata) as story:
        drawn = list(story.pictures(Seen(incident, kata))) if hasattr(story, "pictures") else []
    return {
        "label": shown.label,
        "about": shown.about,
        "summary": incident.summary,
        "alerts": incident.alerts,
        "logs": incident.logs,
        "spans": incident.spans,
        "metrics": list(_metrics(incident)),
        "pictures": [_picture(each) for each in drawn],
        "graph": to_svg(edges(incident.spans, incident.summary.ended)),
    }


def _metrics(incident: Incident) -> Iterator[dict[str, Any]]:
    for family in incident.metrics:
        found = plotted(incident.metrics, family.name, {}, None)
        series = [{"name": each.name, "points": each.points} for each in found][:MOST_SERIES]
        name = f"p95 of {family.name}" if family.kind == "histogram" else family.name
        yield {"name": name, "help": family.help, "series": series}


def _picture(of: Picture) -> dict[str, Any]:
    series = [{"name": name, "points": points} for name, points in of.series.items()]
    return {"title": of.title, "about": of.about, "series": series, "time": not of.x, "x": of.x}
