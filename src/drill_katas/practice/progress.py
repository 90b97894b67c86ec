"""Progress computed from the journal, for each variant: rounds, attempts, the clock, best times, changes."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from drill_katas.catalog.katas import ORIGINAL
from drill_katas.practice.attempts import UNSEEN, NoAttempt
from drill_katas.practice.figures import Moved, moved
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
from drill_katas.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from drill_katas.catalog.katas import Kata
    from drill_katas.practice.journal import Checked, Event


PENALTY: Final = timedelta(minutes=5)  # added to the clock for each wrong diagnosis, because guessing must not pay
SHOWN_FIGURES: Final = 2  # figures with the largest changes


@dataclass(frozen=True)
class Change:
    """The difference between two runs: numbers of checks, and figures that moved."""

    newly_pass: int
    regressed: int
    figures: tuple[Moved, ...] = ()

    def __str__(self) -> str:
        """Return the change in words: "2 checks newly pass, 1 regressed"."""
        parts = []
        if self.newly_pass:
            parts.append("1 check newly passes" if self.newly_pass == 1 else f"{self.newly_pass} checks newly pass")
        if self.regressed:
            parts.append(f"{self.regressed} regressed")
        counts = ", ".join(parts)
        more = len(self.figures) - SHOWN_FIGURES
        shown = [*map(str, self.figures[:SHOWN_FIGURES]), *([f"{more} more moved"] if more > 0 else [])]
        return "; ".join(filter(None, [counts, *shown])) or "nothing changed"


@dataclass(frozen=True)
class KataProgress:
    """The progress of one variant of a kata.

    A *round* begins with a start, a reset, the first run that names the kata, or the first query. It ends when the kata
    is solved. `last` is the last run; it is compared with `before_last`. `queries` has the kinds of evidence that were
    queried, and "experiment" after an experiment.
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
    met_before: bool = False  # the learner knew the cause before this round
    detected_at: datetime | None = None
    diagnosed_at: datetime | None = None
    wrong_at: tuple[datetime, ...] = ()  # times of the wrong diagnoses in this round
    queries: frozenset[str] = frozenset()
    guardrail: int = 0  # the best score of a guardrail in this round
    last: Ran | None = None
    before_last: Ran | None = None

    @property
    def state(self) -> str:
        """`untouched`, `in progress`, or `solved`."""
        if self.solved_once:
            return "solved"
        return "in progress" if self.began else "untouched"

    @property
    def goes_on(self) -> bool:
        """Whether this round is unsolved, and its solution was not shown."""
        return bool(self.began) and not self.solved_at and not self.gave_up

    @property
    def met(self) -> bool:
        """Whether the learner knows the cause: from a solve, a right diagnosis, or a shown solution."""
        return self.met_before or self.solved_once or self.gave_up or bool(self.diagnosed_at)

    @property
    def wrong_diagnoses(self) -> int:
        """The number of wrong diagnoses in this round."""
        return len(self.wrong_at)

    def clock(self, at: datetime) -> timedelta:
        """Return the reading of this round's clock: time since its start, plus a penalty for each wrong diagnosis.

        The clock stops when the round is solved. Every displayed time is a reading of this clock.
        """
        if self.began is None:
            return timedelta()
        until = min(at, self.solved_at) if self.solved_at else at
        wrong = sum(each <= until for each in self.wrong_at)
        return max(timedelta(), until - self.began) + wrong * PENALTY  # the system clock can be set back

    def to_detect(self) -> timedelta:
        """Return the reading at the first query."""
        return self.clock(self.detected_at) if self.detected_at else timedelta()

    def to_diagnose(self) -> timedelta:
        """Return the reading at the right diagnosis."""
        return self.clock(self.diagnosed_at) if self.diagnosed_at else timedelta()

    def to_resolve(self) -> timedelta:
        """Return the reading at the run that solved the kata."""
        return self.clock(self.solved_at) if self.solved_at else timedelta()

    def change(self) -> Change | None:
        """Return the change from `before_last` to `last`, or None without two comparable runs in this round."""
        if self.last is None or self.before_last is None or self.last.no_attempt in UNSEEN:
            return None
        before = {check.name for check in self.before_last.checks if check.outcome is Outcome.PASS}
        after = {check.name for check in self.last.checks if check.outcome is Outcome.PASS}
        ran_before, ran_after = _ran(self.before_last.checks), _ran(self.last.checks)
        figures = moved(self.before_last.checks, self.last.checks)
        return Change(len(after - before), len((before - after) & ran_after & ran_before), figures)


