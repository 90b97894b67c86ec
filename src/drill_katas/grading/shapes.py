"""Decides by names alone whether a listing is a class or one submission, and which names belong to each entry.

A listing contains the names in a folder or archive as POSIX paths; a folder ends with a slash: `alice/`,
`katas/fp_drift/ledger.py`. All functions here are pure.

| listing | shape |
| --- | --- |
| a kata's editable files at the paths of a workspace | one submission |
| names made by Canvas, Moodle or Gradescope | a class, one entry per person |
| several folders or archives | a class, one entry each |
| a single folder | the shape of its own listing |
| only files | one submission |
| both shapes fit | ambiguous: `--layout` decides |
"""

from __future__ import annotations

import enum
import re
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drill_katas.catalog.katas import GUARDRAIL
from drill_katas.grading.candidates import BACKUP, candidates, matches, owner, platform

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from drill_katas.catalog.katas import Kata

ARCHIVES: Final = (".zip", ".tar.gz", ".tgz", ".tar")
NOISE: Final = frozenset({"__MACOSX", "__pycache__", "node_modules", "venv", "site-packages"})  # folders
NOISE_FILES: Final = frozenset({".DS_Store", "Thumbs.db", "desktop.ini"})
PROJECT: Final = frozenset(
    {"src", "source", "lib", "docs", "doc", "test", "tests", "scripts", "data", "assets", "images", "img", "solution",
     "screenshots", "notes"}
)  # fmt: skip
BESIDE: Final = re.compile(
    r"(?:.+\.(?:csv|tsv|xlsx?|ods|html?|ya?ml|json)|(?:readme|license|instructions)(?:\..*)?)", re.IGNORECASE
)
GRADESCOPE: Final = re.compile(r"submission_\d+")


class Layout(enum.StrEnum):
    """The interpretation of a path."""

    AUTO = "auto"
    ONE = "one"
    FOLDERS = "folders"
    FLAT = "flat"


@dataclass(frozen=True)
class Part:
    """A file or folder of an entry: its name in the listing, and its judged name."""

    name: str
    judged_name: str


@dataclass(frozen=True)
class Group:
    """One entry of a class."""

    id: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Shape:
    """The shape of a listing: the entries of a class, or no groups for one submission.

    `beside` are the files that belong to no entry. `likely` is the number of entries that look like submissions. If the
    listing is ambiguous, `unsure` is the reason.
    """

    groups: tuple[Group, ...] = ()
    beside: tuple[str, ...] = ()
    likely: int = 0
    unsure: str = ""


def is_noise(name: str) -> bool:
    """Return whether a tool made this path: a hidden folder, a virtual environment, or a metadata file of macOS."""
    *folders, last = name.rstrip("/").split("/")
    if name.endswith("/"):
        folders, last = [*folders, last], ""
    hidden = any(part in NOISE or (part.startswith(".") and part.strip(".")) for part in folders)
    return hidden or last in NOISE_FILES or last.startswith("._")


def is_archive(name: str) -> bool:
    """Return whether a file name has an archive's suffix."""
    return name.lower().endswith(ARCHIVES)


def shape_of(listing: Iterable[str], katas: Sequence[Kata], layout: Layout) -> Shape:
    """Return the shape of a listing."""
    names = [name for name in listing if not is_noise(name)]
    if layout is Layout.ONE:
        return Shape()
    if layout is Layout.FLAT:
        return _flat(names, katas)
    tops = _tops(names)
    if layout is Layout.FOLDERS:
        return _folders(tops, katas)
    return _guessed(names, tops, katas)


def _guessed(names: Sequence[str], tops: dict[str, list[str]], katas: Sequence[Kata]) -> Shape:
    files = [top for top in tops if not top.endswith("/")]
    if any(platform(top.rstrip("/")) or GRADESCOPE.fullmatch(top.rstrip("/")) for top in tops):
        return _folders(tops, katas)
    if "katas/" in tops or _is_workspace(names, katas):
        return Shape(unsure=_doubt_of_one(tops, katas))
    if not any(top.endswith("/") or is_archive(top) for top in tops):
        return Shape(unsure=_doubt_of_files(files, katas))
    submitted = [top for top in tops if _is_likely(top, tops[top], katas)]
    if submitted and all(top.rstrip("/").lower() in PROJECT for top in tops if top not in files or is_archive(top)):
        return Shape()
    if len(tops) == 1 and next(iter(tops)).endswith("/"):
        (top,) = tops
        return _lifted(top, _guessed(tops[top], _tops(tops[top]), katas), _folders(tops, katas))
    return _folders(tops, katas)


def _lifted(top: str, inner: Shape, outer: Shape) -> Shape:
    """Return the shape inside the only top folder, with its name as prefix; or the folder itself as an entry."""
    if inner.likely < 2:  # noqa: PLR2004 - with one likely entry, the outer folder is the entry
        doubt = doubt_of_class(inner)
        return Shape(unsure=f"{doubt}; --layout one or folders, or name that folder") if doubt else outer
    groups = tuple(
        Group(group.id, tuple(Part(top + part.name, part.judged_name) for part in group.parts))
        for group in inner.groups
    )
    return Shape(groups, tuple(top + name for name in inner.beside), inner.likely)


