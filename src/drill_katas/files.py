"""File helpers: atomic writes, JSON, locks, and temporary folders that are locked while in use."""

from __future__ import annotations

import contextlib
import fcntl
import os
import secrets
import shutil
import tempfile
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

import msgspec

from drill_katas.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

RUN: Final = "kata-run-"  # prefix of the folders of runs
LONGEST: Final = 60  # bytes of a folder's path, because a socket's path is longer and has at most 108


def write_file(path: Path, content: bytes) -> None:
    """Write a file. Raises `UserError`."""
    try:
        path.write_bytes(content)
    except OSError as error:
        raise UserError(f"cannot write {path} ({error.strerror})") from error


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON. Raises `UserError`."""
    write_file(path, indented_json(value))


def indented_json(value: Any) -> bytes:
    """Return a value as indented JSON that ends with a newline."""
    return msgspec.json.format(msgspec.json.encode(value)) + b"\n"


def json_lines(values: Iterable[Any]) -> bytes:
    """Return one JSON document per line."""
    return b"".join(msgspec.json.encode(value) + b"\n" for value in values)


def write_atomically(path: Path, content: bytes) -> None:
    """Write a file, or leave it unchanged if that fails, for example on a full disk. Raises `OSError`."""
    with replacing(path) as draft:
        draft.write(content)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[IO[bytes]]:
    """Open a draft that replaces the file at the end. After an exception, the file is unchanged.

    An existing file keeps its mode. The draft has a random name, so nobody can plant a link at its path.
    """
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with create(draft, 0o666) as out:
            yield out
        if path.exists():
            shutil.copymode(path, draft)
        draft.replace(path)
    except OSError as error:
        error.filename = str(path)  # the draft's name means nothing to the user
        raise
    finally:
        draft.unlink(missing_ok=True)


def create(path: Path, mode: int) -> IO[bytes]:
    """Open a new file for writing. Raises `FileExistsError` if the path exists, even as a broken link."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb")


@contextlib.contextmanager
def replacing_folder(folder: Path) -> Iterator[Path]:
    """Make an empty draft that replaces the folder and its content at the end.

    After an exception, the folder is unchanged. Raises `OSError`.
    """
    draft = folder.with_name(f".{folder.name}.new")
    shutil.rmtree(draft, ignore_errors=True)
    draft.mkdir(parents=True)
    yield draft
    shutil.rmtree(folder, ignore_errors=True)
    draft.rename(folder)


def lock(file: IO[bytes] | int) -> None:
    """Lock an open file; block while another process has the lock. Closing the file releases the lock."""
    fcntl.flock(file, fcntl.LOCK_EX)


def try_lock(file: IO[bytes] | int) -> bool:
    """Lock an open file; return False if another process has the lock."""
    return _try_flock(file, fcntl.LOCK_EX)


def is_locked(file: IO[bytes] | int) -> bool:
    """Return whether another process has locked this file."""
    if not _try_flock(file, fcntl.LOCK_SH):
        return True
    fcntl.flock(file, fcntl.LOCK_UN)
    return False


def _try_flock(file: IO[bytes] | int, kind: int) -> bool:
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def place_for_sockets() -> str:
    """Return a folder for temporary files with a short path, because a socket's path has at most 108 bytes."""
    place = tempfile.gettempdir()
    return place if len(os.fsencode(place)) <= LONGEST else "/tmp"  # noqa: S108 - only private folders are made in it


class RunFolder:
    """A temporary folder of this process. Making one removes the folders that killed processes left behind.

    The folder itself is locked, because the kernel then releases the lock when the process ends.
    """

    def __init__(self, place: Path | None = None) -> None:
        within = place or Path(place_for_sockets())
        for abandoned in within.glob(f"{RUN}*"):
            _remove_unlocked(abandoned)
        self.path, self._lock = _made(within)

    def close(self) -> None:
        """Remove the folder. Idempotent."""
        shutil.rmtree(self.path, ignore_errors=True)
        descriptor, self._lock = self._lock, -1
        if descriptor >= 0:
            os.close(descriptor)


@contextlib.contextmanager
def run_folder() -> Iterator[Path]:
    """Make a folder for a run, and remove it at the end."""
    with contextlib.closing(RunFolder()) as folder:
        yield folder.path


def _made(place: Path) -> tuple[Path, int]:
    """Make and lock a folder; retry if another process found it unlocked and removed it."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=RUN, dir=place)).resolve()
        descriptor = _locked(folder)
        if descriptor is not None and folder.is_dir():
            return folder, descriptor
        if descriptor is not None:
            os.close(descriptor)


def _remove_unlocked(folder: Path) -> None:
    descriptor = _locked(folder)
    if descriptor is not None:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def _locked(folder: Path) -> int | None:
    """Return a descriptor with the lock on a folder; None if it is in use, another user's, or gone."""
    descriptor = None
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with contextlib.suppress(PermissionError):  # a sandbox without locks, where no other process uses the folder
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        if descriptor is not None:
            os.close(descriptor)
        return None
    return descriptor
