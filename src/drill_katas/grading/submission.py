"""What was handed in: which kata it is for, and its editable files. Anything else in it is ignored, and listed."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, TypeVar

from drill_katas.errors import UserError
from drill_katas.grading.files import Unreadable, is_archive, opened

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
    from pathlib import Path

    from drill_katas.catalog import Kata

T = TypeVar("T")
LISTED: Final = 5  # files that are ignored and named
LONGEST: Final = 400  # characters of such a name, or of a refusal that holds one; an archive's may have 65,535
PACKER: Final = "__MACOSX"  # a folder that packing programs leave behind


@dataclass(frozen=True)
class Submission:
    """What was handed in under one name. Without a kata it cannot be judged, and the last note says why.

    `files` are its editable files by their names, `places` the paths that they were read from.
    """

    id: str
    kata: Kata | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    places: Mapping[str, str] = field(default_factory=dict)


def find(path: Path, katas: Sequence[Kata], besides: Container[str] = ()) -> list[tuple[str, Path]]:
    """Return the submissions at a path, each with its id: one for each entry of it, by name, or itself.

    A folder that holds neither a folder nor an archive is one submission. In one that does, whatever else lies there
    was handed in as well, and is told that it cannot be read; but for hidden entries, and those named in `besides`.
    Raises `UserError` when there is no such path.
    """
    itself = [alone(path)]
    if path.is_file() or _is_one(path, katas):
        return itself
    try:
        entries = sorted(path.iterdir(), key=lambda entry: entry.name)
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror})") from error
    found = [entry for entry in entries if not entry.name.startswith((".", PACKER)) and entry.name not in besides]
    if not any(entry.is_dir() or is_archive(entry) for entry in found):
        return itself
    return [(entry.name, entry) for entry in found]


def alone(path: Path) -> tuple[str, Path]:
    """Return what lies at a path as one submission, with its id; who names a link means what it leads to."""
    return path.resolve().name, path.resolve() if path.is_symlink() else path


def read(id_: str, path: Path, katas: Sequence[Kata]) -> Submission:
    """Read one submission for one of the katas; its files tell for which. Never raises for what is in it."""
    try:
        with opened(path) as content:
            top, inside = _without_top(content.files, {"katas", *(kata.name for kata in katas)})
            kata, folder = _kata_of(inside, katas)
            taken = {name: inside[folder + name]() for name in kata.manifest.editable}
            places = {name: printable(str(path / (top + folder + name))) for name in taken}
            ignored = sorted(set(inside) - {folder + name for name in taken} | set(content.others))
    except Unreadable as problem:
        return Submission(printable(id_), notes=(_short(printable(f"not judged: {problem}")),))
    return Submission(printable(id_), kata, taken, tuple(map(printable, _ignored(ignored))), places)


def printable(text: str) -> str:
    """Escape what is no text to look at: names may hold control sequences, or bytes that are no characters."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def _is_one(path: Path, katas: Iterable[Kata]) -> bool:
    places = [path / folder / name for kata in katas for folder in _folders(kata) for name in kata.manifest.editable]
    return any(place.is_file() for place in places)


def _folders(kata: Kata) -> tuple[str, ...]:
    """Return where the editable files may lie in a submission, the surest place first."""
    return (f"katas/{kata.name}/", f"{kata.name}/", "")


def _without_top(files: Mapping[str, T], known: set[str]) -> tuple[str, dict[str, T]]:
    """Leave a folder away that all files lie in, as when a folder was packed, unless it is one that is known.

    Returns the path of that folder, with a slash, and the files. What packing programs leave behind is no file.
    """
    kept = {name: read for name, read in files.items() if not name.startswith(f"{PACKER}/")}
    tops = {name.partition("/")[0] for name in kept}
    if len(tops) != 1 or tops & known or any("/" not in name for name in kept):
        return "", kept
    return f"{tops.pop()}/", {name.partition("/")[2]: read for name, read in kept.items()}


def _kata_of(names: Iterable[str], katas: Sequence[Kata]) -> tuple[Kata, str]:
    """Return the kata whose editable files are all there, and in which folder. Raises `Unreadable`."""
    there = set(names)
    for place in range(3):
        found = [
            (kata, _folders(kata)[place])
            for kata in katas
            if all(_folders(kata)[place] + name in there for name in kata.manifest.editable)
        ]
        if len(found) > 1:
            raise Unreadable(f"it may be for {' or '.join(kata.name for kata, _ in found)}; say which: --kata NAME")
        if found:
            return found[0]
    wanted = " or ".join(f"{' and '.join(kata.manifest.editable)} ({kata.name})" for kata in katas)
    raise Unreadable(f"it does not hold {wanted}")


def _ignored(names: Sequence[str]) -> Iterator[str]:
    if names:
        more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
        yield f"ignored: {', '.join(map(_short, names[:LISTED]))}{more}"


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