def _folders(tops: dict[str, list[str]], katas: Sequence[Kata]) -> Shape:
    """Return a class with an entry per top name; names that a platform made for one person are one entry."""
    people: defaultdict[str, list[str]] = defaultdict(list)
    for top in tops:
        made = platform(top.rstrip("/"))
        people[f"{made.person}/" if made else top].append(top)
    beside = tuple(name for name in tops if not platform(name) and not name.endswith("/") and BESIDE.fullmatch(name))
    groups = [
        Group(mine[0].rstrip("/") if len(mine) == 1 else person.rstrip("/"), _parts(mine))
        for person, mine in people.items()
        if person not in beside
    ]
    likely = sum(_is_likely(top, tops[top], katas) for top in tops)
    return Shape(tuple(sorted(groups, key=lambda group: group.id)), beside, likely)


def _parts(tops: Iterable[str]) -> tuple[Part, ...]:
    return tuple(Part(top.rstrip("/"), top.rstrip("/")) for top in tops)


def _flat(names: Sequence[str], katas: Sequence[Kata]) -> Shape:
    """Return a class of the top files; files with equal text before or after an editable name are one entry."""
    files = [name for name in names if "/" not in name]
    editables = _editables(katas)
    people: defaultdict[str, list[str]] = defaultdict(list)
    for name in files:
        if BESIDE.fullmatch(name) and not platform(name):
            continue
        made = platform(name)
        known = (*editables, GUARDRAIL)
        person = made.person if made else next((owner(name, each) for each in known if owner(name, each)), name)
        people[person].append(name)
    groups = [
        Group(mine[0], (Part(mine[0], _judged(mine[0], editables)),)) if len(mine) == 1 else Group(person, _parts(mine))
        for person, mine in people.items()
    ]
    beside = tuple(name for name in files if name not in {each for mine in people.values() for each in mine})
    return Shape(tuple(sorted(groups, key=lambda group: group.id)), beside, len(people))


def _judged(name: str, editables: Sequence[str]) -> str:
    """Return the judged name of a file in a flat class: the editable file's name, if there is only one."""
    is_guardrail = matches(name, GUARDRAIL) is not None
    if (
        len(editables) == 1
        and not is_guardrail
        and not is_archive(name)
        and name.endswith(editables[0][editables[0].rindex(".") :])
    ):
        return editables[0]
    return name


def _editables(katas: Iterable[Kata]) -> list[str]:
    return sorted({editable for kata in katas for editable in kata.manifest.editable})


def _tops(names: Iterable[str]) -> dict[str, list[str]]:
    """Return the top names of a listing, each with the names below it."""
    tops: defaultdict[str, list[str]] = defaultdict(list)
    for name in sorted(names):
        top, slash, below = name.partition("/")
        tops[top + slash].extend([below] if below else [])
    return tops


def _is_workspace(names: Sequence[str], katas: Sequence[Kata]) -> bool:
    """Return whether a kata's editable files are at their paths in a workspace or in the kata's folder."""
    known = set(names)
    return any(
        all(folder + editable in known for editable in kata.manifest.editable)
        for kata in katas
        for folder in ("", f"{kata.name}/", f"katas/{kata.name}/")
    )


def _is_likely(top: str, below: Sequence[str], katas: Sequence[Kata]) -> bool:
    """Return whether an entry looks like a submission."""
    if platform(top.rstrip("/")) or GRADESCOPE.fullmatch(top.rstrip("/")):
        return True
    if top.endswith("/"):
        return any(map(is_archive, below)) or bool(candidates((n for n in below if not n.endswith("/")), katas))
    return is_archive(top) or any(matches(top, editable) is not None for editable in _editables(katas))


def _doubt_of_one(tops: dict[str, list[str]], katas: Sequence[Kata]) -> str:
    """Return why a listing with editable files at their paths can still be a class; "" if it cannot."""
    own = {"katas/", *(f"{kata.name}/" for kata in katas)}
    others = [
        top
        for top in tops
        if top.endswith("/")
        and top not in own
        and not BACKUP.search(top.rstrip("/"))
        and top.rstrip("/").lower() not in PROJECT
        and _is_likely(top, tops[top], katas)
    ]
    if len(others) > 1:
        return f"it has a kata's files at its top and in {_few(others)}; --layout one, or --layout folders"
    return _doubt_of_files([top for top in tops if not top.endswith("/")], katas)


def doubt_of_class(shape: Shape) -> str:
    """Return why entries can be folders of one submission; "" if they cannot."""
    if shape.likely == 1 and len(shape.groups) > 1:
        return f"of {_few([group.id for group in shape.groups])} only one contains a kata's files"
    return ""


def _doubt_of_files(files: Sequence[str], katas: Sequence[Kata]) -> str:
    """Return why the top files can be a class; "" if they cannot."""
    for editable in _editables(katas):
        alike = {name: match for name in files if (match := matches(name, editable)) is not None}
        alone = len(alike) == sum(not BESIDE.fullmatch(name) for name in files)
        if len(alike) > 1 and (alone or list(alike.values()).count(2) > 1):
            return f"{_few(list(alike))} can each be {editable}; --layout one, or --layout flat for a class"
    return ""


def _few(names: Sequence[str]) -> str:
    named = ", ".join(name.rstrip("/") for name in names[:3])
    return f"{named} and {len(names) - 3} more" if len(names) > 3 else named  # noqa: PLR2004