@dataclass(frozen=True)
class KataStanding:
    """The progress of one kata in each of its variants; `variant` is the current one, whose files are in place."""

    kata: str
    variant: str = ORIGINAL
    touched: Mapping[str, KataProgress] = field(default_factory=dict)

    @property
    def current(self) -> KataProgress:
        """The progress of the current variant."""
        return self.of(self.variant)

    def of(self, variant: str) -> KataProgress:
        """Return the progress of a variant."""
        return self.touched.get(variant, KataProgress(self.kata, variant))

    def state(self, kata: Kata) -> str:
        """Return `untouched`, `in progress`, `solved` in one variant at least, or `mastered` in every variant."""
        if all(self.of(variant).solved_once for variant in kata.variants):
            return "mastered"
        states = {each.state for each in self.touched.values()}
        return next((state for state in ("solved", "in progress") if state in states), "untouched")


def progress(events: Iterable[Event]) -> dict[str, KataProgress]:
    """Return the progress of the current variant of each kata in the journal, by the name of the kata."""
    return {name: standing.current for name, standing in standings(events).items()}


def standings(events: Iterable[Event]) -> dict[str, KataStanding]:
    """Return the progress of each kata in the journal, by name."""
    found: dict[str, KataStanding] = {}
    for event in events:
        found[event.kata] = followed(found.get(event.kata, KataStanding(event.kata)), event)
    return found


def followed(before: KataStanding, event: Event) -> KataStanding:
    """Return the standing of a kata after one more event.

    An event that names no variant, such as a hint, belongs to the current one. A run sets the current variant, too,
    because the line of its start can be damaged.
    """
    variant = variant_of(before, event)
    touched = {**before.touched, variant: after(before.of(variant), event)}
    current = variant if isinstance(event, Started | Reset | Ran) else before.variant
    return replace(before, variant=current, touched=touched)


def variant_of(before: KataStanding, event: Event) -> str:
    """Return the variant that an event belongs to; `before` is the standing before it."""
    return getattr(event, "variant", before.variant)


def _ran(checks: Iterable[Checked]) -> set[str]:
    return {check.name for check in checks if check.outcome is not Outcome.NOT_REACHED}


def after(before: KataProgress, event: Event) -> KataProgress:
    """Return the progress of a variant after one more event that belongs to it."""
    match event:
        case Started() | Reset():
            return replace(_new_round(before, event.at), page_shown=isinstance(event, Started))
        case Ran():
            return _run(before, event)
        case Hinted():
            return replace(before, hints=before.hints + 1, total_hints=before.total_hints + 1)
        case Replayed() | Queried() | Diagnosed():
            return _investigated(before if before.began else _new_round(before, event.at), event)
        case SolutionShown():
            return replace(before, gave_up=before.gave_up or event.gave_up)
        case _:
            guardrail = event.score if isinstance(event, Guarded) else 0
            return replace(before, guardrail=max(guardrail, before.guardrail))


def _investigated(before: KataProgress, event: Replayed | Queried | Diagnosed) -> KataProgress:
    if isinstance(event, Diagnosed):
        if before.diagnosed_at:
            return before
        if event.right:
            return replace(before, diagnosed_at=event.at)
        costs = event.wrong and not before.solved_at
        return replace(before, wrong_at=(*before.wrong_at, event.at)) if costs else before
    query = event.about if isinstance(event, Queried) else "experiment" if event.ablation else "incident"
    return replace(before, detected_at=before.detected_at or event.at, queries=before.queries | {query})


def _new_round(before: KataProgress, at: datetime) -> KataProgress:
    fresh = KataProgress(before.kata, before.variant, began=at)
    return replace(
        fresh,
        total_attempts=before.total_attempts,
        total_hints=before.total_hints,
        best=before.best,
        solved_once=before.solved_once,
        met_before=before.met,
    )


def _run(before: KataProgress, run: Ran) -> KataProgress:
    if any(check.outcome is Outcome.NOT_JUDGED for check in run.checks):  # not an attempt
        return before
    if before.began is None and run.no_attempt == NoAttempt.BARE and not run.solved:
        return before  # a `pytest` run that names no kata does not start the clock
    if before.began is None:
        began = _new_round(before, run.at - timedelta(seconds=run.seconds))
        before = replace(began, hints=before.hints, gave_up=before.gave_up)  # hints before the first run count
    seen = before.last is not None and before.last.no_attempt not in UNSEEN
    after = replace(
        before,
        attempts=before.attempts + (not run.no_attempt),
        total_attempts=before.total_attempts + (not run.no_attempt),
        last=run,
        before_last=before.last if seen else before.before_last,
    )
    if not run.solved or after.solved_at:
        return after
    if after.gave_up:
        return replace(after, solved_at=run.at)
    taken = after.clock(run.at)
    best = taken if after.best is None else min(after.best, taken)
    return replace(after, solved_at=run.at, solved_once=True, best=best)
