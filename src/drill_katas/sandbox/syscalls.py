"""System calls that Python has no function for, on Linux."""

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
    """Make a system call, and return its result. Raises `OSError` that names `what` was called."""
    if LIBC is None:
        raise OSError(f"{what}: there is no Linux here")
    result = int(LIBC.syscall(ctypes.c_long(number), *map(_wide, args)))
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"{what}: {os.strerror(code)}")
    return result


def prctl(option: int, *arguments: object) -> None:
    """Set an attribute of this process: https://man7.org/linux/man-pages/man2/prctl.2.html. Raises `OSError`."""
    if LIBC is None:
        raise OSError("prctl: there is no Linux here")
    if LIBC.prctl(option, *map(_wide, (*arguments, 0, 0, 0, 0)[:4])) < 0:
        code = ctypes.get_errno()
        raise OSError(code, f"prctl {option}: {os.strerror(code)}")


def number_here(numbers: Mapping[str, int], what: str) -> int:
    """Return the number that a system call has on this machine. Raises `OSError` on one that is not known."""
    if MACHINE not in numbers:
        raise OSError(f"{what}: its number on {MACHINE} is not known")
    return numbers[MACHINE]


def _wide(arg: object) -> object:
    """Pass whole numbers as registers, which are wider than C's int."""
    return ctypes.c_long(arg) if isinstance(arg, int) else arg
