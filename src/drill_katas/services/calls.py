"""One call of a check to the SUT, as reports show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from drill_katas.text import truncate

SHOWN_TEXT: Final = 1_000  # characters of a call; the same for its result


def shortened(text: str) -> str:
    """Return at most `SHOWN_TEXT` characters of a text."""
    return truncate(text, SHOWN_TEXT)


@dataclass
class Call:
    """One call of the current example; `text` and `result` are `shortened`."""

    text: str
    result: str = "no answer"

    def __str__(self) -> str:
        """Return "ledger.apply(...) -> result"."""
        return f"{self.text} -> {self.result}" if self.result else self.text
