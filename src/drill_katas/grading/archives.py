"""Archives as hostile data: nothing is unpacked to disk, and every read has a bound."""

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
MOST_UNPACKED: Final = 500 * MIB  # of a tar archive, because listing it decompresses every byte
GZIP: Final = b"\x1f\x8b"  # magic number
MOST_HEADER: Final = 64 << 10  # bytes of a tar header; no valid name is longer
MOST_HEADERS: Final = 16 * MIB  # of all tar headers together, because parsing takes 0.3 s per MiB
MOST_LIST: Final = 16 * MIB  # of the central directory of a zip archive
OWN: Final = "submit only your own files"
METHODS: Final = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)  # other methods decompress blocks of unbounded size


class Unreadable(Exception):
    """A submission cannot be read; the message says why."""


class Kind(enum.Enum):
    """The kind of a name in a folder or an archive."""

    FILE = enum.auto()
    FOLDER = enum.auto()
    OTHER = enum.auto()


@dataclass(frozen=True)
class Member:
    """A file or folder in a folder or archive: its unchanged name, and a function that opens it."""

    name: str
    kind: Kind
    open: Callable[[], IO[bytes]]


class Files(Protocol):
    """The files in a submission."""

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def members(self) -> Iterator[Member]:
        """Yield all members."""


class Measured(io.BufferedReader):
    """A reader with a bound on one read, because `zipfile` reads the central directory in one piece."""

    def read(self, size: int | None = -1, /) -> bytes:
        """Read `size` bytes, or to the end. Raises `Unreadable` above `MOST_LIST` bytes."""
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
        """Yield all members by their original names, because `zipfile` cuts a name at NUL, so two could be equal."""
        for member in self._zip.infolist():
            name = member.orig_filename
            if member.compress_type not in METHODS:
                raise Unreadable(f"{name} has an unsupported compression method; use stored or deflated")
            mode = stat.S_IFMT(member.external_attr >> 16)
            kind = Kind.FOLDER if member.is_dir() else Kind.FILE if mode in {0, stat.S_IFREG} else Kind.OTHER
            yield Member(name, kind, functools.partial(self._zip.open, member))


class Unpacked:
    """A bounded reader of an uncompressed tar stream, because `tarfile` reads a header of any declared size at once.

    `headers` is the number of header bytes that may still be read; None after all headers are read.
    """

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.headers: int | None = MOST_HEADERS

    def read(self, size: int = -1) -> bytes:
        """Read `size` bytes, or to the end. Raises `Unreadable` beyond a bound."""
        self._expect(self.tell() + size)
        if self.headers is not None:
            self.headers -= size
            if not 0 <= size <= MOST_HEADER or self.headers < 0:
                raise Unreadable(f"it has too many files or too large headers; {OWN}")
        return self._file.read(size if size >= 0 else MOST_UNPACKED)

    def seek(self, place: int, whence: int = os.SEEK_SET) -> int:
        """Move to a position. Raises `Unreadable` beyond `MOST_UNPACKED`."""
        self._expect(place)
        return self._file.seek(place, whence)

    def tell(self) -> int:
        """Return the position."""
        return self._file.tell()

    def close(self) -> None:
        """Close the stream."""
        self._file.close()

    def _expect(self, place: int) -> None:
        if place > MOST_UNPACKED:
            raise Unreadable(f"it has more than {MOST_UNPACKED // MIB} MiB unpacked; {OWN}")


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
        """Yield all members. Raises `Unreadable` beyond a bound."""
        for member in self._tar:
            kind = Kind.FOLDER if member.isdir() else Kind.FILE if member.isreg() else Kind.OTHER
            yield Member(member.name, kind, functools.partial(self._open, member))
        self._file.headers = None

    def _open(self, member: tarfile.TarInfo) -> IO[bytes]:
        file = self._tar.extractfile(member)
        assert file is not None, "a regular file can be opened"
        return file


def archive(name: str, file: IO[bytes]) -> Zip | Tar:
    """Return the archive in an open file; the name decides its format."""
    return Zip(file) if name.lower().endswith(ARCHIVES[0]) else Tar(file)
