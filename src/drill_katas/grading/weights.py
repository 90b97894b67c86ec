"""Points for the checks that the broken version fails, as `answer.toml` declares them for `kata verify`.

| check | passes | does not pass |
| --- | --- | --- |
| failed by the broken version | its share of 100: its stage's weight, shared by such checks of that stage | 0 |
| passed by the broken version | 0 | minus its share as if all checks gave points |

A score is never below 0. Where no broken version is declared, or the version is healthy, all checks give points.
"""

from __future__ import annotations

import functools
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drill_katas.catalog.answer import read_answer
from drill_katas.catalog.katas import ORIGINAL, Library
from drill_katas.verdict import Outcome, Stage

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence
    from pathlib import Path

    from drill_katas.catalog.katas import Kata
    from drill_katas.verdict import CheckResult

FULL: Final = 100.0  # points of a submission that is solved
PLACES: Final = 4  # decimal places of a check's points


@dataclass(frozen=True)
class Version:
    """A version that a fix can start from: its lines, and the checks that it fails."""

    name: str
    lines: frozenset[bytes]
    fails: frozenset[str]


@dataclass(frozen=True)
class Share:
    """The points of a check: `worth` if it passes, minus `loss` if it fails."""

    worth: float
    loss: float = 0.0

    def points(self, check: CheckResult) -> float:
        """Return the points of a judged check; negative for a loss."""
        if check.passed:
            return self.worth
        return -self.loss if self.loss and (check.failed or check.outcome is Outcome.NOT_REACHED) else 0.0


def versions_of(kata: Kata) -> tuple[Version, ...]:
    """Return the versions of a kata, the original first; () if `answer.toml` declares none."""
    return _versions_in(kata.folder)


@functools.cache
def _versions_in(folder: Path) -> tuple[Version, ...]:
    kata = Library(folder.parent).get(folder.name)
    if not (kata.solutions / "answer.toml").is_file():
        return ()
    answer = read_answer(kata.solutions)
    return tuple(
        Version(name, _lines_of(kata, name), frozenset(answer.broken.get(name, ())))
        for name in (ORIGINAL, *kata.manifest.variants)
        if name in answer.broken or name in answer.healthy
    )


def started_from(files: Mapping[str, bytes], versions: Sequence[Version]) -> Version | None:
    """Return the version that shares the most lines with a submission; the first of equals."""
    mine = _lines(files.values())
    return max(versions, key=lambda version: _likeness(mine, version.lines), default=None)


def shares(checks: Sequence[CheckResult], weights: Mapping[Stage, float], fails: Collection[str] = ()) -> list[Share]:
    """Return the share of each check; `fails` are the checks that the broken version fails.

    If none of the checks is in `fails`, all checks give points.
    """
    even = _shared(checks, weights)
    failing = [check for check in checks if check.name in fails]
    if not failing:
        return [Share(even[check.stage]) for check in checks]
    worth = _shared(failing, weights)
    return [
        Share(worth[check.stage]) if check.name in fails else Share(0.0, loss=even[check.stage]) for check in checks
    ]


@functools.cache
def state_of_versions(folder: Path) -> str:
    """Return a digest of the versions in a kata's folder, because points depend on them."""
    known = [(each.name, sorted(each.lines), sorted(each.fails)) for each in _versions_in(folder)]
    return hashlib.sha256(repr(known).encode()).hexdigest()


def _shared(checks: Sequence[CheckResult], weights: Mapping[Stage, float]) -> dict[Stage, float]:
    """Return the points of one check per stage if these checks share 100 points."""
    stages = {check.stage for check in checks}
    whole = sum(weights[stage] for stage in stages)
    return {
        stage: round(FULL * weights[stage] / whole / sum(check.stage is stage for check in checks), PLACES)
        for stage in stages
    }


def _lines_of(kata: Kata, name: str) -> frozenset[bytes]:
    folder = kata.variant_folder(name)
    files = (folder / editable for editable in kata.manifest.editable)
    return _lines(file.read_bytes() for file in files if file.is_file())


def _lines(contents: Iterable[bytes]) -> frozenset[bytes]:
    return frozenset(line.strip() for content in contents for line in content.splitlines()) - {b""}


def _likeness(mine: frozenset[bytes], other: frozenset[bytes]) -> float:
    """Return the Jaccard index of two sets of lines."""
    return len(mine & other) / (len(mine | other) or 1)
