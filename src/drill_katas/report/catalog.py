"""The text about all katas: the list, and the learner's progress in each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drill_katas.catalog.katas import LEVELS
from drill_katas.practice.progress import PENALTY, KataProgress
from drill_katas.report.text import TextLine, clock, fit, line, wrapped
from drill_katas.text import plural

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import datetime

    from drill_katas.catalog.katas import Kata
    from drill_katas.report.text import Part, Style

BAR: Final = 20
MARKS: Final = {"solved": "✓", "in progress": "…", "untouched": "·"}


def list_lines(katas: Iterable[Kata], standings: Mapping[str, KataProgress], width: int) -> list[TextLine]:
    """Return one line per kata: state, level, name, title."""
    lines = []
    for kata in katas:
        state = standings.get(kata.name, KataProgress(kata.name)).state
        style: Style = "good" if state == "solved" else ""
        head = f"{MARKS[state]} {kata.manifest.level} {LEVELS[kata.manifest.level]:<7} "
        name = f"{kata.name:<18} "
        title = fit(kata.manifest.title, max(10, width - len(head) - len(name)))
        lines.append(line((head, style), (name, "bold"), title))
    return lines


def status_lines(
    katas: Sequence[Kata], standings: Mapping[str, KataProgress], width: int, at: datetime
) -> list[TextLine]:
    """Return a bar for each level, then counts and times of each kata with a started round."""
    lines = overall_lines(katas, standings, width)
    for kata in katas:
        standing = standings.get(kata.name, KataProgress(kata.name))
        if standing.began is None:
            continue
        style: Style = "good" if standing.state == "solved" else ""
        counts = counts_of(standing, at)
        lines.append(line((f"{MARKS[standing.state]} ", style), (f"{kata.name:<18} ", "bold"), fit(counts, width - 21)))
        lines += wrapped(_times(standing, at), width, " " * 21, "dim")
    return lines


def counts_of(standing: KataProgress, at: datetime) -> str:
    """Return attempts, hints, and the best time; for a kata that was never solved, the clock in place of the best."""
    if standing.best is not None:
        time = f"best {clock(standing.best)}"
    else:
        time = f"clock {clock(standing.clock(at))}" if standing.began else "not solved"
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


def overall_lines(katas: Sequence[Kata], standings: Mapping[str, KataProgress], width: int) -> list[TextLine]:
    """Return a progress bar for each level; in narrow terminals the bars shrink, because the numbers matter more."""
    rows = []
    for level in sorted({kata.manifest.level for kata in katas}):
        of_level = [kata.name for kata in katas if kata.manifest.level == level]
        states = [standings.get(name, KataProgress(name)).state for name in of_level]
        solved, begun, total = states.count("solved"), states.count("in progress"), len(states)
        counts = f" {solved} of {total} solved, {begun} in progress, {total - solved - begun} untouched"
        rows.append((f"level {level} {LEVELS[level]:<7} ", solved / total, counts))
    bar = max(1, min(BAR, width - max((len(label + counts) for label, _, counts in rows), default=0)))
    return [line(label, *_bar(share, bar), counts) for label, share, counts in rows]


def _bar(share: float, width: int) -> tuple[Part, Part]:
    done = int(width * share)
    return ("█" * done, "good"), ("░" * (width - done), "dim")
