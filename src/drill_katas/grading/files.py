"""Reads the files in a submission (a folder or an archive) as hostile data.

Nothing is unpacked to disk. Links, devices, and names that lead out of the submission are not files of it. A file is
never read beyond `MOST_BYTES`.
"""

from __future__ import annotations

import bisect
import contextlib
import functools
import io
import itertools
import os
import stat
from collections import deque
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from drill_katas.grading.archives import MIB, OWN, Kind, Measured, Member, Unreadable, archive
from drill_katas.grading.shapes import is_archive, is_noise

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import IO

    from drill_katas.grading.archives import Files

MOST_BYTES: Final = MIB  # of an editable file
MOST_FILES: Final = 100_000  # in a folder or an archive; files made by tools do not count
MOST_PACKED: Final = 500 * MIB  # of an archive
DEEPEST: Final = 6  # levels of folders in a listing
MOST_LISTED: Final = 100_000  # names in a listing


class Folder:
    """A folder, or only `parts` of it. Links are not followed."""

    def __init__(self, path: Path, parts: Sequence[str] = ()) -> None:
        self._path = path
        self._parts = parts

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def members(self) -> Iterator[Member]:
        """Yield all members. Links are not followed; folders made by tools are skipped."""
        for part in self._parts or ("",):
            top = self._path / part
            if part and (top.is_symlink() or not top.is_dir()):
                yield self._member(top)
            else:
                yield from self._below(top)

    def _below(self, top: Path) -> Iterator[Member]:
        for place, folders, files in os.walk(top):
            inside = Path(place).relative_to(self._path)
            folders[:] = sorted(name for name in folders if not is_noise(f"{inside / name}/"))
            links = [name for name in folders if Path(place, name).is_symlink()]
            for name in folders:
                if name not in links:
                    yield Member(str(inside / name), Kind.FOLDER, functools.partial(self._open, Path(place, name)))
            for name in sorted(files + links):
                yield self._member(Path(place, name))

    def _member(self, file: Path) -> Member:
        kind = Kind.FILE if stat.S_ISREG(file.lstat().st_mode) else Kind.OTHER
        return Member(str(file.relative_to(self._path)), kind, functools.partial(self._open, file))

    @staticmethod
    def _open(file: Path) -> IO[bytes]:
        """Open a file. Raises `OSError` if a link has replaced it."""
        return os.fdopen(os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")


class Single:
    """A submission that is a single file."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def members(self) -> Iterator[Member]:
        """Yield the file."""
        return Folder(self._path.parent, [self._path.name]).members()


@dataclass(frozen=True)
class Content:
    """The content of a folder or an archive.

    `files` maps each name (a POSIX path) to a function that reads at most the given number of bytes. `links` are links
    and devices. `outside` are the names that lead out of it, unchanged.
    """

    files: dict[str, Callable[[int], bytes]] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    @functools.cached_property
    def listing(self) -> list[str]:
        """All names in it; a folder ends with a slash."""
        return sorted([*self.files, *self.links, *(f"{folder}/" for folder in self.folders)])

    def part(self, name: str) -> list[str]:
        """Return the names of the files and links of a part: the file of this name, or all files in this folder."""
        if name in self.files:
            return [name]
        first, last = (bisect.bisect_left(self.listing, name + end) for end in ("/", "0"))  # "0" follows "/" in ASCII
        here = [name] if name in self.links else []
        return here + [each for each in self.listing[first:last] if not each.endswith("/")]

    def nested(self, name: str, packed: bytes) -> Content:
        """Return the content of a nested archive with the bytes `packed`. Raises `Unreadable`."""
        try:
            return _content(archive(name, io.BytesIO(packed)))
        except Unreadable as problem:
            raise Unreadable(f"{name}: {problem}") from None
        except Exception as error:
            raise Unreadable(f"{name} is damaged ({error})") from error


@contextlib.contextmanager
def opened(path: Path, parts: Sequence[str] = ()) -> Iterator[Content]:
    """Open a file, an archive, a folder, or only `parts` of a folder. Raises `Unreadable`."""
    try:
        with _kind(path, parts) as files:
            yield _content(files)
    except Unreadable:
        raise
    except Exception as error:  # zipfile, tarfile, and gzip raise many types for a damaged archive
        raise Unreadable(f"it is damaged ({error})") from error


def listing(folder: Path) -> list[str]:
    """Return the names in a folder, top levels first; a folder ends with a slash. Raises `OSError`."""
    found: list[str] = []
    left = deque([(folder, "")])
    while left and len(found) < MOST_LISTED:
        place, prefix = left.popleft()
        with contextlib.ExitStack() as closing:
            try:
                some = itertools.islice(closing.enter_context(os.scandir(place)), MOST_LISTED)
                entries = sorted(some, key=lambda entry: entry.name)
            except OSError:
                if not prefix:
                    raise
                continue
        for entry in entries:
            is_folder = entry.is_dir(follow_symlinks=False)
            name = f"{prefix}{entry.name}{'/' if is_folder else ''}"
            if not is_noise(name):
                found.append(name)
                if is_folder and name.count("/") < DEEPEST:
                    left.append((Path(entry.path), name))
    return found


def _kind(path: Path, parts: Sequence[str]) -> Files:
    if path.is_symlink():
        raise Unreadable("it is a link; submit the file or folder itself")
    if path.is_dir():
        return Folder(path, parts)
    if not path.is_file():
        raise Unreadable("it is neither a file nor a folder" if path.exists() else "it does not exist")
    if not is_archive(path.name):
        return Single(path)
    if path.stat().st_size > MOST_PACKED:
        raise Unreadable(f"it has more than {MOST_PACKED // MIB} MiB; {OWN}")
    return archive(path.name, Measured(io.FileIO(path)))


def _content(files: Files) -> Content:
    found, number = Content(), 0
    for member in files.members():
        inside = _inside(member.name)
        if inside is None:
            found.outside.append(member.name)
        elif member.kind is Kind.OTHER:
            found.links.append(inside)
        elif is_noise(f"{inside}/" if member.kind is Kind.FOLDER else inside):
            found.folders.update(_top(inside))
            continue
        elif member.kind is Kind.FOLDER:
            found.folders.add(inside)
        elif inside in found.files:
            raise Unreadable(f"it has two files named {inside}")
        else:
            found.files[inside] = functools.partial(_read, member)
        number += 1
        if number > MOST_FILES:
            raise Unreadable(f"it has more than {MOST_FILES:,} files; {OWN}")
    return found


def _top(inside: str) -> Iterator[str]:
    """Yield the top folder of a file made by a tool, because the folder can be an entry without other files."""
    top, slash, _ = inside.partition("/")
    if slash and not is_noise(f"{top}/"):
        yield top


def _inside(name: str) -> str | None:
    """Return a name as a path inside the submission, or None if it leads out of it."""
    parts = [part for part in name.replace("\\", "/").rstrip("/").split("/") if part != "."]
    leads_out = not parts or {"", ".."} & set(parts) or ":" in parts[0] or "\0" in name
    return None if leads_out else "/".join(parts)


def _read(member: Member, most: int) -> bytes:
    with member.open() as file:
        content = file.read(most + 1)
    if len(content) > most:
        raise Unreadable(f"{member.name} has more than {most // MIB} MiB")
    return content
