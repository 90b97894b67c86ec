"""The history of katas as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeGuard

from drill_katas.catalog.katas import ORIGINAL
from drill_katas.guardrail.result import ENOUGH
from drill_katas.practice.attempts import UNSEEN
from drill_katas.practice.journal import (
    Diagnosed,
    Guarded,
    Hinted,
    Ran,
    Replayed,
    Reset,
    Reviewed,
    SolutionShown,
    Started,
)
from drill_katas.practice.progress import PENALTY, KataStanding, followed, variant_of
from drill_katas.report.catalog import counts_of
from drill_katas.report.diagnosis import STATES
from drill_katas.report.evidence import BLOCKS
from drill_katas.report.text import clock, line, wrapped
from drill_katas.text import plural
from drill_katas.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import datetime

    from drill_katas.practice.journal import Event
    from drill_katas.practice.progress import KataProgress
    from drill_katas.report.text import Style, TextLine

Step = tuple["Event", "KataProgress", "KataProgress"]
"""An event, the progress of its variant before it, and after it."""
SHOWN: Final = 200  # most columns of a sparkline


def history_lines(name: str, events: Sequence[Event], width: int, at: datetime) -> Iterator[TextLine]:
    """Return the history of each variant of a kata; `events` are those of the kata."""
    standing = KataStanding(name)
    of_variants: dict[str, list[Step]] = {}
    for event in events:
        before, standing = standing, followed(standing, event)
        variant = variant_of(before, event)
        of_variants.setdefault(variant, []).append((event, before.of(variant), standing.of(variant)))
    for number, variant in enumerate(of_variants or [ORIGINAL]):
        if number:
            yield line()
        label = name if set(of_variants) <= {ORIGINAL} else f"{name}, variant {variant}"
        counts = counts_of(standing.of(variant), at, is_current=variant == standing.variant)
        yield line((label, "bold"), f": {counts}")
        yield from _steps(of_variants.get(variant, ()), width)


def _steps(steps: Sequence[Step], width: int) -> Iterator[TextLine]:
    """Return the events of a variant in order of time, and a sparkline of the share of passed checks."""
    for event, before, now in steps:
        if described := _describe(event, before, now):
            text, style = described
            when = f"  {event.at.astimezone():%Y-%m-%d %H:%M}  "
            first, *rest = wrapped(text, width - len(when), "", style)
            yield line((when, "dim"), *_parts(first))
            yield from (line(" " * len(when), *_parts(each)) for each in rest)
    runs = [event for event, _, _ in steps if _is_judged(event)]
    shares = [_passing(run) / max(1, len(run.checks)) for run in runs]
    if shares:
        yield line("checks that pass  ", (sparkline(shares[-min(SHOWN, width - 18) :]), "good"))


def all_lines(names: Sequence[str], events: Sequence[Event], width: int, at: datetime) -> Iterator[TextLine]:
    """Return the history of every kata that has one; katas of the workspace come first."""
    touched = {event.kata for event in events}
    ordered = [name for name in names if name in touched]
    ordered += sorted(touched.difference(names))  # katas of packs, and removed katas
    if not ordered:
        yield line("The history is empty. `kata next` suggests a kata to practice.")
    for number, name in enumerate(ordered):
        if number:
            yield line()
        yield from history_lines(name, [event for event in events if event.kata == name], width, at)


def sparkline(shares: Iterable[float]) -> str:
    """Return shares from 0 to 1 as a row of blocks; the share 0 is the lowest block, so that it is visible."""
    return "".join(BLOCKS[1 + round(share * 7)] for share in shares)


def _describe(event: Event, before: KataProgress, now: KataProgress) -> tuple[str, Style] | None:
    """Return an event in words; None for a query, because there are many."""
    match event:
        case Started() | Reset():
            kept = f"; your files are in {event.kept}" if isinstance(event, Reset) else ""
            return f"{'reset' if kept else 'started'}, variant {event.variant}{kept}", ""
        case Ran():
            return _run(event, now)
        case Hinted() | SolutionShown():
            return (f"hint {event.rung}" if isinstance(event, Hinted) else "the solution was shown"), "note"
        case Diagnosed():
            cost = f", +{clock(PENALTY)}" if now.wrong_diagnoses > before.wrong_diagnoses else ""
            about = f"diagnosed {', '.join(event.mechanisms)} in {event.component}"
            return (
                f"{about}: {STATES.get(event.state, event.state)}, {event.score} points{cost}",
                "good" if event.right else "",
            )
        case Replayed() | Guarded() | Reviewed():
            return _tried(event)
        case _:
            return None


def _tried(event: Replayed | Guarded | Reviewed) -> tuple[str, Style]:
    if isinstance(event, Replayed):
        about = f"experiment {event.ablation}" if event.ablation else "the incident was replayed"
        return f"{about}: {event.good:.0%} of requests good", ""
    if isinstance(event, Reviewed):
        text = f"post-mortem: {event.score} points, {plural(event.findings, 'finding')}"
        return text, "" if event.findings else "good"
    right, wrong = f"{event.passed} of {event.right} right designs", f"{event.rejected} of {event.wrong} wrong versions"
    text = f"guardrail: {event.score} points; passes {right}, rejects {wrong}"
    return text, "good" if event.score >= ENOUGH else ""


def _run(run: Ran, now: KataProgress) -> tuple[str, Style]:
    if left := sum(check.outcome is Outcome.NOT_JUDGED for check in run.checks):
        return f"not an attempt: {plural(left, 'check')} not judged, {run.seconds:.1f} s", "note"
    kind, reason = f"attempt {now.total_attempts}", ""
    if run.no_attempt:
        kind, reason = "not an attempt", f" ({run.no_attempt})"
    about = f"{kind}: {_passing(run)} of {len(run.checks)} checks, {run.seconds:.1f} s{reason}"
    return (f"{about}, solved", "good") if run.solved else (about, "")


def _is_judged(event: Event) -> TypeGuard[Ran]:
    """Return whether an event is a run whose checks say something about the learner's code."""
    if not isinstance(event, Ran) or event.no_attempt in UNSEEN:
        return False
    return all(check.outcome is not Outcome.NOT_JUDGED for check in event.checks)


def _parts(spans: TextLine) -> Iterator[tuple[str, Style]]:
    return ((span.text, span.style) for span in spans)


def _passing(run: Ran) -> int:
    return sum(check.outcome is Outcome.PASS for check in run.checks)
