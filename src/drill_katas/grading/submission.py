"""Reads a submission: finds its kata and editable files. Other files are ignored and listed."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from drill_katas.grading.archives import Unreadable
from drill_katas.grading.candidates import best, candidates, guardrail_beside
from drill_katas.grading.files import MOST_BYTES, Content, opened
from drill_katas.grading.shapes import ARCHIVES, is_archive
from drill_katas.judge.encodings import WITHOUT_MARK, display_name, encoding_of
from drill_katas.text import printable, truncate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from drill_katas.catalog.katas import Kata
    from drill_katas.grading.candidates import Candidate
    from drill_katas.grading.shapes import Part

LISTED: Final = 5  # ignored files that a note names
LONGEST: Final = 400  # characters of a name or a refusal; a name in an archive can have 65,535
NESTED: Final = 2  # levels of archives inside a submitted archive
MOST_NESTED: Final = 10  # nested archives that are opened
MOST_NESTED_BYTES: Final = 100 << 20  # of all nested archives together, because they are read into memory
MOST_EQUAL: Final = 10  # equally good candidates whose contents are compared
FOREIGN: Final = (".rar", ".7z", ".gz", ".bz2", ".xz", ".zst")


@dataclass(frozen=True)
class Entry:
    """One entry to grade: all files at `path`, or only `parts` of them; `intake.distinct` makes its `id`."""

    id: str
    path: Path
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True)
class Submission:
    """The content of one entry. Without a kata it cannot be judged, and the last note says why.

    `files` maps the names of editable files to their contents, `places` to the paths they were read from.
    `guardrail` is the content of the file `guardrail.py` beside them, if there is one.
    """

    id: str
    kata: Kata | None = None
    files: Mapping[str, bytes] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    places: Mapping[str, str] = field(default_factory=dict)
    guardrail: bytes | None = None


@dataclass(frozen=True)
class _Named:
    """A file of an entry: its path in the container, and its name in a `Content`, which can be a nested archive."""

    place: str
    content: Content
    name: str

    def read(self, most: int = MOST_BYTES) -> bytes:
        return self.content.files[self.name](most)


def read(entry: Entry, katas: Sequence[Kata], content: Content | None = None) -> Submission:
    """Read an entry, from an open container if `content` is given. Never raises because of the entry's content."""
    try:
        if content is not None:
            return _read(entry, katas, content)
        with opened(entry.path, [part.name for part in entry.parts]) as own:
            return _read(entry, katas, own)
    except Unreadable as problem:
        return Submission(entry.id, notes=(_short(printable(f"unreadable: {problem}")),))


def _read(entry: Entry, katas: Sequence[Kata], content: Content) -> Submission:
    files, others = _files_of(entry, content)
    chosen = candidates(files, katas)
    for _ in range(NESTED):
        if not chosen:
            files |= _nested(files)
            chosen = candidates(files, katas)
    if not chosen:
        raise Unreadable(_missing([*files, *others], katas))
    kata, names = _decided(best(chosen), files)
    texts = {editable: _decoded(name, files[name].read()) for editable, name in names.items()}
    guardrail = guardrail_beside(files, names)
    tests, note = _guardrail(guardrail, files[guardrail]) if guardrail else (None, "")
    ignored = sorted({*files, *others} - {*names.values(), guardrail})
    return Submission(
        entry.id,
        kata,
        {editable: content for editable, (content, _) in texts.items()},
        tuple(map(printable, [*(note for _, note in (*texts.values(), (tests, note)) if note), *_ignored(ignored)])),
        {editable: printable(str(entry.path / files[name].place)) for editable, name in names.items()},
        tests,
    )


def _guardrail(name: str, file: _Named) -> tuple[bytes, str]:
    """Return the content of a guardrail and a note; an unreadable one is empty, because the fix is still judged."""
    try:
        return _decoded(name, file.read())
    except Unreadable as problem:
        return b"", _short(f"{name} is unreadable: {problem}")


