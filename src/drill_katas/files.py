"""Temporary folders, each locked while it is in use: the next run removes what killed runs have left."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

RUN: Final = "kata-run-"  # what folders of runs are called
LONGEST: Final = 60  # bytes; names of ours come on top


def place_for_sockets() -> str:
    """Return a folder for temporary files that is not too long: the path of a socket has 108 bytes at most."""
    place = tempfile.gettempdir()
    return place if len(os.fsencode(place)) <= LONGEST else "/tmp"  # noqa: S108 - the folders made in it are private


class RunFolder:
    """A temporary folder of this process, which removes those of killed processes when it is made.

    The lock is on the folder itself, so that the kernel lets go of it with the process.
    """

    def __init__(self, place: Path | None = None) -> None:
        within = place or Path(place_for_sockets())
        for left in within.glob(f"{RUN}*"):
            _remove_unlocked(left)
        self.path, self._lock = _made(within)

    def close(self) -> None:
        """Remove it; closing twice is fine."""
        shutil.rmtree(self.path, ignore_errors=True)
        lock, self._lock = self._lock, -1
        if lock >= 0:
            os.close(lock)


@contextlib.contextmanager
def run_folder() -> Iterator[Path]:
    """Make a folder for a run, which goes at the end."""
    with contextlib.closing(RunFolder()) as folder:
        yield folder.path


def _made(place: Path) -> tuple[Path, int]:
    """Make a folder and lock it; another process may have found it unlocked, and removed it, in between."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=RUN, dir=place)).resolve()
        lock = _locked(folder)
        if lock is not None and folder.is_dir():
            return folder, lock
        if lock is not None:
            os.close(lock)


def _remove_unlocked(folder: Path) -> None:
    lock = _locked(folder)
    if lock is not None:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def _locked(folder: Path) -> int | None:
    """Return a lock on a folder; None if it is in use, another user's, or gone."""
    lock = None
    try:
        lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        if lock is not None:
            os.close(lock)
        return None
    return lock
