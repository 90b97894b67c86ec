"""What to practise next: what is not solved yet, and what was, when it is due again.

A kata that was solved comes again after a day, then after two, four, and so on, as long as it is solved without hints
and in a few attempts; otherwise after a day. That is spaced repetition, with the factor 2 of Leitner's boxes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from drill_katas.catalog.katas import ORIGINAL
from drill_katas.practice.progress import KataProgress, after

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from drill_katas.catalog.katas import Kata
    from drill_katas.practice.journal import Event

FEW: Final = 3  # attempts
FIRST: Final = timedelta(days=1)


@dataclass(frozen=True)
class Solve:
    """A round that ended with a solution: when, of which variant, and whether it went well."""

    at: datetime
    variant: str
    well: bool


@dataclass(frozen=True)
class Due:
    """A variant of a kata to practise; `since` is when it became due, None for one that was never solved."""

    kata: Kata
    variant: str
    since: datetime | None


def solves(events: Iterable[Event]) -> dict[str, list[Solve]]:
    """Return the solved rounds of each kata, in order of time."""
    standings: dict[str, KataProgress] = {}
    found: dict[str, list[Solve]] = {}
    for event in events:
        before = standings.get(event.kata, KataProgress(event.kata))
        now = standings[event.kata] = after(before, event)
        if now.solved_at and now.solved_at != before.solved_at and not now.gave_up:
            well = not now.hints and now.attempts <= FEW
            found.setdefault(event.kata, []).append(Solve(now.solved_at, now.variant, well))
    return found


def due(katas: Sequence[Kata], events: Iterable[Event], now: datetime) -> list[Due]:
    """Return what should be practised now: what was never solved, in this order, then what has been due longest."""
    return [each for each in upcoming(katas, events) if each.since is None or each.since <= now]


def upcoming(katas: Sequence[Kata], events: Iterable[Event]) -> list[Due]:
    """Return one variant of each kata: those never solved first, then by when they are due.

    Of a kata that is solved, a variant that is not comes first; it is due when the last one was.
    """
    solved = solves(events)
    new = [Due(kata, ORIGINAL, None) for kata in katas if kata.name not in solved]
    again = [_again(kata, solved[kata.name]) for kata in katas if kata.name in solved]
    return new + sorted(again, key=lambda each: each.since or datetime.max.replace(tzinfo=UTC))


def _again(kata: Kata, rounds: Sequence[Solve]) -> Due:
    last_of = {variant: [each for each in rounds if each.variant == variant] for variant in _variants(kata)}
    unsolved = [variant for variant, of in last_of.items() if not of]
    wait, at = FIRST, rounds[0].at
    for each in rounds:
        wait, at = (wait * 2 if each.well and each is not rounds[0] else FIRST), each.at
    oldest = min((variant for variant in last_of if last_of[variant]), key=lambda variant: last_of[variant][-1].at)
    return Due(kata, unsolved[0] if unsolved else oldest, at + wait)


def _variants(kata: Kata) -> list[str]:
    return [ORIGINAL, *kata.manifest.variants]