def _files_of(entry: Entry, content: Content) -> tuple[dict[str, _Named], list[str]]:
    """Return the files of an entry by their judged names, and its other names (links, devices, names outside it)."""
    names = dict(_names(entry, content))
    files = {judged: _Named(name, content, name) for judged, name in names.items() if name in content.files}
    if list(content.files) == [entry.path.name] and not entry.parts:  # the entry is a single file
        files = {judged: replace(file, place="") for judged, file in files.items()}
    return files, [*(judged for judged in names if judged not in files), *(() if entry.parts else content.outside)]


def _names(entry: Entry, content: Content) -> Iterator[tuple[str, str]]:
    """Yield the judged name and the container name of each file in an entry."""
    if not entry.parts:
        yield from ((name, name) for name in (*content.files, *content.links))
    for part in entry.parts:
        alone = len(entry.parts) == 1 and part.name not in content.files
        for name in content.part(part.name):  # the name of the entry's own folder is not evidence
            prefix, judged = (f"{part.name}/", "") if alone else (part.name, part.judged_name)
            yield judged + name.removeprefix(prefix), name


def _nested(files: Mapping[str, _Named]) -> dict[str, _Named]:
    """Return the files in the archives among these files."""
    found: dict[str, _Named] = {}
    archives = [name for name in files if is_archive(name)]
    if len(archives) > MOST_NESTED:
        raise Unreadable(f"it has {len(archives)} archives and no kata file outside them; unpack the right one")
    left = MOST_NESTED_BYTES
    for name in sorted(archives):
        file = files[name]
        packed = file.read(left)
        left -= len(packed)
        inner = file.content.nested(file.name, packed)
        found |= {f"{name}/{each}": _Named(f"{file.place}/{each}".lstrip("/"), inner, each) for each in inner.files}
    return {name: file for name, file in found.items() if name not in files}


def _decided(found: Sequence[Candidate], files: Mapping[str, _Named]) -> tuple[Kata, dict[str, str]]:
    """Return the kata and its files, by the best candidates. Raises `Unreadable` if they are ambiguous."""
    names = list(dict.fromkeys(each.kata.name for each in found))
    if len(names) > 1:
        raise Unreadable(f"it can be for {' or '.join(names)}; choose one with --kata NAME")
    chosen: dict[str, str] = {}
    for editable in found[0].kata.manifest.editable:
        equal = [name for each in found for name in each.files[editable]]
        if len(equal) > MOST_EQUAL:
            raise Unreadable(
                f"{len(equal)} files can each be {editable}, such as {_and(equal[:2])}; submit one of them"
            )
        contents = {files[name].read() for name in equal}
        if len(contents) > 1:
            raise Unreadable(f"{_and(equal)} can each be {editable}, and their contents differ; submit one of them")
        chosen[editable] = equal[0]
    return found[0].kata, chosen


def _decoded(name: str, content: bytes) -> tuple[bytes, str]:
    """Return a source in UTF-8, and a note if it was decoded from UTF-16 or UTF-32, which Python cannot read."""
    encoding = encoding_of(content)
    if not encoding:
        return content, ""
    known = display_name(encoding)
    try:
        return content.decode(encoding).encode(), f"{name} is in {known}, which Python cannot read; judged as UTF-8"
    except UnicodeError as error:
        if encoding in WITHOUT_MARK:
            return content, ""
        raise Unreadable(f"{name} starts like {known} but is not valid {known} ({error})") from error


def _missing(there: Sequence[str], katas: Sequence[Kata]) -> str:
    """Return a sentence that lists the files found and the editable files expected."""
    wanted = " or ".join(f"{_and(kata.manifest.editable)} ({kata.name})" for kata in katas)
    foreign = any(name.lower().endswith(FOREIGN) for name in there)
    supported = f"; supported archives: {', '.join(ARCHIVES)}" if foreign else ""
    return f"found {_listed(sorted(there)) or 'no file'}; expected {wanted}{supported}"


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
