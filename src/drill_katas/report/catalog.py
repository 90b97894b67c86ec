"""The text about katas: the list, the variants of one kata, the learner's progress, what to practice next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drill_katas.catalog.katas import LEVELS
from drill_katas.practice.progress import PENALTY, KataProgress, KataStanding
from drill_katas.report.text import TextLine, clock, fit, judging, line, wrapped
from drill_katas.text import plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from drill_katas.catalog.katas import Kata
    from drill_katas.practice.schedule import Due
    from drill_katas.report.text import Part, Style

BAR: Final = 20
MARKS: Final = {"mastered": "★", "solved": "✓", "in progress": "…", "untouched": "·"}
DONE: Final = {"solved", "mastered"}


def list_lines(katas: Iterable[Kata], standings: Mapping[str, KataStanding], width: int) -> list[TextLine]:
    """Return one line per kata: state, level, name, title."""
    lines = []
    for kata in katas:
        mark, style = _mark(_standing(kata, standings).state(kata))
        head = f"{mark}{kata.manifest.level} {LEVELS[kata.manifest.level]:<7} "
        name = f"{kata.name:<18} "
        title = fit(kata.manifest.title, max(10, width - len(head) - len(name)))
        lines.append(line((head, style), (name, "bold"), title))
    return lines


def variant_lines(kata: Kata, standing: KataStanding, width: int, at: datetime) -> list[TextLine]:
    """Return the variants of a kata by name, each with the progress in it, and the command that starts another one."""
    title = fit(kata.manifest.title, max(10, width - len(kata.name) - 26))
    lines = [line((kata.name, "bold"), f": {title}; {_solved_of(kata, standing)}")]
    for variant in kata.variants:
        lines += _variant_lines(standing, variant, width, at)
    others = [variant for variant in kata.variants if variant != standing.variant]
    if others:
        first = next((variant for variant in others if not standing.of(variant).solved_once), others[0])
        lines += wrapped(f"Start another one with: `kata start {kata.name} --variant {first}`", width, "")
    return lines


def status_lines(
    katas: Sequence[Kata], standings: Mapping[str, KataStanding], width: int, at: datetime
) -> list[TextLine]:
    """Return a bar for each level, then the counts and times of each variant with a started round."""
    lines = overall_lines(katas, standings, width)
    for kata in katas:
        standing = _standing(kata, standings)
        begun = [variant for variant in standing.touched if standing.of(variant).began]
        head: tuple[Part, ...] = (_mark(standing.state(kata)), (f"{kata.name:<18} ", "bold"))
        if begun and len(kata.variants) == 1:
            lines += _progress_lines(head, standing, begun[0], width, at)
        elif begun:
            lines.append(line(*head, _solved_of(kata, standing)))
            for variant in sorted(begun, key=[*kata.variants, *begun].index):
                lines += _variant_lines(standing, variant, width, at)
    return lines


def _mark(state: str) -> tuple[str, Style]:
    return f"{MARKS[state]} ", "good" if state in DONE else ""


def _variant_lines(standing: KataStanding, variant: str, width: int, at: datetime) -> list[TextLine]:
    label = f"{variant} (current)" if variant == standing.variant else variant
    head = ("  ", _mark(standing.of(variant).state), f"{label:<20} ")
    return _progress_lines(head, standing, variant, width, at)


def _progress_lines(
    head: tuple[Part, ...], standing: KataStanding, variant: str, width: int, at: datetime
) -> list[TextLine]:
    """Return a line with the counts of a variant; for the current one also lines with the readings of its clock."""
    done = standing.of(variant)
    is_current = variant == standing.variant
    counts = counts_of(done, at, is_current=is_current) if done.began or done.total_hints else "untouched"
    indent = sum(len(span.text) for span in line(*head))
    row = line(*head, fit(counts, width - indent))
    return [row, *wrapped(_times(done, at) if is_current else "", width, " " * indent, "dim")]


def _solved_of(kata: Kata, standing: KataStanding) -> str:
    """Return how many variants are solved: "1 of 3 variants solved"."""
    solved = sum(standing.of(variant).solved_once for variant in kata.variants)
    return f"{solved} of {plural(len(kata.variants), 'variant')} solved"


def suggestion_lines(chosen: Due, soonest: Due, width: int, now: datetime) -> list[TextLine]:
    """Return a kata to practice and the command that starts it; `soonest` is the kata that is due first."""
    lines: list[TextLine] = []
    if soonest.since and not soonest.is_due(now):
        first = f"Every kata is solved, and none is due before {soonest.since:%Y-%m-%d}. To practice now anyway:"
        lines += wrapped(first, width, "")
    since = "not solved yet"
    if chosen.since:
        since = f"due {'again since' if chosen.is_due(now) else 'on'} {chosen.since:%Y-%m-%d}"
    lines += wrapped(f"{chosen.kata.name}: {chosen.kata.manifest.title} ({since})", width, "")
    return [*lines, *wrapped(f"{'Go on' if chosen.goes_on else 'Start'} with: {_command(chosen)}", width, "")]


def next_lines(chosen: Due, width: int, now: datetime) -> list[TextLine]:
    """Return what to practice next, for the end of the status."""
    when = "" if chosen.is_due(now) else f" (due on {chosen.since:%Y-%m-%d})"
    return wrapped(f"next: `{_command(chosen)}`{when}", width, "")


def _command(due: Due) -> str:
    """Return the command that starts a variant, or judges it if its round goes on."""
    if due.goes_on:
        return judging(due.kata.name)
    return f"kata start {due.kata.name}" + ("" if due.in_place else f" --variant {due.variant}")


def counts_of(standing: KataProgress, at: datetime, *, is_current: bool) -> str:
    """Return attempts, hints, and the best time; without a best time, the clock if it runs."""
    if standing.best is not None:
        time = f"best {clock(standing.best)}"
    else:
        time = f"clock {clock(standing.clock(at))}" if standing.began and is_current else "not solved"
    return f"{plural(standing.total_attempts, 'attempt')}, {plural(standing.total_hints, 'hint')}, {time}"


def _times(standing: KataProgress, at: datetime) -> str:
    """Return the readings of this round's clock that the counts do not include."""
    again = standing.best is not None and not standing.solved_at
    steps = [f"clock {clock(standing.clock(at))}"] if again else []
    steps += [f"detected {clock(standing.to_detect())}"] if standing.detected_at else []
    steps += [penalty_of(standing.wrong_diagnoses)] if standing.wrong_at else []
    steps += [f"diagnosed {clock(standing.to_diagnose())}"] if standing.diagnosed_at else []
    steps += [f"resolved {clock(standing.to_resolve())}"] if standing.detected_at and standing.solved_at else []
    return ", ".join(steps)


