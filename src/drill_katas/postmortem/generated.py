"""The content of the generated blocks: impact, the incident's timeline, the response, alerts, and the fix."""

from __future__ import annotations

import difflib
import re
from itertools import groupby
from typing import TYPE_CHECKING, Final

from drill_katas.evidence.graph import format_seconds
from drill_katas.evidence.marks import marks_of
from drill_katas.evidence.records import clock_time, day
from drill_katas.investigation.scoring import outcome
from drill_katas.postmortem.facts import short_id
from drill_katas.practice.journal import (
    Diagnosed,
    Guarded,
    Hinted,
    Queried,
    Ran,
    Replayed,
    Reset,
    SolutionShown,
    Started,
)
from drill_katas.text import plural, printable, truncate
from drill_katas.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from drill_katas.evidence.records import ServiceLevel
    from drill_katas.postmortem.facts import Facts
    from drill_katas.practice.journal import Event

MOST_LINES: Final = 400  # lines of a diff
ESCAPED: Final = str.maketrans({sign: f"\\{sign}" for sign in "\\|<`*[]"})


def impact(facts: Facts) -> str:
    """Return the figures of the incident as a table."""
    of, alerts = facts.incident.summary, facts.incident.alerts
    page = min((alert.fired for alert in alerts if alert.severity == "page"), default=None)
    rows = [
        ("incident", f"{day(of.began)}, {clock_time(of.began)[:5]} to {clock_time(of.ended)[:5]} UTC"),
        ("worst part", f"{clock_time(of.since)[:5]} to {clock_time(of.until)[:5]}, {_minutes(of.until - of.since)}"),
        (f"good requests before {clock_time(of.since)[:5]}", _level(of.before)),
        ("good requests in the worst part", _level(of.after)),
        ("p95 before", format_seconds(of.before.p95)),
        ("p95 in the worst part", format_seconds(of.after.p95)),
        ("first request without a good answer", clock_time(of.onset) if of.onset is not None else "none"),
        ("first page", clock_time(page) if page is not None else "none"),
    ]
    if page is not None and of.onset is not None and page >= of.onset:
        rows.append(("from the first bad request to the page", _minutes(page - of.onset)))
    return _table(("what", "figure"), rows)


def timeline(facts: Facts) -> str:
    """Return the events of the incident in its own time, each with the id of its evidence."""
    incident = facts.incident
    rows = [(alert.fired, f"alert {alert.name} fired ({alert.severity})", alert.name) for alert in incident.alerts]
    rows += [
        (alert.resolved, f"alert {alert.name} resolved", alert.name) for alert in incident.alerts if alert.resolved
    ]
    marked = {(mark.at, mark.name.partition(" ")[0]): mark.name for mark in marks_of(incident)}
    for line in incident.logs:
        name = next((name for (at, _), name in marked.items() if at == line.at and name.startswith(line.event)), None)
        if name:
            rows.append((line.at, f"{line.service}: {name}", line.id))
    seen: set[tuple[str, str]] = set()
    for line in incident.logs:
        if line.level in {"error", "critical"} and (line.service, reason := _reason(line.fields)) not in seen:
            seen.add((line.service, reason))
            rows.append((line.at, f'{line.service}: first "{line.event}" {reason}'.rstrip(), line.id))
    onset = incident.summary.onset
    first = next((span for span in incident.spans if span.began == onset), None) if onset is not None else None
    if onset is not None:
        rows.append((onset, "first request without a good answer", first.trace_id[:8] if first else ""))
    cells = [(clock_time(at), what, of) for at, what, of in sorted(rows, key=lambda row: row[0])]
    return _table(("time", "what", "evidence"), cells)


