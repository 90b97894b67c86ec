"""Archives as hostile data: nothing is unpacked, and each read has a bound."""

from __future__ import annotations

import enum
import functools
import gzip
import io
import os
import stat
import tarfile
import zipfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol, Self, cast

from drill_katas.grading.shapes import ARCHIVES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import IO

MIB: Final = 1 << 20
MOST_UNPACKED: Final = 500 * MIB  # of a tar archive, whose every byte has to be unpacked to know what is in it
GZIP: Final = b"\x1f\x8b"  # what a file begins with that is one
MOST_HEADER: Final = 64 << 10  # of what a tar archive says about a file; names are no longer than that
MOST_HEADERS: Final = 16 * MIB  # of all of it: reading it takes 0.3 s a MiB, and the others wait
MOST_LIST: Final = 16 * MIB  # of what a zip archive says about its files
OWN: Final = "hand in your own files alone"  # what to do about too many
METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # of zip; others unpack blocks of any size


class Unreadable(Exception):
    """What was handed in cannot be read; the message says why."""


class Kind(enum.Enum):
    """The kind of a name in a folder or an archive."""

    FILE = enum.auto()
    FOLDER = enum.auto()
    OTHER = enum.auto()


@dataclass(frozen=True)
class Member:
    """A name in a folder or an archive, as it is there, and how to open the file."""

    name: str
    kind: Kind
    open: Callable[[], IO[bytes]]


class Files(Protocol):
    """The files in a submission."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def members(self) -> Iterator[Member]:
        """Return all that is there."""


class Measured(io.BufferedReader):
    """A file of which no large piece is read at once: `zipfile` reads the list of all members whole."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Read so many bytes, or to the end. Raises `Unreadable` for a list of too many members."""
        if size is not None and size > MOST_LIST:
            raise Unreadable(f"it has too many files; {OWN}")
        return super().read(size)


class Zip:
    """A zip archive."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        try:
            self._zip = zipfile.ZipFile(file)
        except BaseException:
            file.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()
        self._file.close()

    def members(self) -> Iterator[Member]:
        """Return all that is there, by whole names: `zipfile` cuts names at a NUL, which makes two of them equal."""
        for member in self._zip.infolist():
            name = member.orig_filename
            if member.compress_type not in METHODS:
                raise Unreadable(f"{name} is packed in a way that is not taken; pack it as zip programs do")
            mode = stat.S_IFMT(member.external_attr >> 16)
            kind = Kind.FOLDER if member.is_dir() else Kind.FILE if mode in {0, stat.S_IFREG} else Kind.OTHER
            yield Member(name, kind, functools.partial(self._zip.open, member))


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
                raise Unreadable(f"it has too many files, or says too much about them; {OWN}")
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
            raise Unreadable(f"unpacked it has more than {MOST_UNPACKED // MIB} MiB; {OWN}")


class Tar:
    """A tar archive, compressed or not."""

    def __init__(self, file: IO[bytes]) -> None:
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

    def members(self) -> Iterator[Member]:
        """Return all that is there. Raises `Unreadable` when it would have to unpack too much for that."""
        for member in self._tar:
            kind = Kind.FOLDER if member.isdir() else Kind.FILE if member.isreg() else Kind.OTHER
            yield Member(member.name, kind, functools.partial(self._open, member))
        self._file.headers = None

    def _open(self, member: tarfile.TarInfo) -> IO[bytes]:
        file = self._tar.extractfile(member)
        assert file is not None, "a regular file can be opened"
        return file


def archive(name: str, file: IO[bytes]) -> Zip | Tar:
    """Return the archive of that name in a file."""
    return Zip(file) if name.lower().endswith(ARCHIVES[0]) else Tar(file)
