"""Spaced repetition: which katas to practice next, and when a solved kata is due again.

A solved kata is due after one day. The interval doubles with each further solve without hints and in at most `FEW`
attempts; any other solve resets it to one day. The factor 2 is that of Leitner's boxes.
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
    """A solved round; `well` is true for a solve without hints and in at most `FEW` attempts."""

    at: datetime
    variant: str
    well: bool


@dataclass(frozen=True)
class Due:
    """A variant of a kata to practice; `since` is its due time, None for a kata that was never solved."""

    kata: Kata
    variant: str
    since: datetime | None


def solves(events: Iterable[Event]) -> dict[str, list[Solve]]:
    """Return the solved rounds of each kata, by name, in order of time."""
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
    """Return the due katas: first the katas that were never solved, in the given order, then by due time."""
    return [each for each in upcoming(katas, events) if each.since is None or each.since <= now]


def upcoming(katas: Sequence[Kata], events: Iterable[Event]) -> list[Due]:
    """Return one variant of each kata: first the katas that were never solved, then the others by due time.

    For a solved kata, an unsolved variant is preferred; otherwise it is the variant with the oldest solve.
    """
    solved = solves(events)
    new = [Due(kata, ORIGINAL, None) for kata in katas if kata.name not in solved]
    again = [_again(kata, solved[kata.name]) for kata in katas if kata.name in solved]
    return new + sorted(again, key=lambda each: each.since or datetime.max.replace(tzinfo=UTC))


def _again(kata: Kata, rounds: Sequence[Solve]) -> Due:
    rounds_of = {variant: [each for each in rounds if each.variant == variant] for variant in _variants(kata)}
    unsolved = [variant for variant, of in rounds_of.items() if not of]
    wait, at = FIRST, rounds[0].at
    for each in rounds:
        wait, at = (wait * 2 if each.well and each is not rounds[0] else FIRST), each.at
    solved = [variant for variant in rounds_of if rounds_of[variant]]
    oldest = min(solved, key=lambda variant: rounds_of[variant][-1].at)
    return Due(kata, unsolved[0] if unsolved else oldest, at + wait)


def _variants(kata: Kata) -> list[str]:
    return [ORIGINAL, *kata.manifest.variants]
