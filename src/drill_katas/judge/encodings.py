"""Source files that are no UTF-8, which Python cannot import: named, with the way out."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from drill_katas.judge.program import Program

MARKS: Final = {
    codecs.BOM_UTF32_LE: "utf-32",  # ahead of UTF-16's, which it begins with
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
WITHOUT_MARK: Final = ("utf-16-be", "utf-16-le")  # by whether the zero bytes of ASCII come first or second
LOOK: Final = 1_000  # bytes that are looked at


def foreign(program: Program) -> str:
    """Return "ledger.py is UTF-16; save it as UTF-8" for the first such file of the learner's, or nothing."""
    for copy in program.shown:
        if program.edits(copy):
            with Path(copy).open("rb") as file:
                encoding = encoding_of(file.read(LOOK))
            if encoding:
                return f"{Path(copy).name} is {in_words(encoding)}; save it as UTF-8"
    return ""


def encoding_of(source: bytes) -> str:
    """Return the codec of a source in UTF-16 or UTF-32, by its mark or its zero bytes, and nothing for any other."""
    head = source[:LOOK]
    for mark, encoding in MARKS.items():
        if head.startswith(mark):
            return encoding
    zeros = {place % 2 for place, byte in enumerate(head) if not byte}
    return WITHOUT_MARK[zeros.pop()] if len(zeros) == 1 and head.count(0) > len(head) / 4 else ""


def in_words(encoding: str) -> str:
    """Return UTF-16 or UTF-32 for a codec."""
    return encoding[: len("utf-16")].upper()
