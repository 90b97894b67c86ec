"""Markdown documents: their text, and the tables in it, each row with its line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

import msgspec
from markdown_it import MarkdownIt

from drill_katas.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from markdown_it.token import Token

LARGEST: Final = 256_000  # bytes
PLACEHOLDERS: Final = frozenset({"", "-", "?", "todo", "tbd", "n/a", "none", "nobody"})


class Row(msgspec.Struct, frozen=True):
    """A row of a table: its line, and its cells by the names of the columns, in lower case."""

    line: int
    cells: dict[str, str]

    def cell(self, name: str) -> str:
        """Return the text of a cell; empty without such a column."""
        return self.cells.get(name, "")

    @property
    def text(self) -> str:
        """All cells."""
        return " ".join(self.cells.values())


class Table(msgspec.Struct, frozen=True):
    """A table: the lines of its header and of its end, its columns, and its rows that are not empty."""

    line: int
    last: int
    columns: tuple[str, ...]
    rows: tuple[Row, ...]


def read_markdown(path: Path, what: str) -> str | None:
    """Return the text of a document, None without a file. Raises `UserError` if it cannot be read.

    `what` is the kind of document for messages, such as "a post-mortem".
    """
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UserError(f"cannot read {path} ({error.strerror})") from error
    if len(content) > LARGEST:
        size = path.stat().st_size
        raise UserError(
            f"{path} has {size / 1e6:.1f} MB, and {what} has at most {LARGEST / 1e6:.2f} MB; it is unchanged; "
            f"move logs and pictures to files of their own"
        )
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise UserError(
            f"{path} is not UTF-8 text (byte {content[error.start]:#04x} in line {line}); it is unchanged; save it "
            f"as UTF-8 in your editor, then repeat the command"
        ) from error


def tokens_of(text: str) -> list[Token]:
    """Return the tokens of a text, tables included."""
    return MarkdownIt("commonmark").enable("table").parse(text)


def line_of(token: Token) -> int:
    """Return the number of a token's first line, from 1."""
    return token.map[0] + 1 if token.map else 0


def table_at(tokens: Sequence[Token], start: int) -> Table:
    """Return the table that opens with the token at `start`."""
    columns: list[str] = []
    rows: list[Row] = []
    cells: list[str] = []
    for token in tokens[start:]:
        if token.type == "table_close":
            break
        if token.type == "inline":
            cells.append(token.content.strip())
        elif token.type == "tr_close" and not columns:
            columns, cells = [re.sub(r"[`*_]", "", cell).casefold() for cell in cells], []
        elif token.type == "tr_open":
            cells, line = [], line_of(token)
        elif token.type == "tr_close":
            if any(cells):
                rows.append(Row(line, dict(zip(columns, cells, strict=False))))
            cells = []
    opening = tokens[start]
    return Table(line_of(opening), opening.map[1] if opening.map else 0, tuple(columns), tuple(rows))
