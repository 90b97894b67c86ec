"""A post-mortem as one self-contained HTML page, in the look of the incident's page."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import jinja2
from markdown_it import MarkdownIt
from markupsafe import Markup

from drill_katas.evidence.html import ASSETS as INCIDENT_PAGE
from drill_katas.postmortem import alerts, drawing
from drill_katas.postmortem.blocks import layout_of
from drill_katas.postmortem.citing import without_comments
from drill_katas.postmortem.document import ALERTS, FACTORS, IMPACT, SECTIONS, TIMELINE, parse
from drill_katas.postmortem.factors import HARM, WHYS, graph_of
from drill_katas.postmortem.files import NAMES

if TYPE_CHECKING:
    from drill_katas.postmortem.document import Document
    from drill_katas.postmortem.factors import Graph
    from drill_katas.postmortem.facts import Facts

ASSETS: Final = Path(__file__).parent / "page"
DATE_CELL: Final = re.compile(r"<td>(\d{4}-\d\d-\d\d)</td>")


def to_html(text: str, facts: Facts) -> str:
    """Return the page of a post-mortem. Its words are shown as text: no HTML, pictures, or scripts of the file."""
    layout = layout_of(text, NAMES)
    document = parse(layout.written())
    graph = graph_of(document, facts)
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(ASSETS), autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True
    )
    sections = {name: _rendered(body) for name, body in _bodies(text, document).items()}
    return templates.get_template("page.html").render(
        title=facts.kata.manifest.title,
        meta={key: document.meta.get(key, (0, ""))[1] for key in ("incident", "author", "status")},
        styles=_style(INCIDENT_PAGE / "page.css") + _style(ASSETS / "page.css"),
        impact=sections.get(IMPACT, ""),
        timeline=sections.get(TIMELINE, ""),
        lanes=[drawing.incident_lane(facts), drawing.response_lane(facts)],
        labels={name: alerts.label_of(row) for name, row in alerts.rows_of(document).items()},
        alerts=sections.get(ALERTS, ""),
        drawn=drawing.graph(graph),
        wide=drawing.WIDE,
        whys=_whys(graph),
        factors=sections.get(FACTORS, ""),
        others={name: sections[name] for name in SECTIONS[4:] if name in sections},
    )


def _whys(graph: Graph) -> list[tuple[str, list[tuple[str, str]]]]:
    """Return each why with the factors on its path, each with its words."""
    known = graph.by_id
    named = {why.name: why for why in graph.whys}
    return [
        (
            f"Why {name}",
            [(step, known[step].text if step in known else "") for step in named[name].path if step in {*known, HARM}],
        )
        for name in (why.name for why in graph.whys)
        if name in WHYS
    ]


def _bodies(text: str, document: Document) -> dict[str, str]:
    """Return the Markdown of each section, without its heading."""
    lines = text.splitlines()
    starts = sorted((section.line, name) for name, section in document.sections.items())
    ends = [line - 1 for line, _ in starts[1:]] + [len(lines)]
    return {name: "\n".join(lines[line:end]) for (line, name), end in zip(starts, ends, strict=True)}


def _rendered(markdown: str) -> Markup:
    """Return Markdown as HTML; HTML in it is escaped, and pictures are left out, because they would be requested."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table").disable(["image", "html_block", "html_inline"])
    rendered = DATE_CELL.sub(r'<td class="date">\1</td>', parser.render(without_comments(markdown)))
    return Markup(rendered)  # noqa: S704 - the parser escapes all text


def _style(file: Path) -> Markup:
    return Markup(file.read_text(encoding="utf-8"))  # noqa: S704 - a style sheet of this package
