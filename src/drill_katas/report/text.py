"""Lines of styled text: building, wrapping, and encoding for a terminal."""

from __future__ import annotations

import re
import shutil
import sys
import textwrap
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal

from drill_katas.text import truncate

if TYPE_CHECKING:
    from datetime import timedelta
    from pathlib import Path

Style = Literal["", "good", "bad", "dim", "bold", "note"]
MARKUP: Final[dict[str, dict[str, bool]]] = {
    "": {},
    "good": {"green": True},
    "bad": {"red": True},
    "dim": {"light": True},
    "bold": {"bold": True},
    "note": {"yellow": True},
}
COLORS: Final[dict[str, dict[str, Any]]] = {
    "": {},
    "good": {"fg": "green"},
    "bad": {"fg": "red"},
    "dim": {"dim": True},
    "bold": {"bold": True},
    "note": {"fg": "yellow"},
}
"""The styles as arguments of `click.style`; `MARKUP` has those of pytest's terminal writer."""
QUOTED: Final = re.compile(r"(`[^`]+`|\"[^\"]*\"|(?<!\w)'[^']*'(?!\w))[,.;:)\]}]*")  # with punctuation after it
KEPT: Final = "\x00"  # stands for a space in quotes while a line is filled
PATH: Final = "\x01"  # marks a path that is wider than a line
ASCII: Final = str.maketrans(
    {"★": "*", "✓": "+", "✗": "x", "·": "-", "…": "~", "█": "#", "░": ".", "→": ">", "×": "x", "—": "-"}
) | str.maketrans("▁▂▃▄▅▆▇┤", "..::=##|")


@dataclass(frozen=True)
class Segment:
    """A piece of a line in one style."""

    text: str
    style: Style = ""


TextLine = tuple[Segment, ...]
Part = str | tuple[str, Style]


def line(*parts: Part) -> TextLine:
    """Return a line of plain texts and (text, style) pairs."""
    return tuple(Segment(part) if isinstance(part, str) else Segment(*part) for part in parts)


def plain(spans: TextLine) -> str:
    """Return a line without its styles."""
    return "".join(span.text for span in spans).rstrip()


def filled(text: str, width: int, first: str, rest: str) -> list[str]:
    """Return one line broken at spaces into lines of at most `width` columns; `first` and `rest` are the indents.

    | piece | breaks |
    | --- | --- |
    | quoted text | never, so that it can be copied |
    | quoted text wider than a line | at its spaces |
    | quoted path wider than a line | never; it exceeds the width |
    | other word wider than a line | anywhere |
    """
    room = width - max(len(first), len(rest))

    def protect(quoted: re.Match[str]) -> str:
        whole = quoted[0]
        if len(whole) <= room:
            return whole.replace(" ", KEPT)
        return whole if " " in whole or "/" not in whole else PATH + whole

    filler = _Filler(width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)
    lines = filler.wrap(QUOTED.sub(protect, text.replace(PATH, "")))
    return [each.replace(PATH, "").replace(KEPT, " ") for each in lines] or [""]


class _Filler(textwrap.TextWrapper):
    """Breaks words that are wider than a line, except quoted paths."""

    def _handle_long_word(self, reversed_chunks: list[str], cur_line: list[str], cur_len: int, width: int) -> None:
        self.break_long_words = PATH not in reversed_chunks[-1]
        super()._handle_long_word(reversed_chunks, cur_line, cur_len, width)


def wrapped(text: str, width: int, indent: str, style: Style = "") -> list[TextLine]:
    """Return a text as lines of at most `width` columns."""
    lines = [piece for paragraph in text.splitlines() for piece in filled(paragraph, width, indent, indent)]
    return [line((piece, style)) for piece in lines]


def folded(text: str, width: int, indent: str) -> str:
    """Return a text with lines of at most `width` columns; continuation lines have two more columns of indent."""
    pieces = []
    for each in text.splitlines():
        own = indent + each[: len(each) - len(each.lstrip())]
        pieces += filled(each.lstrip(), width, own, f"{own}  ")
    return "\n".join(pieces)


def fit(text: str, width: int) -> str:
    """Return `text` truncated to `width` columns."""
    return truncate(text, width, "…")


def clock(time: timedelta) -> str:
    """Return a duration as "4:07", or from one hour on as "1:04:07"."""
    minutes, seconds = divmod(int(time.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def judging(kata: str) -> str:
    """Return the command that judges a kata: `pytest --kata`, or `kata run` if `pytest` is not on the path."""
    return f"pytest --kata {kata}" if shutil.which("pytest") else f"kata run {kata}"


def shown(path: Path, root: Path) -> str:
    """Return a path relative to `root`, if it is inside."""
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def encodable(text: str) -> str:
    """Return the text, or an ASCII version if the encoding of the terminal cannot represent it."""
    encoding = getattr(sys.__stdout__, "encoding", None) or "ascii"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(ASCII).encode("ascii", "replace").decode()
    return text
