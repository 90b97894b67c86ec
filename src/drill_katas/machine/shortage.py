"""Shortages of the judge's own: of file descriptors, threads, memory or disk. None of them is the learner's failure."""

from __future__ import annotations

import errno
import os
import resource
import sys
import tempfile
from typing import Final

from drill_katas.errors import UserError

ENOUGH_FILES: Final = 65_536  # open files that a judge asks for, where the hard limit allows so many
NO_MEMORY: Final = "the judge ran out of memory; end other programs, or grade fewer submissions at once (--jobs)"
NO_SPACE: Final = "no space is left in {folder}; free some, or set TMPDIR to another folder"
BY_ERRNO: Final[dict[int | None, str]] = {
    errno.EMFILE: "the judge ran out of file descriptors (limit {limit}); raise it with `ulimit -n 65536`",
    errno.ENFILE: "this machine ran out of file descriptors; end other programs, or raise fs.file-max",
    errno.ENOMEM: NO_MEMORY,
    errno.ENOSPC: NO_SPACE,
    errno.EDQUOT: NO_SPACE,
}
NO_THREAD: Final = "can't start new thread"  # what CPython's RuntimeError reads


def raise_file_limit() -> None:
    """Raise the soft limit on open files of this process, as far as the hard limit allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = ENOUGH_FILES if hard == resource.RLIM_INFINITY else min(hard, ENOUGH_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def require_proc() -> None:
    """Raise `UserError` on Linux without /proc, where neither memory nor processes of a SUT can be watched."""
    if sys.platform == "linux" and not os.path.exists("/proc/self/stat"):
        raise UserError("there is no /proc here, and no SUT can be watched; mount it: mount -t proc proc /proc")


def shortage(error: BaseException | None) -> str | None:
    """Return the resource that ran out in the judge when `error` was raised, with the remedy; None for other errors."""
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
