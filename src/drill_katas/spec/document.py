"""The rules of a `SPEC.md`: the rows of its tables, each with its line."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from drill_katas.markdown import PLACEHOLDERS, table_at, tokens_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drill_katas.markdown import Row, Table

FILE: Final = "SPEC.md"  # in the root of the workspace
ID, INVARIANT, WHY, SINCE, ENFORCED = COLUMNS = ("id", "invariant", "why", "since", "enforced by")
HEADER: Final = f"| {' | '.join(COLUMNS)} |\n|{' --- |' * len(COLUMNS)}\n"
RULE_ID: Final = re.compile(r"R([1-9]\d{0,5})")
NAMED: Final = re.compile(r"(?:\bkatas/)?\b(\w+)(?:/guardrail\.py)?::(\w+(?:::\w+)*)")
LINE: Final = re.compile(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+")  # as in CommonMark, which has fewer line ends than Python
UNESCAPED: Final = re.compile(r"(?<!\\)\|")
COMMENT: Final = re.compile(r"<!--.*?-->")
LIKE_A_HEADER: Final = re.compile(r"\bid\b.*\|.*\binvariant\b", re.IGNORECASE)


class Named(NamedTuple):
    """A test that a row names, such as `red_herring::test_x`."""

    kata: str
    test: str

    def __str__(self) -> str:
        return f"{self.kata}::{self.test}"


class Rule(msgspec.Struct, frozen=True):
    """One row: its line, its id, the first word of `since`, the tests that it names, its cells, and cells too many."""

    line: int
    id: str
    since: str
    tests: tuple[Named, ...]
    cells: dict[str, str]
    extra: int

    @property
    def katas(self) -> set[str]:
        """The katas that it is about."""
        return {self.since, *(named.kata for named in self.tests)}

    def tests_of(self, kata: str) -> list[str]:
        """Return the tests of a kata's guardrail that it names."""
        return [named.test for named in self.tests if named.kata == kata]

    @property
    def number(self) -> int:
        """The number of its id; 0 if the id is malformed."""
        return number_of(self.id)

    def is_placeholder(self, column: str) -> bool:
        """Return whether nobody has written this cell yet."""
        words = COMMENT.sub("", self.cells.get(column, "")).strip("`*_. ").lower()
        return words in PLACEHOLDERS or words.startswith(("todo:", "todo ")) or not re.search(r"\w", words)


class Spec(msgspec.Struct, frozen=True):
    """A parsed `SPEC.md`: its lines with their ends, its tables of rules, and where a broken table seems to begin."""

    lines: list[str]
    tables: tuple[Table, ...]
    rules: tuple[Rule, ...]
    broken: int


def parse(text: str) -> Spec:
    """Return the rules of a text. Never raises."""
    lines = LINE.findall(text)
    tokens = tokens_of(text.removeprefix("\ufeff"))
    # a table in a list or a quotation has a prefix in each line, so no row can be added to it
    starts = (index for index, token in enumerate(tokens) if token.type == "table_open" and token.level == 0)
    tables = tuple(table for table in (table_at(tokens, start) for start in starts) if set(COLUMNS) <= {*table.columns})
    rules = tuple(_rule(row, table, lines) for table in tables for row in table.rows)
    broken = next((number for number, line in enumerate(lines, 1) if LIKE_A_HEADER.search(line)), 0)
    return Spec(lines, tables, rules, broken)


def number_of(rule: str) -> int:
    """Return the number of an id; 0 if it is malformed."""
    found = RULE_ID.fullmatch(rule)
    return int(found[1]) if found else 0


def with_rows(spec: Spec, rows: list[dict[str, str]]) -> str:
    """Return the text with new rows at the end of its last table; all other bytes stay."""
    table = spec.tables[-1]
    before, after = spec.lines[: table.last], spec.lines[table.last :]
    end = re.sub(r"[^\r\n]", "", spec.lines[table.line - 1])
    if not before[-1].endswith(("\n", "\r")):
        before[-1] += end
    new = [f"| {' | '.join(row.get(column, '') for column in table.columns)} |{end}" for row in rows]
    return "".join([*before, *new, *after])


def cell(text: str) -> str:
    """Return a text as the content of a cell."""
    return UNESCAPED.sub(r"\\|", " ".join(text.split()))


def _rule(row: Row, table: Table, lines: list[str]) -> Rule:
    since = re.search(r"\w+", row.cell(SINCE))
    return Rule(
        line=row.line,
        id=row.cell(ID).strip("`*_ "),
        since=since[0] if since else "",
        tests=tuple(dict.fromkeys(_named(row.cell(ENFORCED)))),
        cells=row.cells,
        extra=max(0, _cells(lines[row.line - 1]) - len(table.columns)),
    )


def _named(text: str) -> Iterator[Named]:
    for kata, test in NAMED.findall(text):
        yield Named(kata, test)


def _cells(line: str) -> int:
    """Return the number of cells in a line of a table."""
    inside = line.strip().removeprefix("|")
    ends = UNESCAPED.findall(inside)
    return len(ends) + (not re.search(r"(?<!\\)\|\Z", inside))
