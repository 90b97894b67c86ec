"""Finds the editable files of a kata in a submission, by names alone.

| evidence | example, for `fp_drift` |
| --- | --- |
| the exact path | `katas/fp_drift/ledger.py`, then `fp_drift/ledger.py` |
| the file name | `ledger.py`, also behind the prefix of a learning platform |
| a variant of the name | `ledger (1).py`, `ledger-2.py`, `Ledger.py`, `ledger_final.py` |
| a name before it | `alice_ledger.py`, but never `test_ledger.py` |

A backup folder (`old/`, `backup/`) ranks below all of these. For equal evidence, the shallower folder wins.
"""

from __future__ import annotations

import functools
import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Final, NamedTuple

from drill_katas.catalog.katas import GUARDRAIL

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from drill_katas.catalog.katas import Kata

SUFFIX: Final = r"(?:[ _-]*(?:\(\d+\)|v?\d+|copy|kopie|copie|copia|final|fixed|fix|new|solution|solved))+"
BACKUP: Final = re.compile(
    r"(?:^|[ ._-])(?:backups?|bak|old|orig|originals?|archived?|previous|drafts?|starter|broken|trash|history|variants)"
    r"(?:$|[ ._-]|\d)",
    re.IGNORECASE,
)
CANVAS: Final = re.compile(r"(?P<person>[^/]+?)(?:_LATE)?_(?P<user>\d{3,})_\d{3,}_(?P<name>[^/]+)")
MOODLE: Final = re.compile(r"(?P<person>[^/]+?)_(?P<user>\d+)_assignsubmission_(?:file|onlinetext)_(?P<name>[^/]*)")


class Platform(NamedTuple):
    """The parts of a file name made by a learning platform: the person, and the original name."""

    person: str
    name: str


def platform(name: str) -> Platform | None:
    """Return the parts of a name made by Canvas or Moodle, or None."""
    for pattern in (MOODLE, CANVAS):
        found = pattern.fullmatch(name)
        if found:
            return Platform(f"{found['person']}_{found['user']}", found["name"])
    return None


class Rank(NamedTuple):
    """The rank of a candidate; the smallest is the best."""

    backup: bool
    variant: int  # as `matches` returns
    place: int  # 0 `katas/NAME/`, 1 `NAME/`, 2 elsewhere
    depth: int

    @property
    def evidence(self) -> tuple[bool, int, int]:
        """The rank without the depth, to compare candidates of two katas."""
        return self[:3]


@dataclass(frozen=True)
class Candidate:
    """All editable files of a kata in one folder. `files` maps each to its equally good names in the listing."""

    kata: Kata
    rank: Rank
    files: dict[str, tuple[str, ...]]


def candidates(names: Iterable[str], katas: Sequence[Kata]) -> list[Candidate]:
    """Return the candidates for all katas, best first."""
    listed = sorted(names)
    found = [candidate for kata in katas for candidate in _of_kata(listed, kata)]
    return sorted(found, key=lambda candidate: candidate.rank)


def best(found: Sequence[Candidate]) -> list[Candidate]:
    """Return the candidates that have the best evidence: for each kata, those in the shallowest folder."""
    if not found:
        return []
    equal = [each for each in found if each.rank.evidence == found[0].rank.evidence]
    least: dict[str, Rank] = {}
    for each in equal:
        least.setdefault(each.kata.name, each.rank)
    return [each for each in equal if each.rank == least[each.kata.name]]


def matches(base: str, editable: str) -> int | None:
    """Return how a file name matches an editable file: 0 equal, 1 a variant, 2 with a name before it, None no match."""
    made = platform(base)
    name = made.name if made else base
    if name == editable:
        return 0
    found = _variants(editable).fullmatch(name)
    return None if found is None else 2 if found["person"] else 1


def owner(base: str, editable: str) -> str:
    """Return the text before or after an editable file's name in a file name: `alice`, `(1)`, or ""."""
    found = _variants(editable).fullmatch(base)
    return (found["person"] or found["suffix"] or "").strip(" _-") if found else ""


def guardrail_beside(names: Iterable[str], chosen: Mapping[str, str]) -> str | None:
    """Return the name of the guardrail in the folder of the chosen files, by editable file; None without one."""
    editable, name = next(iter(chosen.items()))
    folder, _ = _split(name, editable)
    inside = [each for each in names if each.rpartition("/")[0] == folder]
    found = sorted((rank, each) for each in inside if (rank := matches(each.rpartition("/")[2], GUARDRAIL)) is not None)
    return found[0][1] if found else None


@functools.cache
def _variants(editable: str) -> re.Pattern[str]:
    path = PurePosixPath(editable)
    stem, ending = re.escape(path.stem), re.escape(path.suffix)
    person = r"(?:(?P<person>(?!tests?[ _-]|\.|#).+)[ _-])?"
    return re.compile(rf"{person}{stem}(?P<suffix>{SUFFIX})?{ending}(?:{ending}|\.txt)?", re.IGNORECASE)


def _of_kata(names: Iterable[str], kata: Kata) -> Iterator[Candidate]:
    """Yield a candidate for each folder that has all editable files of the kata, or variants of them."""
    folders: defaultdict[str, defaultdict[str, list[tuple[int, str]]]] = defaultdict(lambda: defaultdict(list))
    for name in names:
        for editable in kata.manifest.editable:
            folder, match = _split(name, editable)
            if match is not None:
                folders[folder][editable].append((match, name))
    for folder, found in folders.items():
        if len(found) == len(kata.manifest.editable):
            variant = max(min(each)[0] for each in found.values())
            files = {editable: _least(found[editable]) for editable in kata.manifest.editable}
            yield Candidate(kata, _rank(folder, kata, variant), files)


def _split(name: str, editable: str) -> tuple[str, int | None]:
    """Return the folder above an editable file's path in this name, and how the base name matches (as `matches`)."""
    folder, _, base = name.rpartition("/")
    inner, _, wanted = editable.rpartition("/")
    if inner and f"/{folder}".endswith(f"/{inner}"):
        folder = folder[: len(folder) - len(inner)].rstrip("/")
    elif inner:
        return folder, None
    return folder, matches(base, wanted)


def _least(found: Sequence[tuple[int, str]]) -> tuple[str, ...]:
    least = min(match for match, _ in found)
    return tuple(name for match, name in found if match == least)


def _rank(folder: str, kata: Kata, variant: int) -> Rank:
    parts = folder.split("/") if folder else []
    place = 0 if parts[-2:] == ["katas", kata.name] else 1 if parts[-1:] == [kata.name] else 2
    return Rank(any(map(BACKUP.search, parts)), variant, place, len(parts))
