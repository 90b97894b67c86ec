"""Source files in UTF-16 or UTF-32: Python cannot import them, so the message names the file and the remedy."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from drill_katas.judge.program import Program

MARKS: Final = {
    codecs.BOM_UTF32_LE: "utf-32",  # before UTF-16, because it starts with the bytes of UTF-16's mark
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
WITHOUT_MARK: Final = ("utf-16-be", "utf-16-le")  # by position of the zero bytes of ASCII: first or second
HEAD: Final = 1_000  # bytes of a file that are examined


def wrong_encoding(program: Program) -> str:
    """Return "ledger.py is UTF-16; save it as UTF-8" for the learner's first such file; "" without one."""
    for copy in program.shown:
        if program.edits(copy):
            with Path(copy).open("rb") as file:
                encoding = encoding_of(file.read(HEAD))
            if encoding:
                return f"{Path(copy).name} is {display_name(encoding)}; save it as UTF-8"
    return ""


def encoding_of(source: bytes) -> str:
    """Return the codec of a source in UTF-16 or UTF-32, by its mark or its zero bytes; "" for any other encoding."""
    head = source[:HEAD]
    for mark, encoding in MARKS.items():
        if head.startswith(mark):
            return encoding
    zeros = {place % 2 for place, byte in enumerate(head) if not byte}
    return WITHOUT_MARK[zeros.pop()] if len(zeros) == 1 and head.count(0) > len(head) / 4 else ""


def display_name(encoding: str) -> str:
    """Return a codec's name for a message: "UTF-16" or "UTF-32"."""
    return encoding[: len("utf-16")].upper()
