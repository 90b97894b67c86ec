"""The generated blocks of a post-mortem: finding them, and replacing their content.

    <!-- generated: impact 5f1d0c2a -->
    ...
    <!-- end -->

The eight digits are a digest of the content. If they differ, a person has edited the block, and it is left alone. All
other bytes of the file never change.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Final

import msgspec

from drill_katas.errors import nearest
from drill_katas.text import printable, truncate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

BEGIN: Final = re.compile(r"<!-- generated: *([^\s>]{1,40}?)(?: +([0-9a-f]{8}))? *-->[ \t]*")
END: Final = re.compile(r"<!-- end -->[ \t]*")
LIKE_A_MARKER: Final = re.compile(r"\s{0,3}<!-+\s*(generated\b|end\s*-)", re.IGNORECASE)
STOP: Final = "<!-- end -->"


class Problem(msgspec.Struct, frozen=True):
    """A problem of the blocks, with its line; line 0 is the whole file."""

    line: int
    message: str


class Block(msgspec.Struct, frozen=True):
    """A generated block: the numbers of its first and last content line (from 0, the last excluded)."""

    name: str
    digest: str
    first: int
    last: int
    content: str

    @property
    def edited(self) -> bool:
        """Whether a person changed the content."""
        return bool(self.content.strip()) and self.digest != digest_of(self.content)


class Layout(msgspec.Struct, frozen=True):
    """The lines of a file, with their ends, its blocks, and the problems of its markers."""

    lines: list[str]
    blocks: dict[str, Block]
    problems: tuple[Problem, ...]

    def written(self) -> str:
        """Return what a person wrote: the text with empty lines in place of the blocks, so that lines keep numbers."""
        own = list(self.lines)
        for block in self.blocks.values():
            own[block.first - 1 : block.last + 1] = ["\n"] * (block.last + 1 - block.first + 1)
        return "".join(own)


def digest_of(content: str) -> str:
    """Return the digest of a block's content, regardless of line ends."""
    plain = "\n".join(line.rstrip() for line in content.strip().splitlines())
    return hashlib.sha256(plain.encode("utf-8", "surrogatepass")).hexdigest()[:8]


def marked(name: str, content: str) -> str:
    """Return a block with its markers."""
    return f"<!-- generated: {name} {digest_of(content)} -->\n{content.rstrip()}\n{STOP}\n"


def layout_of(text: str, names: tuple[str, ...]) -> Layout:
    """Return the blocks of a text; `names` are the blocks that it should have."""
    lines = re.split(r"(?<=\n)", text)
    blocks: dict[str, Block] = {}
    problems: list[Problem] = []
    opened: tuple[str, str, int] | None = None
    for number, line in enumerate(lines):
        bare = line.rstrip("\r\n")
        if begin := BEGIN.fullmatch(bare):
            if opened:
                problems.append(_unended(opened))
            opened = (begin[1], begin[2] or "", number)
        elif END.fullmatch(bare):
            if opened is None:
                problems.append(Problem(number + 1, f"`{STOP}` ends no generated block; remove the line"))
            else:
                problems += _close(opened, number, lines, blocks, names)
            opened = None
        elif opened is None and LIKE_A_MARKER.match(bare):
            problems.append(Problem(number + 1, f"this marker is damaged: {_quoted(bare)}; {_expected(names)}"))
    if opened:
        problems.append(_unended(opened))
    problems += [Problem(0, _missing(name)) for name in names if name not in blocks]
    return Layout(lines, blocks, tuple(problems))


def _close(
    opened: tuple[str, str, int], end: int, lines: list[str], blocks: dict[str, Block], names: tuple[str, ...]
) -> Iterator[Problem]:
    """Add the block that ends at line `end`, or yield why it cannot be added."""
    name, digest, begin = opened
    if name not in names:
        yield Problem(begin + 1, f"no generated block has the name {_quoted(name)}{nearest(name, names)}")
    elif name in blocks:
        yield Problem(begin + 1, f"the block `{name}` is here for a second time; remove one of the two")
    else:
        blocks[name] = Block(name, digest, begin + 1, end, "".join(lines[begin + 1 : end]))


def _unended(opened: tuple[str, str, int]) -> Problem:
    return Problem(opened[2] + 1, f"the block {_quoted(opened[0])} has no end; write `{STOP}` on a line below it")


def _missing(name: str) -> str:
    return (
        f"the generated block `{name}` is missing; write `<!-- generated: {name} -->` and `{STOP}` on two lines where "
        f"it should be"
    )


def _expected(names: tuple[str, ...]) -> str:
    return f"write `<!-- generated: NAME -->` ({', '.join(names)}) or `{STOP}`, alone on its line"


def _quoted(text: str) -> str:
    return f"`{truncate(printable(text.strip()), 60)}`"


def refreshed(layout: Layout, contents: Mapping[str, str]) -> tuple[str, list[Problem]]:
    """Return the text with new contents of its blocks, and a problem for each block that a person edited."""
    lines = list(layout.lines)
    problems = []
    for block in sorted(layout.blocks.values(), key=lambda block: -block.first):
        if block.edited:
            problems.append(Problem(block.first, _edited(block.name)))
            continue
        begin = lines[block.first - 1]
        end_of_line = "\r\n" if begin.endswith("\r\n") else "\n"
        new = marked(block.name, contents[block.name]).splitlines()[:-1]
        if digest_of(block.content) == digest_of(contents[block.name]) and block.digest:
            continue
        lines[block.first - 1 : block.last] = [line + end_of_line for line in new]
    return "".join(lines), problems


def _edited(name: str) -> str:
    return (
        f"the generated block `{name}` was edited by hand, so it is not refreshed; move your words below its "
        f"`{STOP}`, and delete all lines between its markers"
    )
