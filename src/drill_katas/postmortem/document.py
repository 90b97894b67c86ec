"""The structure of a post-mortem: front matter, sections, tables, list items, and prose, each with its line."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import msgspec

from drill_katas.markdown import Table, line_of, table_at, tokens_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from markdown_it.token import Token

SECTIONS: Final = (
    "Impact",
    "Timeline",
    "Alerts",
    "Contributing factors",
    "What went well",
    "Where we were lucky",
    "Actions",
)
FENCE: Final = "---"
IMPACT, TIMELINE, ALERTS, FACTORS, WELL, LUCKY, ACTIONS = SECTIONS


class Passage(msgspec.Struct, frozen=True):
    """A paragraph, list item, or heading that a person wrote: its text without code, by lines, and with code."""

    line: int
    text: str
    raw: str

    @property
    def lines(self) -> Iterator[tuple[int, str]]:
        """The lines of the text, each with its number."""
        return enumerate(self.text.split("\n"), self.line)

    def line_of(self, position: int) -> int:
        """Return the number of the line with this position in the text."""
        return self.line + self.text.count("\n", 0, position)


class Section(msgspec.Struct, frozen=True):
    """A section with everything below its heading, up to the heading of the next section."""

    name: str
    line: int
    tables: list[Table] = []
    passages: list[Passage] = []

    def table(self, *columns: str) -> Table | None:
        """Return the first table with these columns."""
        return next((table for table in self.tables if set(columns) <= set(table.columns)), None)


class Document(msgspec.Struct, frozen=True):
    """A parsed post-mortem; `meta` has the line and the value of each key of the front matter."""

    meta: dict[str, tuple[int, str]]
    sections: dict[str, Section]
    headings: tuple[Passage, ...]


def parse(text: str) -> Document:
    """Return the structure of the text that a person wrote."""
    lines = text.splitlines()
    meta, below = _front_matter(lines)
    tokens = tokens_of("\n".join([""] * below + lines[below:]))
    sections: dict[str, Section] = {}
    headings: list[Passage] = []
    section = Section("", 0)
    for index, token in enumerate(tokens):
        if token.type == "inline" and index and tokens[index - 1].type == "heading_open":
            name = plain(token)
            headings.append(Passage(line_of(token), name, name))
            known = next((each for each in SECTIONS if each.casefold() == name.strip().casefold()), None)
            if known:
                section = sections.setdefault(known, Section(known, line_of(token)))
        elif token.type == "table_open":
            section.tables.append(table_at(tokens, index))
        elif token.type == "inline" and index and tokens[index - 1].type == "paragraph_open":
            section.passages.append(_passage(token))
    return Document(meta, sections, tuple(headings))


def plain(token: Token) -> str:
    """Return the text of a paragraph without code, markup, and raw HTML; it has the lines of the file."""
    breaks = {"softbreak": "\n", "hardbreak": "\n", "code_inline": " "}
    kept = (child.content if child.type == "text" else breaks.get(child.type, "") for child in token.children or ())
    return "".join(kept)


def _passage(token: Token) -> Passage:
    return Passage(line_of(token), plain(token), token.content)


def _front_matter(lines: Sequence[str]) -> tuple[dict[str, tuple[int, str]], int]:
    """Return the keys of the front matter, and the number of lines that it takes."""
    if not lines or lines[0].strip() != FENCE:
        return {}, 0
    end = next((number for number, line in enumerate(lines[1:60], 1) if line.strip() == FENCE), 0)
    found = {}
    for number, line in enumerate(lines[1:end], 2):
        key, colon, value = line.partition(":")
        if colon:
            found[key.strip().casefold()] = (number, value.strip().strip("\"'"))
    return found, end + 1 if end else 0
