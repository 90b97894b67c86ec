"""What the journal adds up to: rounds, attempts, the clock, best times, what changed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from drill_katas.catalog import ORIGINAL
from drill_katas.journal import Diagnosed, Hinted, Queried, Ran, Replayed, Reset, SolutionShown, Started
from drill_katas.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable

    from drill_katas.journal import Checked, Event


WRONG: Final = timedelta(minutes=5)  # on the clock for a diagnosis that is not right, so that guessing does not pay


@dataclass(frozen=True)
class Change:
    """What is different between two runs, by number of checks."""

    newly_pass: int
    regressed: int

    def __str__(self) -> str:
        """Say it in words."""
        parts = []
        if self.newly_pass:
            parts.append("1 check newly passes" if self.newly_pass == 1 else f"{self.newly_pass} checks newly pass")
        if self.regressed:
            parts.append(f"{self.regressed} regressed")
        return ", ".join(parts) or "nothing changed"


@dataclass(frozen=True)
class KataProgress:
    """How one kata stands.

    A *round* begins with a start, a reset, the first run or the first look at the evidence, and ends when it is solved.
    """

    kata: str
    variant: str = ORIGINAL
    page_shown: bool = False
    began: datetime | None = None
    solved_at: datetime | None = None
    attempts: int = 0
    total_attempts: int = 0
    hints: int = 0
    total_hints: int = 0
    best: timedelta | None = None
    solved_once: bool = False
    gave_up: bool = False
    detected_at: datetime | None = None
    diagnosed_at: datetime | None = None
    wrong_diagnoses: int = 0
    asked: frozenset[str] = frozenset()
    last: Ran | None = None
    before_last: Ran | None = None

    @property
    def state(self) -> str:
        """One of untouched, in progress, solved."""
        if self.solved_once:
            return "solved"
        return "in progress" if self.began else "untouched"

    def clock(self, at: datetime) -> timedelta:
        """Return the time on the clock of this round; it stops when the round is solved."""
        if self.began is None:
            return timedelta()
        return max(timedelta(), (self.solved_at or at) - self.began)  # a computer's clock can be set back

    def to_detect(self) -> timedelta:
        """Return how long it took to look at the evidence first."""
        return self._until(self.detected_at)

    def to_diagnose(self) -> timedelta:
        """Return how long it took to name the cause; each wrong diagnosis costs `WRONG`."""
        return self._until(self.diagnosed_at) + self.wrong_diagnoses * WRONG

    def to_resolve(self) -> timedelta:
        """Return how long it took to mend it."""
        return self._until(self.solved_at)

    def _until(self, at: datetime | None) -> timedelta:
        return max(timedelta(), at - self.began) if at and self.began else timedelta()

    def change(self) -> Change | None:
        """Return what the last run changed against the one before it in this round, if there are two."""
        if self.last is None or self.before_last is None:
            return None
        before = {check.name for check in self.before_last.checks if check.outcome is Outcome.PASS}
        after = {check.name for check in self.last.checks if check.outcome is Outcome.PASS}
        ran_before, ran_after = _ran(self.before_last.checks), _ran(self.last.checks)
        return Change(len(after - before), len((before - after) & ran_after & ran_before))


def progress(events: Iterable[Event]) -> dict[str, KataProgress]:
    """Return how each kata that the journal names stands."""
    found: dict[str, KataProgress] = {}
    for event in events:
        found[event.kata] = after(found.get(event.kata, KataProgress(event.kata)), event)
    return found


def _ran(checks: Iterable[Checked]) -> set[str]:
    return {check.name for check in checks if check.outcome is not Outcome.NOT_REACHED}


def after(before: KataProgress, event: Event) -> KataProgress:
    """Return how a kata stands after one more event."""
    match event:
        case Started() | Reset():
            return replace(_new_round(before, event.at, event.variant), page_shown=isinstance(event, Started))
        case Ran():
            return _run(before, event)
        case Hinted():
            return replace(before, hints=before.hints + 1, total_hints=before.total_hints + 1)
        case Replayed() | Queried() | Diagnosed():
            return _investigated(before if before.began else _new_round(before, event.at, before.variant), event)
        case SolutionShown(gave_up=True):
            return replace(before, gave_up=True)
        case _:
            return before


def _investigated(before: KataProgress, event: Replayed | Queried | Diagnosed) -> KataProgress:
    if isinstance(event, Diagnosed):
        if before.diagnosed_at:
            return before
        if event.right:
            return replace(before, diagnosed_at=event.at)
        return replace(before, wrong_diagnoses=before.wrong_diagnoses + event.wrong)
    asked = event.about if isinstance(event, Queried) else "experiment" if event.ablation else "incident"
    return replace(before, detected_at=before.detected_at or event.at, asked=before.asked | {asked})


def _new_round(before: KataProgress, at: datetime, variant: str) -> KataProgress:
    fresh = KataProgress(before.kata, variant, began=at)
    return replace(
        fresh,
        total_attempts=before.total_attempts,
        total_hints=before.total_hints,
        best=before.best,
        solved_once=before.solved_once,
    )


def _run(before: KataProgress, run: Ran) -> KataProgress:
    if any(check.outcome is Outcome.NOT_JUDGED for check in run.checks):  # no attempt: the judge or the machine failed
        return before
    if before.began is None:
        began = _new_round(before, run.at - timedelta(seconds=run.seconds), run.variant)
        before = replace(began, hints=before.hints, gave_up=before.gave_up)  # seen before the first run, they count
    after = replace(
        before,
        attempts=before.attempts + 1,
        total_attempts=before.total_attempts + 1,
        last=run,
        before_last=before.last,
    )
    if not run.solved or after.solved_at:
        return after
    if after.gave_up:
        return replace(after, solved_at=run.at)
    taken = after.clock(run.at)
    best = taken if after.best is None else min(after.best, taken)
    return replace(after, solved_at=run.at, solved_once=True, best=best)
