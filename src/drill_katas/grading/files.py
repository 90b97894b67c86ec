"""The files in a submission, be it a folder or an archive, read as hostile data.

Nothing is unpacked. A name that leads out of the submission, a link and a device are no files of it, and what is read
is never more than `MOST_BYTES`.
"""

from __future__ import annotations

import contextlib
import gzip
import os
import stat
import tarfile
import zipfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Protocol, Self, cast

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import IO

ARCHIVES: Final = (".zip", ".tar.gz", ".tgz", ".tar")
MIB: Final = 1 << 20
MOST_BYTES: Final = MIB  # of a file that is taken
MOST_PACKED: Final = 10 * MIB  # of an archive as it is
MOST_UNPACKED: Final = 100 * MIB  # of a tar archive, whose every byte has to be unpacked to know what is in it
GZIP: Final = b"\x1f\x8b"  # what a file begins with that is one
MOST_HEADER: Final = 64 << 10  # of what a tar archive says about a file; names are no longer than that
MOST_HEADERS: Final = 6 * MIB  # of all of it: reading it takes 0.3 s a MiB, and the others wait
METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # of zip; others unpack blocks of any size
MOST_FILES: Final = 10_000
MANY: Final = f"it has more than {MOST_FILES:,} files"


class Unreadable(Exception):
    """What was handed in cannot be read; the message says why."""


class Files(Protocol):
    """The files in a submission."""

    def __enter__(self) -> Self:
        """Open it."""

    def __exit__(self, *_: object) -> None:
        """Let go of it."""

    def names(self) -> Iterator[tuple[str, bool]]:
        """Return the names of all that is there but folders, as they stand there; and whether it is a regular file."""

    def open(self, name: str) -> IO[bytes]:
        """Open one of them."""


class Folder:
    """A folder; what it links to is not in it."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def names(self) -> Iterator[tuple[str, bool]]:
        """Return the names of all but folders. A link to one is none, and is not followed."""
        for place, folders, files in os.walk(self._path):
            folders.sort()
            links = [name for name in folders if Path(place, name).is_symlink()]
            for name in sorted(files + links):
                file = Path(place, name)
                yield str(file.relative_to(self._path)), stat.S_ISREG(file.lstat().st_mode)

    def open(self, name: str) -> IO[bytes]:
        """Open one of them; should it have become something else meanwhile, that is an `OSError`."""
        return os.fdopen(os.open(self._path / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb")


class Zip:
    """A zip archive."""

    def __init__(self, path: Path) -> None:
        self._zip = zipfile.ZipFile(path)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def names(self) -> Iterator[tuple[str, bool]]:
        """Return the names of all but folders. Its attributes say whether one is a file."""
        for member in self._zip.infolist():
            if member.compress_type not in METHODS:
                raise Unreadable(f"{member.filename} is packed in a way that is not taken; pack it as zip programs do")
            kind = stat.S_IFMT(member.external_attr >> 16)
            if not member.is_dir():
                yield member.filename, kind in {0, stat.S_IFREG}

    def open(self, name: str) -> IO[bytes]:
        """Open one of them."""
        return self._zip.open(name)


class Unpacked:
    """What a tar file unpacks to, as far as it is not too much: headers are read whole, whatever size they say.

    `headers` says how much of headers may still be read, and is None once they have been.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.headers: int | None = MOST_HEADERS

    def read(self, size: int = -1) -> bytes:
        """Read so many bytes, or to the end. Raises `Unreadable`."""
        self._expect(self.tell() + size)
        if self.headers is not None:
            self.headers -= size
            if not 0 <= size <= MOST_HEADER or self.headers < 0:
                raise Unreadable("it says too much about its files")
        return self._file.read(size if size >= 0 else MOST_UNPACKED)

    def seek(self, place: int, whence: int = os.SEEK_SET) -> int:
        """Go to a place. Raises `Unreadable` when that is too far."""
        self._expect(place)
        return self._file.seek(place, whence)

    def tell(self) -> int:
        """Return the place."""
        return self._file.tell()

    def close(self) -> None:
        """Let go of it."""
        self._file.close()

    def _expect(self, place: int) -> None:
        if place > MOST_UNPACKED:
            raise Unreadable(f"unpacked it has more than {MOST_UNPACKED // MIB} MiB")


class Tar:
    """A tar archive, compressed or not."""

    def __init__(self, path: Path) -> None:
        file = path.open("rb")
        packed = file.read(len(GZIP)) == GZIP
        file.seek(0)
        self._file = Unpacked(cast("IO[bytes]", gzip.GzipFile(fileobj=file) if packed else file))
        self._closed: list[Unpacked | IO[bytes]] = [self._file, file]
        try:
            self._tar = tarfile.TarFile(fileobj=cast("IO[bytes]", self._file))
        except BaseException:
            self.__exit__()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for each in self._closed:
            each.close()

    def names(self) -> Iterator[tuple[str, bool]]:
        """Return the names of all but folders. Raises `Unreadable` when it would have to unpack too much for that."""
        for number, member in enumerate(self._tar):
            if number >= MOST_FILES:
                raise Unreadable(MANY)
            if not member.isdir():
                yield member.name, member.isreg()
        self._file.headers = None

    def open(self, name: str) -> IO[bytes]:
        """Open one of them."""
        file = self._tar.extractfile(name)
        assert file is not None, "a regular file can be opened"
        return file


@dataclass(frozen=True)
class Content:
    """What is in a folder or an archive.

    `files` has what reads each file, by its name in it, a POSIX path. `others` are links, devices, and what has a name
    that leads out of it, as these names stand there.
    """

    files: dict[str, Callable[[], bytes]] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Content]:
    """Open a folder or an archive. Raises `Unreadable`."""
    try:
        with _kind(path) as files:
            yield _content(files)
    except Unreadable:
        raise
    except Exception as error:  # whatever those who read archives stumble over, it is the archive's
        raise Unreadable(f"it is damaged ({error})") from error


def _kind(path: Path) -> Files:
    if path.is_symlink():
        raise Unreadable("it is a link, and not what was handed in")
    if path.is_dir():
        return Folder(path)
    if not is_archive(path):
        raise Unreadable(f"it is no folder and no archive ({', '.join(ARCHIVES)})")
    if path.stat().st_size > MOST_PACKED:
        raise Unreadable(f"it has more than {MOST_PACKED // MIB} MiB")
    return Zip(path) if path.suffix.lower() == ".zip" else Tar(path)


def is_archive(path: Path) -> bool:
    """Whether a path has the name of an archive, and is a file."""
    return path.name.lower().endswith(ARCHIVES) and path.is_file()


def _content(files: Files) -> Content:
    found = Content()
    for number, (name, is_file) in enumerate(files.names()):
        if number >= MOST_FILES:
            raise Unreadable(MANY)
        inside = _inside(name)
        if inside is None or not is_file:
            found.others.append(name)
        elif inside in found.files:
            raise Unreadable(f"it has two files {inside}")
        else:
            found.files[inside] = lambda name=name: _read(files, name)  # type: ignore[misc]
    return found


def _inside(name: str) -> str | None:
    """Return a name as a path inside of the submission, or None when it leads out of it."""
    parts = [part for part in name.replace("\\", "/").split("/") if part != "."]
    return "/".join(parts) if parts and not {"", ".."} & set(parts) and ":" not in parts[0] else None


def _read(files: Files, name: str) -> bytes:
    with files.open(name) as file:
        content = file.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise Unreadable(f"{name} has more than {MOST_BYTES // MIB} MiB")
    return content