def response(facts: Facts) -> str:
    """Return the journal of the round: the reading of its clock, the event, and its id."""

    def kind(event: Event) -> tuple[object, ...]:
        return ("query", event.about) if isinstance(event, Queried) else (event.id,)

    rows = []
    for _, group in groupby(facts.events, key=kind):
        events = list(group)
        what = _in_words(events)
        if what:
            rows.append((_clock(facts.readings[short_id(events[0])]), what, short_id(events[0])))
    return _table(("clock", "what", "evidence"), rows or [("0:00", "nothing is in the journal", "")])


def alerts(facts: Facts) -> str:
    """Return the alerts that fired."""
    fired = facts.incident.alerts
    rows = [
        (alert.name, alert.severity, clock_time(alert.fired), clock_time(alert.resolved) if alert.resolved else "-")
        for alert in sorted(fired, key=lambda alert: alert.fired)
    ]
    return _table(("alert", "severity", "fired", "resolved"), rows) if rows else "No alert fired."


def experiments(facts: Facts) -> str:
    """Return the experiments with the incident, and their outcome."""
    rows = [
        (name, facts.ablations[name], outcome(facts.incident, played), _level(played.summary.after))
        for name, played in facts.experiments.items()
    ]
    header = ("experiment", "what is different", "result", "good requests in the worst part")
    return _table(header, rows) if rows else "No experiment ran with this incident."


def fix(facts: Facts) -> str:
    """Return the difference between the broken files and the learner's, as a fenced unified diff."""
    lines: list[str] = []
    for name, (broken, own) in facts.fix.items():
        before, after = (content.decode("utf-8", "replace").splitlines() for content in (broken, own))
        lines += difflib.unified_diff(before, after, f"broken/{name}", f"fixed/{name}", lineterm="")
    if not lines:
        return "No file of the module has changed."
    more = len(lines) - MOST_LINES
    shown = [printable(line.replace("\t", "    ")) for line in lines[:MOST_LINES]]
    fence = "~" * max(3, 1 + max(map(len, re.findall("~+", "\n".join(shown))), default=0))
    return "\n".join([f"{fence}diff", *shown, *([f"... and {more} more lines"] if more > 0 else []), fence])


BLOCKS: Final[dict[str, Callable[[Facts], str]]] = {
    "impact": impact,
    "timeline": timeline,
    "response": response,
    "alerts": alerts,
    "experiments": experiments,
    "fix": fix,
}


def contents(facts: Facts) -> dict[str, str]:
    """Return the content of each generated block."""
    return {name: content(facts) for name, content in BLOCKS.items()}


def _in_words(events: list[Event]) -> str:  # noqa: C901, PLR0911 - one return for each kind of event
    match events[0]:
        case Started():
            return "read the page"
        case Reset():
            return "restored the broken files"
        case Queried(about=about):
            return f"queried {about}" + (f", {len(events)} times" if len(events) > 1 else "")
        case Replayed(ablation=None):
            return "replayed the incident"
        case Replayed(ablation=name, good=good):
            return f"experiment {name}: {good:.0%} of the requests good in the worst part"
        case Diagnosed() as event:
            return f"diagnosis: {event.component}, {' and '.join(event.mechanisms)}: {event.state}"
        case Hinted(rung=rung):
            return f"read hint {rung}"
        case SolutionShown():
            return "read the solution"
        case Guarded(score=score):
            return f"guardrail: score {score}"
        case Ran() as run if run.solved or not run.no_attempt:
            passed = sum(check.outcome is Outcome.PASS for check in run.checks)
            return f"attempt: {passed} of {plural(len(run.checks), 'check')} passed" + (", solved" * run.solved)
        case _:
            return ""


def _reason(fields: dict[str, object]) -> str:
    return str(fields.get("reason", ""))


def _level(of: ServiceLevel) -> str:
    return f"{of.good} of {of.requests} ({of.share:.0%})"


def _minutes(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if rest else f"{minutes} min"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _table(header: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join(f"| {' | '.join(_cells(line))} |" for line in lines)


def _cells(line: tuple[object, ...]) -> Iterator[str]:
    for cell in line:
        yield truncate(" ".join(printable(str(cell)).split()), 160).translate(ESCAPED)
