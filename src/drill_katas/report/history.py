"""What has happened with one kata, as text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeGuard

from drill_katas.journal import Diagnosed, Hinted, Ran, Replayed, Reset, SolutionShown, Started
from drill_katas.report.evidence import BLOCKS
from drill_katas.report.text import clock, counted, cut, line
from drill_katas.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from drill_katas.journal import Event
    from drill_katas.progress import KataProgress
    from drill_katas.report.text import Line, Style

SHOWN: Final = 200  # columns of a sparkline, at most


def history_lines(events: Sequence[Event], standing: KataProgress, width: int) -> Iterator[Line]:
    """Tell what happened, in order of time, and how the share of passing checks went."""
    best = f"best {clock(standing.best)}" if standing.best else "not solved"
    told = f": {counted(standing.total_attempts, 'attempt')}, {counted(standing.total_hints, 'hint')}, {best}"
    yield line((standing.kata, "bold"), told)
    attempts = 0
    for event in events:
        attempts += _is_attempt(event)
        if what := _what(event, attempts):
            text, style = what
            yield line((f"  {event.at.astimezone():%Y-%m-%d %H:%M}  ", "dim"), (cut(text, width - 20), style))
    shares = [_passing(event) / max(1, len(event.checks)) for event in events if _is_attempt(event)]
    if shares:
        yield line("checks that pass  ", (sparkline(shares[-min(SHOWN, width - 18) :]), "good"))


def sparkline(shares: Iterable[float]) -> str:
    """Return shares from 0 to 1 as a row of blocks; 0 is the lowest of them and not nothing."""
    return "".join(BLOCKS[1 + round(share * 7)] for share in shares)


def _what(event: Event, attempts: int) -> tuple[str, Style] | None:
    """Say what an event was; questions to the evidence are left out, there are many."""
    match event:
        case Started() | Reset():
            kept = f"; yours is in {event.kept}" if isinstance(event, Reset) else ""
            return f"{'reset' if kept else 'the page'}, variant {event.variant}{kept}", ""
        case Ran():
            return _run(event, attempts)
        case Hinted() | SolutionShown():
            return (f"hint {event.rung}" if isinstance(event, Hinted) else "the solution was shown"), "note"
        case Replayed():
            about = f"experiment {event.ablation}" if event.ablation else "the incident replayed"
            return f"{about}: {event.good:.0%} of requests good", ""
        case Diagnosed():
            told = f"diagnosed {', '.join(event.mechanisms)} in {event.component}: {event.state}, {event.score} points"
            return told, "good" if event.right else ""
        case _:
            return None


def _run(run: Ran, attempts: int) -> tuple[str, Style]:
    if left := sum(check.outcome is Outcome.NOT_JUDGED for check in run.checks):
        return f"no attempt: {counted(left, 'check')} not judged, {run.seconds:.1f} s", "note"
    inline = " inline" if run.inline else ""
    told = f"attempt {attempts}{inline}: {_passing(run)} of {len(run.checks)} checks, {run.seconds:.1f} s"
    return (f"{told}, solved", "good") if run.solved else (told, "")


def _is_attempt(event: Event) -> TypeGuard[Ran]:
    return isinstance(event, Ran) and all(check.outcome is not Outcome.NOT_JUDGED for check in event.checks)


def _passing(run: Ran) -> int:
    return sum(check.outcome is Outcome.PASS for check in run.checks)
