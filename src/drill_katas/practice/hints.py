"""Hints, shown one at a time and recorded in the journal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from drill_katas.catalog.answer import read_answer
from drill_katas.practice.journal import Hinted

if TYPE_CHECKING:
    from drill_katas.catalog.katas import Kata
    from drill_katas.practice.workspace import Workspace


@dataclass(frozen=True)
class Hint:
    """One hint of a kata: its `number`, from 1, and all `hints`, each one line."""

    number: int
    hints: tuple[str, ...]

    @property
    def text(self) -> str:
        """The text, one line."""
        return self.hints[self.number - 1]


def hints_of(kata: Kata) -> tuple[str, ...]:
    """Return the hints of a kata, each as one line. Raises `UserError`."""
    return tuple(" ".join(text.split()) for text in read_answer(kata.solutions).hints)


def next_hint(workspace: Workspace, kata: Kata) -> Hint | None:
    """Return the next hint and record it in the journal; None after the last. Raises `UserError`."""
    hints = hints_of(kata)
    seen = workspace.progress_of(kata).hints
    if seen >= len(hints):
        return None
    workspace.journal.append(Hinted(kata=kata.name, rung=seen + 1))
    return Hint(seen + 1, hints)
