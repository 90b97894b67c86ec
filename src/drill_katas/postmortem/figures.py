"""Figures and times: those of the impact must be the incident's, and a timeline must be in order."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from drill_katas.evidence.records import clock_time
from drill_katas.postmortem import generated
from drill_katas.postmortem.citing import cell_findings, citations
from drill_katas.postmortem.document import IMPACT, TIMELINE
from drill_katas.postmortem.finding import Finding
from drill_katas.text import printable, truncate

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drill_katas.markdown import Row
    from drill_katas.postmortem.document import Document, Section
    from drill_katas.postmortem.facts import Facts

TIME: Final = re.compile(r"\b([01]?\d|2[0-3]):([0-5]\d)(?::([0-5]\d))?\b")
DAY: Final = re.compile(r"\b\d{4}-\d\d-\d\d\b")
NUMBER: Final = re.compile(r"(?<![\w.-])(\d{1,9}(?:\.\d{1,6})?)(?![\w-]|\.\d)(?:\s*(%|ms|s|min)(?!\w))?")
UNITS: Final = {"%", "ms", "s", "min"}
CLOSE: Final = 60  # seconds by which a written time may differ from its evidence
DAYLONG: Final = 86_400


def figures_of(text: str) -> set[tuple[float, str]]:
    """Return the numbers in a text, each with its unit; empty for none."""
    return {(float(number), unit) for number, unit in NUMBER.findall(TIME.sub(" ", DAY.sub(" ", text)))}


def known_figures(facts: Facts) -> set[tuple[float, str]]:
    """Return the figures that an impact may contain: those of the generated tables, and their complements."""
    of = facts.incident.summary
    found = figures_of(" ".join(make(facts) for make in (generated.impact, generated.alerts, generated.experiments)))
    for level in (of.before, of.after):
        bad = level.requests - level.good
        found |= {(bad, ""), (level.requests, ""), (100 * level.share, "%"), (100 - 100 * level.share, "%")}
        found |= {(level.p95 * 1000, "ms"), (level.p95, "s")}
    total, good = of.before.requests + of.after.requests, of.before.good + of.after.good
    found |= {(total, ""), (good, ""), (total - good, ""), (len(facts.incident.alerts), "")}
    minutes = [of.until - of.since, of.ended - of.began]
    minutes += [of.ended - of.onset, of.until - of.onset] if of.onset is not None else []
    minutes += [alert.fired - of.onset for alert in facts.incident.alerts if of.onset is not None]
    return found | {(round(abs(each) / 60), "min") for each in minutes} | {(round(abs(each)), "s") for each in minutes}


def _is_known(text: str, unit: str, known: set[tuple[float, str]]) -> bool:
    """Return whether a written number is a known figure, rounded to the digits that are written."""
    number, digits = float(text), len(text.partition(".")[2])
    return any(abs(number - value) <= 0.5 * 10**-digits + 1e-9 for value, of in known if of == unit or not unit)


def impact_findings(document: Document, facts: Facts) -> Iterator[Finding]:
    """Yield the figures and times in the words on impact that the incident did not measure."""
    section = document.sections.get(IMPACT)
    if section is None:
        return
    known = known_figures(facts)
    written = 0
    for line, words in (each for passage in section.passages for each in passage.lines):
        text = DAY.sub(" ", words)
        written += bool(figures_of(text))
        yield from _time_findings(text, line, facts)
        for number, unit in NUMBER.findall(TIME.sub(" ", text)):
            if not _is_known(number, unit, known):
                figure = f"{number} {unit}".strip()
                message = f"the incident did not measure {figure}; copy a figure of the table above"
                yield Finding(line, "figures", message)
    if not section.passages:
        yield Finding(section.line, "figures", "Impact has no words of yours; write who was hurt, how badly, how long")
    elif not written:
        line = section.passages[0].line
        yield Finding(line, "figures", "your words on impact have no figure; copy one of the table above")


def has_impact(document: Document, facts: Facts) -> bool:
    """Return whether the impact is described with a figure, and without a wrong one."""
    return not list(impact_findings(document, facts)) and IMPACT in document.sections


def _time_findings(text: str, line: int, facts: Facts) -> Iterator[Finding]:
    of = facts.incident.summary
    for found in TIME.finditer(text):
        at = _moment(found, of.began)
        if not of.began - CLOSE <= at <= of.ended + CLOSE:
            span = f"{clock_time(of.began)[:5]} to {clock_time(of.ended)[:5]}"
            yield Finding(line, "figures", f"{found[0]} is not in the incident, which was from {span}")


def _moment(found: re.Match[str], began: float) -> float:
    """Return a time of day as seconds since 1970, on the day of the incident or after its midnight."""
    midnight = datetime.fromtimestamp(began, UTC).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    at = midnight + 3600 * int(found[1]) + 60 * int(found[2]) + int(found[3] or 0)
    return at + DAYLONG if at < began - DAYLONG / 2 else at


def timeline_findings(document: Document, facts: Facts) -> Iterator[Finding]:
    """Yield rows of the written timeline that are out of order, or that differ from their evidence."""
    section = document.sections.get(TIMELINE)
    for table in section.tables if section else ():
        last: tuple[float, str] | None = None
        for row in table.rows:
            text = row.cell("time") or row.cell("clock")
            found = TIME.search(text)
            if not found:
                shown = truncate(printable(text), 20)
                yield Finding(row.line, "timeline", f"{shown!r} is not a time; write it such as 02:57 or 02:57:31")
                continue
            at = _moment(found, facts.incident.summary.began)
            if last and at < last[0]:
                yield Finding(
                    row.line, "timeline", f"{found[0]} comes after {last[1]} here; put the rows in order of time"
                )
            last = (at, found[0])
            yield from _evidence_findings(row, at, found[0], facts)


def _evidence_findings(row: Row, at: float, shown: str, facts: Facts) -> Iterator[Finding]:
    cell = row.cell("evidence")
    known = [word for word in citations(cell) if facts.exists(word)]
    if not known and "unknown" not in cell.lower():
        yield Finding(row.line, "timeline", f"the row of {shown} has no evidence; cite an id, or write: unknown")
    yield from cell_findings(cell, row.line, facts)
    for word in known:
        seen = facts.moments.get(word)
        if seen is not None and not word.startswith("deploy-") and abs(seen - at) > CLOSE:
            yield Finding(row.line, "timeline", f"{word} was at {clock_time(seen)}, and the row has {shown}")


def own_rows(section: Section | None, facts: Facts) -> int:
    """Return the number of written timeline rows with known evidence."""
    rows = [row for table in section.tables for row in table.rows] if section else []
    return sum(any(facts.exists(word) for word in citations(row.cell("evidence"))) for row in rows)
