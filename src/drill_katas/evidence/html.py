"""An incident, or several side by side, as one self-contained HTML page."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import jinja2
import msgspec
from jinja2.utils import htmlsafe_json_dumps
from markupsafe import Markup

from drill_katas.evidence import history
from drill_katas.evidence.charts import charts_of, picture_charts
from drill_katas.evidence.graph import edges
from drill_katas.evidence.layout import to_svg
from drill_katas.evidence.marks import marks_of
from drill_katas.evidence.replay import story_of
from drill_katas.evidence.samples import Metrics

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drill_katas.catalog.katas import Kata
    from drill_katas.evidence.charts import Chart
    from drill_katas.evidence.graph import Edge
    from drill_katas.evidence.marks import Mark
    from drill_katas.evidence.records import Alert, IncidentRecord, LogLine, Span, Summary
    from drill_katas.kit.rules import Point

ASSETS: Final = Path(__file__).parent / "page"


@dataclass(frozen=True)
class PictureSource:
    """The data that a kata's `pictures` function draws from."""

    incident: IncidentRecord
    kata: Kata

    @property
    def spans(self) -> Sequence[Span]:
        """All spans, in order of time."""
        return self.incident.spans

    def series(self, name: str, **labels: str) -> Sequence[Point]:
        """Return the points of the first series with this name and these labels; () if there is none."""
        return next((each.points for each in Metrics(self.incident.metrics).of(name, labels)), ())

    def recorded(self, name: str, **labels: str) -> Sequence[Point]:
        """Return the points of a series in the kata's recorded history; () if there is none."""
        return next((each.points for each in Metrics(history.metrics(self.kata)).of(name, labels)), ())


@dataclass(frozen=True)
class Shown:
    """A replay on the page: a short label, a description of the replayed files, and the incident."""

    label: str
    about: str
    incident: IncidentRecord


class Replayed(msgspec.Struct, frozen=True):
    """One column of the page: the replayed files and their evidence, without the charts, which all columns share."""

    label: str
    about: str
    summary: Summary
    alerts: Sequence[Alert]
    marks: Sequence[Mark]
    logs: Sequence[LogLine]
    spans: Sequence[Span]
    edges: Sequence[Edge]
    graph: str


class Page(msgspec.Struct, frozen=True):
    """The data of a page."""

    incidents: Sequence[Replayed]
    metrics: Sequence[Chart]
    pictures: Sequence[Chart]


def to_html(kata: Kata, shown: Sequence[Shown]) -> str:
    """Return the page of one kata's incident, with one column per replay."""
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ASSETS), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    data = htmlsafe_json_dumps(page_of(kata, shown), dumps=lambda page: msgspec.json.encode(page).decode())
    return templates.get_template("page.html").render(title=kata.manifest.title, data=data, asset=_asset)


def page_of(kata: Kata, shown: Sequence[Shown]) -> Page:
    """Return the data of the page."""
    incidents = [each.incident for each in shown]
    with story_of(kata) as story:
        draw = getattr(story, "pictures", lambda _: ())
        drawn = [list(draw(PictureSource(incident, kata))) for incident in incidents]
    return Page([_column(each) for each in shown], charts_of(incidents), picture_charts(drawn))


def _column(shown: Shown) -> Replayed:
    incident = shown.incident
    found = edges(incident.spans, incident.summary.ended)
    return Replayed(
        label=shown.label,
        about=shown.about,
        summary=incident.summary,
        alerts=incident.alerts,
        marks=marks_of(incident),
        logs=incident.logs,
        spans=incident.spans,
        edges=found,
        graph=to_svg(found),
    )


def _asset(name: str) -> Markup:
    """Return a script or a style sheet of this package, unescaped."""
    return Markup((ASSETS / name).read_text(encoding="utf-8"))  # noqa: S704
