"""Resources that run out in the judge: file descriptors, threads, memory, disk. They never fail a submission."""

from __future__ import annotations

import errno
import os
import resource
import sys
import tempfile
from typing import Final

from drill_katas.errors import UserError

ENOUGH_FILES: Final = 65_536  # open files that the judge requests, up to the hard limit
NO_MEMORY: Final = "the judge ran out of memory; end other programs, or grade fewer submissions at once (--jobs)"
NO_SPACE: Final = "no space is left in {folder}; free some space, or set TMPDIR to another folder"
BY_ERRNO: Final[dict[int | None, str]] = {
    errno.EMFILE: "the judge ran out of file descriptors (limit {limit}); raise it with `ulimit -n 65536`",
    errno.ENFILE: "this machine ran out of file descriptors; end other programs, or raise fs.file-max",
    errno.ENOMEM: NO_MEMORY,
    errno.ENOSPC: NO_SPACE,
    errno.EDQUOT: NO_SPACE,
}
NO_THREAD: Final = "can't start new thread"  # the message of CPython's RuntimeError


def raise_file_limit() -> None:
    """Raise this process's soft limit on open files to `ENOUGH_FILES`, or to the hard limit if that is lower."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = ENOUGH_FILES if hard == resource.RLIM_INFINITY else min(hard, ENOUGH_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def require_proc() -> None:
    """Raise `UserError` on Linux without /proc, because the limits on a SUT's memory and processes need it."""
    if sys.platform == "linux" and not os.path.exists("/proc/self/stat"):
        raise UserError("/proc is not mounted, and the limits of a SUT need it; run: mount -t proc proc /proc")


def shortage(error: BaseException | None) -> str | None:
    """Return a clause that names the resource that ran out and the remedy; None if `error` has another cause."""
    while error is not None:
        if culprit := _shortage(error):
            return culprit
        error = error.__cause__ or error.__context__
    return None


def _shortage(error: BaseException) -> str:
    if isinstance(error, MemoryError):
        return NO_MEMORY
    if isinstance(error, RuntimeError) and NO_THREAD in str(error):
        return "the judge could not start a thread; raise the limit on processes with `ulimit -u`"
    return BY_ERRNO.get(getattr(error, "errno", None), "").format(
        limit=resource.getrlimit(resource.RLIMIT_NOFILE)[0], folder=tempfile.gettempdir()
    )
