"""Linux system calls without a function in Python."""

from __future__ import annotations

import ctypes
import os
import platform
import sys
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER, PR_SET_NO_NEW_PRIVS = 1, 36, 38
MACHINE: Final = platform.machine()
LIBC: Final = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def call(what: str, number: int, *args: object) -> int:
    """Make a system call and return its result. Raises `OSError` with `what` in its message."""
    if LIBC is None:
        raise OSError(f"{what}: this system is not Linux")
    result = int(LIBC.syscall(ctypes.c_long(number), *map(_wide, args)))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
    return result


def prctl(option: int, *arguments: object) -> None:
    """Set an attribute of this process: https://man7.org/linux/man-pages/man2/prctl.2.html. Raises `OSError`."""
    if LIBC is None:
        raise OSError("prctl: this system is not Linux")
    if LIBC.prctl(option, *map(_wide, (*arguments, 0, 0, 0, 0)[:4])) < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"prctl {option}: {os.strerror(code)}")


def number_here(numbers: Mapping[str, int], what: str) -> int:
    """Return the number of a system call on this architecture. Raises `OSError` if it is unknown."""
    if MACHINE not in numbers:
        raise OSError(f"{what}: the number of this system call on {MACHINE} is unknown")
    return numbers[MACHINE]


def _wide(arg: object) -> object:
    """Convert integers to C's long, because registers are wider than C's int."""
    return ctypes.c_long(arg) if isinstance(arg, int) else arg
