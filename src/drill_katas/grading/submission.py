"""What was handed in: which kata it is for, and its editable files. Anything else in it is ignored, and listed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from drill_katas.grading.archives import Unreadable
from drill_katas.grading.candidates import best, candidates
from drill_katas.grading.files import MOST_BYTES, Content, opened
from drill_katas.grading.shapes import ARCHIVES, is_archive
from drill_katas.judge.encodings import WITHOUT_MARK, encoding_of, in_words
from drill_katas.text import printable, truncate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from drill_katas.catalog.katas import Kata
    from drill_katas.grading.candidates import Candidate
    from drill_katas.grading.shapes import Part

LISTED: Final = 5  # files that are ignored and named
LONGEST: Final = 400  # characters of such a name, or of a refusal that holds one; an archive's may have 65,535
NESTED: Final = 2  # archives inside of each other, below the one that was handed in
MOST_NESTED: Final = 10  # archives that are looked into
MOST_NESTED_BYTES: Final = 100 << 20  # of all of them together, which are read into memory
MOST_EQUAL: Final = 10  # files that may each be the same editable one, and are compared
FOREIGN: Final = (".rar", ".7z", ".gz", ".bz2", ".xz", ".zst")


@dataclass(frozen=True)
class Entry:
    """One entry to grade: all files at `path`, or those parts of it; `intake.distinct` makes its `id`."""

    id: str
    path: Path
    parts: tuple[Part, ...] = ()


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


@dataclass(frozen=True)
class _Named:
    """A file of an entry: its path in the container, and its content, which is in an archive in it perhaps."""

    place: str
    content: Content
    name: str

    def read(self, most: int = MOST_BYTES) -> bytes:
        return self.content.files[self.name](most)


def read(entry: Entry, katas: Sequence[Kata], content: Content | None = None) -> Submission:
    """Read an entry for one of the katas, from an open container if there is one. Nothing in it makes this raise."""
    try:
        if content is not None:
            return _read(entry, katas, content)
        with opened(entry.path, [part.name for part in entry.parts]) as own:
            return _read(entry, katas, own)
    except Unreadable as problem:
        return Submission(entry.id, notes=(_short(printable(f"not judged: {problem}")),))


def _read(entry: Entry, katas: Sequence[Kata], content: Content) -> Submission:
    files, others = _seen(entry, content)
    chosen = candidates(files, katas)
    for _ in range(NESTED):
        if not chosen:
            files |= _nested(files)
            chosen = candidates(files, katas)
    if not chosen:
        raise Unreadable(_missing([*files, *others], katas))
    kata, names = _decided(best(chosen), files)
    texts = {editable: _decoded(name, files[name].read()) for editable, name in names.items()}
    ignored = sorted({*files, *others} - set(names.values()))
    return Submission(
        entry.id,
        kata,
        {editable: content for editable, (content, _) in texts.items()},
        tuple(map(printable, [*(note for _, note in texts.values() if note), *_ignored(ignored)])),
        {editable: printable(str(entry.path / files[name].place)) for editable, name in names.items()},
    )


def _seen(entry: Entry, content: Content) -> tuple[dict[str, _Named], list[str]]:
    """Return the files of an entry by the names that they are judged by, and the other names in it."""
    names = dict(_names(entry, content))
    files = {seen: _Named(name, content, name) for seen, name in names.items() if name in content.files}
    if list(content.files) == [entry.path.name] and not entry.parts:  # a file that is an entry by itself
        files = {seen: replace(file, place="") for seen, file in files.items()}
    return files, [*(seen for seen in names if seen not in files), *(() if entry.parts else content.outside)]


def _names(entry: Entry, content: Content) -> Iterator[tuple[str, str]]:
    """Yield the names of an entry as they are judged, and as they are in the container."""
    if not entry.parts:
        yield from ((name, name) for name in (*content.files, *content.links))
    for part in entry.parts:
        alone = len(entry.parts) == 1 and part.name not in content.files
        for name in content.part(part.name):  # the own name of a folder is no evidence
            yield (name.removeprefix(f"{part.name}/") if alone else part.seen + name.removeprefix(part.name), name)


def _nested(files: Mapping[str, _Named]) -> dict[str, _Named]:
    """Return the files in archives among these files."""
    found: dict[str, _Named] = {}
    archives = [name for name in files if is_archive(name)]
    if len(archives) > MOST_NESTED:
        raise Unreadable(f"it has {len(archives)} archives and no other file of a kata; unpack the right one")
    left = MOST_NESTED_BYTES
    for name in sorted(archives):
        file = files[name]
        packed = file.read(left)
        left -= len(packed)
        inner = file.content.nested(file.name, packed)
        found |= {f"{name}/{each}": _Named(f"{file.place}/{each}".lstrip("/"), inner, each) for each in inner.files}
    return {name: file for name, file in found.items() if name not in files}


def _decided(found: Sequence[Candidate], files: Mapping[str, _Named]) -> tuple[Kata, dict[str, str]]:
    """Return the kata and its files by the evidence. Raises `Unreadable` when that does not decide."""
    names = list(dict.fromkeys(each.kata.name for each in found))
    if len(names) > 1:
        raise Unreadable(f"it may be for {' or '.join(names)}; say which: --kata NAME")
    chosen: dict[str, str] = {}
    for editable in found[0].kata.manifest.editable:
        equal = [name for each in found for name in each.files[editable]]
        if len(equal) > MOST_EQUAL:
            raise Unreadable(
                f"{len(equal)} files may each be {editable}, such as {_and(equal[:2])}; hand in one of them"
            )
        contents = {files[name].read() for name in equal}
        if len(contents) > 1:
            raise Unreadable(f"{_and(equal)} may each be {editable}, and differ; hand in one of them")
        chosen[editable] = equal[0]
    return found[0].kata, chosen


def _decoded(name: str, content: bytes) -> tuple[bytes, str]:
    """Return a source in UTF-8, and a note on the change, if any: Python cannot read UTF-16 and UTF-32."""
    encoding = encoding_of(content)
    if not encoding:
        return content, ""
    known = in_words(encoding)
    try:
        return content.decode(encoding).encode(), f"{name} is in {known}, which Python cannot read; judged as UTF-8"
    except UnicodeError as error:
        if encoding in WITHOUT_MARK:
            return content, ""
        raise Unreadable(f"{name} begins as {known} does, and is not {known} ({error})") from error


def _missing(there: Sequence[str], katas: Sequence[Kata]) -> str:
    """Return a sentence on the files found in place of editable ones."""
    wanted = " or ".join(f"{_and(kata.manifest.editable)} ({kata.name})" for kata in katas)
    foreign = any(name.lower().endswith(FOREIGN) for name in there)
    known = f"; archives that can be read: {', '.join(ARCHIVES)}" if foreign else ""
    return f"found {_listed(sorted(there)) or 'no file'}; expected {wanted}{known}"


def _and(names: Sequence[str]) -> str:
    return " and ".join(map(_short, names[:LISTED]))


def _ignored(names: Sequence[str]) -> Iterator[str]:
    if names:
        yield f"ignored: {_listed(names)}"


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return f"{', '.join(map(_short, names[:LISTED]))}{more}"


def _short(text: str) -> str:
    return truncate(text, LONGEST, "…")
