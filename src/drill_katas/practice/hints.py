"""Hints: one at a time, each recorded in the journal."""

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
    """The `number`-th of the `hints` of a kata; its text is one line."""

    number: int
    hints: tuple[str, ...]

    @property
    def text(self) -> str:
        """The text of this hint."""
        return self.hints[self.number - 1]


def hints_of(kata: Kata) -> tuple[str, ...]:
    """Return the hints of a kata, each as one line. Raises `UserError`."""
    return tuple(" ".join(text.split()) for text in read_answer(kata.solutions).hints)


def next_hint(workspace: Workspace, kata: Kata) -> Hint | None:
    """Return the next hint and record it; None when all were seen. Raises `UserError`."""
    hints = hints_of(kata)
    seen = workspace.progress_of(kata).hints
    if seen >= len(hints):
        return None
    workspace.journal.append(Hinted(kata=kata.name, rung=seen + 1))
    return Hint(seen + 1, hints)