def penalty_of(wrong: int) -> str:
    """Return the penalty for wrong diagnoses: "2 wrong diagnoses (+10:00)"."""
    return f"{wrong} wrong diagnos{'is' if wrong == 1 else 'es'} (+{clock(wrong * PENALTY)})"


def overall_lines(katas: Sequence[Kata], standings: Mapping[str, KataStanding], width: int) -> list[TextLine]:
    """Return a progress bar for each level; in narrow terminals the bars shrink, because the numbers matter more."""
    rows = []
    for level in sorted({kata.manifest.level for kata in katas}):
        of_level = [kata for kata in katas if kata.manifest.level == level]
        states = [_standing(kata, standings).of(variant).state for kata in of_level for variant in kata.variants]
        solved, begun, total = states.count("solved"), states.count("in progress"), len(states)
        counts = f" {solved} of {plural(total, 'variant')} solved, {begun} in progress"
        rows.append((f"level {level} {LEVELS[level]:<7} ", solved / total, counts))
    bar = max(1, min(BAR, width - max((len(label + counts) for label, _, counts in rows), default=0)))
    return [line(label, *_bar(share, bar), counts) for label, share, counts in rows]


def _standing(kata: Kata, standings: Mapping[str, KataStanding]) -> KataStanding:
    return standings.get(kata.name, KataStanding(kata.name))


def _bar(share: float, width: int) -> tuple[Part, Part]:
    done = int(width * share)
    return ("█" * done, "good"), ("░" * (width - done), "dim")
