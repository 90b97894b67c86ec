"""Spaced repetition: which katas to practice next, and when a solved kata is due again.

A solved kata is due after one day. The interval doubles with each further solve without hints and in at most `FEW`
attempts; any other solve resets it to one day. The factor 2 is that of Leitner's boxes. The variants of a kata share
one schedule.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from drill_katas.catalog.katas import ORIGINAL
from drill_katas.practice.causes import causes_of, met
from drill_katas.practice.progress import KataStanding, followed, standings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from drill_katas.catalog.katas import Kata
    from drill_katas.practice.causes import Cause
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
    """A variant of a kata to practice.

    `since` is its due time, None for a kata that was never solved. `in_place` is true if the variant's unsolved files
    are in place, so that `kata start` needs no --variant. `goes_on` is true if a round of it goes on.
    """

    kata: Kata
    variant: str
    since: datetime | None
    in_place: bool
    goes_on: bool

    def is_due(self, now: datetime) -> bool:
        """Return whether it is due."""
        return self.since is None or self.since <= now


def solves(events: Iterable[Event]) -> dict[str, list[Solve]]:
    """Return the solved rounds of each kata, by name, in order of time."""
    seen: dict[str, KataStanding] = {}
    found: dict[str, list[Solve]] = {}
    for event in events:
        standing = seen.get(event.kata, KataStanding(event.kata))
        seen[event.kata] = followed(standing, event)
        now = seen[event.kata].current
        before = standing.of(now.variant)
        if now.solved_at and now.solved_at != before.solved_at and not now.gave_up:
            well = not now.hints and now.attempts <= FEW
            found.setdefault(event.kata, []).append(Solve(now.solved_at, now.variant, well))
    return found


def upcoming(katas: Sequence[Kata], events: Sequence[Event]) -> list[Due]:
    """Return one variant of each kata: first the katas that were never solved, then the others by due time.

    | kata | variant |
    | --- | --- |
    | untouched | the original |
    | an unsolved round goes on | the variant of this round |
    | some variants are unsolved | the first one with a cause that was not met; if all were met, the first one |
    | every variant is solved | the variant with the oldest solve |
    """
    solved, known = solves(events), standings(events)
    causes = met(katas, known)
    found = []
    for kata in katas:
        standing, rounds = known.get(kata.name, KataStanding(kata.name)), solved.get(kata.name, [])
        variant = _variant(kata, standing, rounds, causes)
        in_place = variant == standing.variant and not standing.current.solved_at
        found.append(Due(kata, variant, _due_time(rounds), in_place, in_place and standing.current.goes_on))
    return sorted(found, key=lambda each: each.since or datetime.min.replace(tzinfo=UTC))


def _due_time(rounds: Sequence[Solve]) -> datetime | None:
    if not rounds:
        return None
    wait, at = FIRST, rounds[0].at
    for each in rounds[1:]:
        wait, at = (wait * 2 if each.well else FIRST), each.at
    return at + wait


def _variant(kata: Kata, standing: KataStanding, rounds: Sequence[Solve], met: set[Cause]) -> str:
    if standing.state(kata) == "untouched" and not standing.current.gave_up:
        return ORIGINAL
    if standing.current.goes_on and standing.variant in kata.variants:
        return standing.variant
    unsolved = [variant for variant in kata.variants if not standing.of(variant).solved_once]
    if unsolved:
        causes = causes_of(kata)
        return next((variant for variant in unsolved if causes[variant] not in met), unsolved[0])
    last = {each.variant: each.at for each in rounds}
    return min(kata.variants, key=lambda variant: last[variant])
