"""Patches: a near miss as a difference from another arm.

    base: reference
    --- a/ledger.py
    +++ b/ledger.py
    @@ -10,3 +10,3 @@
     def total(self):
    -    return sum(self.amounts)
    +    return fsum(self.amounts)
         # end

The first line names the base: `reference`, `original`, `accepted/X`, or `variants/Y`. A unified diff of one or more
editable files follows. It applies only if every line and every count is exact, without offset or fuzz.
"""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NoReturn

from drill_katas.errors import UserError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

SUFFIX: Final = ".patch"
BASE: Final = "base: "
OLD, NEW = "--- a/", "+++ b/"
HUNK: Final = re.compile(r"@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@")
UNENDED: Final = "\\ No newline at end of file"


@dataclass(frozen=True)
class Hunk:
    """Lines of a patch, each with its sign; `number` is the line of the header in the patch, from 1.

    `old` and `new` are the first lines of the hunk in the file before and after the patch, from 0.
    """

    number: int
    old: int
    new: int
    lines: tuple[str, ...]


@dataclass(frozen=True)
class FilePatch:
    """The hunks of one file; `number` is the line in the patch that names the file."""

    name: str
    number: int
    hunks: tuple[Hunk, ...]


@dataclass(frozen=True)
class Patch:
    """A patch as read from `path`."""

    path: Path
    base: str
    files: tuple[FilePatch, ...]

    def apply(self, contents: Mapping[str, bytes]) -> dict[str, bytes]:
        """Return the changed files, given the editable files of the base. Raises `UserError` if a line differs."""
        changed: dict[str, bytes] = {}
        for file in self.files:
            if file.name not in contents:
                _refuse(self.path, file.number, f"{file.name} is not an editable file{nearest(file.name, contents)}")
            if file.name in changed:
                _refuse(self.path, file.number, f"{file.name} is in the patch twice")
            old = _lines(contents[file.name])
            if old is None:
                _refuse(self.path, file.number, f"the base's {file.name} is not UTF-8 text that ends with a newline")
            changed[file.name] = "".join(f"{line}\n" for line in self._applied(file, old)).encode()
        return changed

    def _applied(self, file: FilePatch, old: list[str]) -> list[str]:
        new: list[str] = []
        at = 0  # next line of the base
        for hunk in file.hunks:
            if not at <= hunk.old <= len(old):
                _refuse(self.path, hunk.number, f"the hunk begins at line {hunk.old + 1}, outside the rest of the base")
            new += old[at : hunk.old]
            at = hunk.old
            if hunk.new != len(new):
                _refuse(self.path, hunk.number, f"expected '+{len(new) + 1}', the hunk has '+{hunk.new + 1}'")
            for number, line in enumerate(hunk.lines, hunk.number + 1):
                sign, text = line[0], line[1:]
                if sign != "+":
                    if at == len(old):
                        _refuse(self.path, number, f"expected {text!r}, the base has ended")
                    if old[at] != text:
                        _refuse(self.path, number, f"expected {text!r}, the base has {old[at]!r}")
                    at += 1
                if sign != "-":
                    new.append(text)
        return new + old[at:]


def read_patch(path: Path) -> Patch:
    """Return the patch in a file. Raises `UserError` with file and line."""
    try:
        lines = _lines(path.read_bytes())
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from error
    if lines is None:
        raise UserError(f"{path} is not UTF-8 text that ends with a newline")
    if not lines or not lines[0].startswith(BASE):
        _refuse(path, 1, f"expected '{BASE}' and the name of an arm")
    files, at = [], 1
    while at < len(lines):
        file, at = _read_file(path, lines, at)
        files.append(file)
    if not files:
        _refuse(path, 2, f"expected '{OLD}FILE'; the patch changes nothing")
    return Patch(path, lines[0].removeprefix(BASE), tuple(files))


def make_patch(base: str, old: Mapping[str, bytes], new: Mapping[str, bytes]) -> str:
    """Return the patch from a base's files to `new`. Raises `UserError` for a file that a patch cannot express."""
    text = f"{BASE}{base}\n"
    for name in old:
        before, after = _lines(old[name]), _lines(new[name])
        if before is None or after is None:
            raise UserError(f"{name} is not UTF-8 text that ends with a newline, and a patch requires that")
        text += "".join(
            f"{line}\n" for line in difflib.unified_diff(before, after, f"a/{name}", f"b/{name}", lineterm="")
        )
    return text


def _read_file(path: Path, lines: list[str], at: int) -> tuple[FilePatch, int]:
    """Parse the part of one file from `lines[at]` on; return it and the index of the next part."""
    if not lines[at].startswith(OLD):
        _refuse(path, at + 1, f"expected '{OLD}FILE', the patch has {lines[at]!r}")
    name = lines[at].removeprefix(OLD)
    if lines[at + 1 : at + 2] != [f"{NEW}{name}"]:
        _refuse(path, at + 2, f"expected '{NEW}{name}', the patch has {''.join(lines[at + 1 : at + 2])!r}")
    number, hunks = at + 1, []
    at += 2
    while at < len(lines) and not lines[at].startswith(OLD):
        hunk, at = _read_hunk(path, lines, at)
        hunks.append(hunk)
    if not hunks:
        _refuse(path, at + 1, f"expected '@@ -LINE,COUNT +LINE,COUNT @@'; nothing of {name} changes")
    return FilePatch(name, number, tuple(hunks)), at


def _read_hunk(path: Path, lines: list[str], at: int) -> tuple[Hunk, int]:
    """Parse the hunk with the header `lines[at]`; return it and the index after it."""
    header = HUNK.fullmatch(lines[at])
    if header is None:
        _refuse(path, at + 1, f"expected '@@ -LINE,COUNT +LINE,COUNT @@', the patch has {lines[at]!r}")
    begins = int(header[1]), int(header[3])
    counts = [int(header[2] or 1), int(header[4] or 1)]
    # a hunk without lines on one side names the line before it; lines count from 1
    old, new = (begin - (count > 0) for begin, count in zip(begins, counts, strict=True))
    first = end = at + 1
    while any(counts) or lines[end : end + 1] == [UNENDED]:
        sign = lines[end][:1] if end < len(lines) else ""
        if lines[end : end + 1] == [UNENDED]:
            _refuse(path, end + 1, "a file of a kata ends with a newline")
        if sign not in {" ", "-", "+"}:
            _refuse(path, end + 1, f"expected {counts[0]} more old and {counts[1]} more new lines of the hunk")
        counts[0] -= sign != "+"
        counts[1] -= sign != "-"
        if min(counts) < 0:
            _refuse(path, end + 1, f"the hunk at line {at + 1} counts fewer lines than it has")
        end += 1
    return Hunk(at + 1, old, new, tuple(lines[first:end])), end


def _lines(content: bytes) -> list[str] | None:
    """Return the lines without newlines; None if the content is not UTF-8 text that ends with a newline."""
    try:
        *lines, rest = content.decode().split("\n")
    except UnicodeDecodeError:
        return None
    return None if rest else lines


def _refuse(path: Path, number: int, why: str) -> NoReturn:
    raise UserError(f"{path}, line {number}: {why}")
