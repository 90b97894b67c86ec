"""Finds and reads the entries of a class. Each entry gets one grade."""

from __future__ import annotations

import contextlib
import unicodedata
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Self

from drill_katas.errors import UserError
from drill_katas.grading.archives import Unreadable
from drill_katas.grading.files import listing, opened
from drill_katas.grading.shapes import Layout, Shape, doubt_of_class, is_archive, shape_of
from drill_katas.grading.submission import Entry, read
from drill_katas.text import printable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from drill_katas.catalog.katas import Kata
    from drill_katas.grading.files import Content
    from drill_katas.grading.submission import Submission


@dataclass(frozen=True)
class Found:
    """The entries at a path, in order of their names; `beside` are the files that belong to no entry."""

    entries: tuple[Entry, ...]
    beside: tuple[str, ...] = ()


def find(path: Path, katas: Sequence[Kata], layout: Layout = Layout.AUTO, own: Path | None = None) -> Found:
    """Return the entries at a path; `own` is a file of the grader, which is ignored.

    Raises `UserError` if the path cannot be read, or is ambiguous without a `layout`.
    """
    if path.is_dir():
        return _in_folder(path, katas, layout, own)
    if layout is Layout.ONE or not is_archive(path.name):
        return Found((alone(path),)) if path.is_file() or path.is_symlink() else _gone(path)
    try:
        with opened(path.resolve()) as content:
            shape = shape_of(content.listing, katas, layout)
    except Unreadable:
        return Found((alone(path),))  # reading it later reports the reason
    if layout is Layout.AUTO and not shape.unsure:
        doubt = doubt_of_class(shape)
        shape = replace(shape, unsure=f"{doubt}; --layout one, or --layout folders" if doubt else "")
    _decide(path, shape)
    if not shape.groups or (layout is Layout.AUTO and (shape.likely == 0 or len(shape.groups) == 1)):
        return Found((alone(path),))
    return _class(path.resolve(), shape)


def alone(path: Path) -> Entry:
    """Return everything at a path as one entry. A link is resolved."""
    return Entry(path.resolve().name, path.resolve() if path.is_symlink() else path)


def _in_folder(path: Path, katas: Sequence[Kata], layout: Layout, own: Path | None) -> Found:
    try:
        names = listing(path)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror})") from error
    if own is not None and own.resolve().parent == path.resolve():
        names = [name for name in names if name != own.name]
    shape = shape_of(names, katas, layout)
    _decide(path, shape)
    return _class(path, shape) if shape.groups else Found((alone(path),), shape.beside)


def _gone(path: Path) -> Found:
    try:
        path.stat()
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror})") from error
    return Found((alone(path),))


def _decide(path: Path, shape: Shape) -> None:
    if shape.unsure:
        raise UserError(f"{path} can be one submission or a class: {printable(shape.unsure)}")


def _class(path: Path, shape: Shape) -> Found:
    """Return the entries of a class. In a folder, an entry that is one file or folder gets its own path."""
    single = path.is_dir()
    return Found(
        tuple(
            Entry(group.id, path / group.parts[0].name)
            if single and len(group.parts) == 1 and group.parts[0].name == group.parts[0].judged_name
            else Entry(group.id, path, group.parts)
            for group in shape.groups
        ),
        shape.beside,
    )


def distinct(entries: Sequence[Entry]) -> list[Entry]:
    """Return the entries in the same order with unique ids, which stay unique on disks that ignore case.

    An id is printable text with doubled backslashes. Entries with equal names get their paths as ids. Ids that differ
    only in case or Unicode form get a number.
    """
    times = Counter(entry.id for entry in entries)
    named = [entry.id if times[entry.id] == 1 else str(_place(entry)) for entry in entries]
    taken: set[str] = set()
    found = []
    for entry, name in zip(entries, named, strict=True):
        first = id_ = printable(name.replace("\\", "\\\\"))
        number = 1
        while _alike(id_) in taken:
            number += 1
            id_ = f"{first} ({number})"
        taken.add(_alike(id_))
        found.append(replace(entry, id=id_))
    return found


def _place(entry: Entry) -> Path:
    return entry.path / entry.parts[0].name if entry.parts else entry.path


def _alike(text: str) -> str:
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


class Inbox:
    """Reads entries, and keeps the archive of a class open between them."""

    def __init__(self) -> None:
        self._path: Path | None = None
        self._content: Content | None = None
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()
        self._path = self._content = None

    def read(self, entry: Entry, katas: Sequence[Kata]) -> Submission:
        """Read one entry. Never raises because of its content."""
        if not entry.parts or entry.path.is_dir():
            return read(entry, katas)
        if self._path != entry.path:
            self._open.close()
            self._path = self._content = None
            try:
                self._content = self._open.enter_context(opened(entry.path))
            except Unreadable:
                return read(entry, katas)
            self._path = entry.path
        return read(entry, katas, self._content)
