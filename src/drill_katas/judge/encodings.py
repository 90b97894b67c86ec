"""Source files that are no UTF-8, which Python cannot import: named, with the way out."""

from __future__ import annotations

import codecs
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from drill_katas.judge.program import Program

MARKS: Final = {
    codecs.BOM_UTF32_LE: "UTF-32",  # ahead of UTF-16's, which it begins with
    codecs.BOM_UTF32_BE: "UTF-32",
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}
LOOK: Final = 1_000  # bytes that are looked at


def foreign(program: Program) -> str:
    """Return "ledger.py is UTF-16; save it as UTF-8" for the first such file of the learner's, or nothing."""
    for copy in program.shown:
        if program.edits(copy) and (encoding := encoding_of(Path(copy))):
            return f"{Path(copy).name} is {encoding}; save it as UTF-8"
    return ""


def encoding_of(file: Path) -> str:
    """Return UTF-16 or UTF-32 for a file that is, by its mark or its zero bytes, and nothing for any other."""
    with file.open("rb") as opened:
        head = opened.read(LOOK)
    for mark, encoding in MARKS.items():
        if head.startswith(mark):
            return encoding
    zeros = {place % 2 for place, byte in enumerate(head) if not byte}
    return "UTF-16" if len(zeros) == 1 and head.count(0) > len(head) / 4 else ""
