"""One call of a check's to the SUT, as reports show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from drill_katas.text import truncate

SHOWN_TEXT: Final = 1_000  # characters of a call, and of its result


def shortened(text: str) -> str:
    """Return the beginning of a text that is too long to be shown, or to be kept."""
    return truncate(text, SHOWN_TEXT)


@dataclass
class Call:
    """One call of the current example, for the report. Its text and its result are `shortened`."""

    text: str
    result: str = "no answer"

    def __str__(self) -> str:
        """Say it on one line."""
        return f"{self.text} -> {self.result}" if self.result else self.text
