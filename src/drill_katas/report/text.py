"""Lines of styled text, and how they get onto a terminal."""

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
COLOURS: Final[dict[str, dict[str, Any]]] = {
    "": {},
    "good": {"fg": "green"},
    "bad": {"fg": "red"},
    "dim": {"dim": True},
    "bold": {"bold": True},
    "note": {"fg": "yellow"},
}
"""The styles as click has them; `MARKUP` is how pytest has them."""
QUOTED: Final = re.compile(r"(`[^`]+`|\"[^\"]*\"|(?<!\w)'[^']*'(?!\w))[,.;:)\]}]*")  # with the mark behind it
KEPT: Final = "\x00"  # a space within quotes, while a line is filled
PATH: Final = "\x01"  # a path wider than a line, one for each column
ASCII: Final = str.maketrans(
    {"✓": "+", "✗": "x", "·": "-", "…": "~", "█": "#", "░": ".", "→": ">", "×": "x", "—": "-"}
) | str.maketrans("▁▂▃▄▅▆▇┤", "..::=##|")


@dataclass(frozen=True)
class Segment:
    """A piece of a line in one style."""

    text: str
    style: Style = ""


TextLine = tuple[Segment, ...]
Part = str | tuple[str, Style]


def line(*parts: Part) -> TextLine:
    """Build a line from plain texts and (text, style) pairs."""
    return tuple(Segment(part) if isinstance(part, str) else Segment(*part) for part in parts)


def plain(spans: TextLine) -> str:
    """Return a line without its styles."""
    return "".join(span.text for span in spans).rstrip()


def filled(text: str, width: int, first: str, rest: str) -> list[str]:
    """Break one line at spaces into lines of at most `width` columns; `first` and `rest` are their indents.

    A quoted piece stays whole, so that it can be read and copied as one. One that is wider than a line is broken at its
    spaces; a path, which has none, goes over the edge. Other words that are wider than a line are broken.
    """
    room = width - max(len(first), len(rest))

    def kept(quoted: re.Match[str]) -> str:
        whole = quoted[0]
        if len(whole) <= room:
            return whole.replace(" ", KEPT)
        return whole if " " in whole or "/" not in whole else PATH + whole

    filler = _Filler(width, initial_indent=first, subsequent_indent=rest, break_on_hyphens=False)
    lines = filler.wrap(QUOTED.sub(kept, text.replace(PATH, "")))
    return [each.replace(PATH, "").replace(KEPT, " ") for each in lines] or [""]


class _Filler(textwrap.TextWrapper):
    """Breaks words that are wider than a line, but for those with a quoted path in them."""

    def _handle_long_word(self, reversed_chunks: list[str], cur_line: list[str], cur_len: int, width: int) -> None:
        self.break_long_words = PATH not in reversed_chunks[-1]
        super()._handle_long_word(reversed_chunks, cur_line, cur_len, width)


def wrapped(text: str, width: int, indent: str, style: Style = "") -> list[TextLine]:
    """Break a text into lines of at most `width` columns."""
    lines = [piece for paragraph in text.splitlines() for piece in filled(paragraph, width, indent, indent)]
    return [line((piece, style)) for piece in lines]


def folded(text: str, width: int, indent: str) -> str:
    """Break lines that are longer than `width`; what goes on stands a little further to the right."""
    pieces = []
    for each in text.splitlines():
        own = indent + each[: len(each) - len(each.lstrip())]
        pieces += filled(each.lstrip(), width, own, f"{own}  ")
    return "\n".join(pieces)


def fit(text: str, width: int) -> str:
    """Truncate `text` to `width` columns."""
    return truncate(text, width, "…")


def clock(time: timedelta) -> str:
    """Write a duration as 4:07, or 1:04:07 from an hour on."""
    minutes, seconds = divmod(int(time.total_seconds()), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


def judging(kata: str) -> str:
    """Return the command that judges a kata: `kata run`, where an install has put no `pytest` on the path."""
    return f"pytest --kata {kata}" if shutil.which("pytest") else f"kata run {kata}"


def shown(path: Path, root: Path) -> str:
    """Return a path as a person in `root` would type it."""
    return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def encodable(text: str) -> str:
    """Return the text, in ASCII where the terminal has no Unicode."""
    encoding = getattr(sys.__stdout__, "encoding", None) or "ascii"
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        return text.translate(ASCII).encode("ascii", "replace").decode()
    return text
