"""Makes a costly object only once for all workers of pytest-xdist."""

from __future__ import annotations

import fcntl
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

READY: Final = b"ready"


class SharedFolder:
    """A folder for one test session; the first worker that needs an object makes it there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def make(self, name: str, make: Callable[[Path], object]) -> Path:
        """Return the folder `name` after `make` has filled it once. After a failure, the next caller tries again."""
        folder = self.folder / name
        with (self.folder / f"{name}.lock").open("a+b") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not _is_ready(lock.fileno()):
                folder.mkdir(exist_ok=True)
                make(folder)
                lock.write(READY)
        return folder

    def make_all(self, jobs: Mapping[str, Callable[[], object]]) -> None:
        """Do each job once: those that no other worker does right now first, and then wait for the others."""
        later = [name for name, job in jobs.items() if not self._try(name, job)]
        for name in later:
            self.make(name, _without_folder(jobs[name]))

    def _try(self, name: str, job: Callable[[], object]) -> bool:
        """Do a job, unless another worker does it right now; return whether it is done."""
        with (self.folder / f"{name}.lock").open("a+b") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            if not _is_ready(lock.fileno()):
                job()
                lock.write(READY)
            return True


def _without_folder(job: Callable[[], object]) -> Callable[[Path], object]:
    return lambda _: job()


def _is_ready(lock: int) -> bool:
    return bool(Path(f"/proc/self/fd/{lock}").stat().st_size)
