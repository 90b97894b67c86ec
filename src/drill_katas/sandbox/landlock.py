"""Restricts a SUT's file access with Landlock.

https://docs.kernel.org/userspace-api/landlock.html
"""

from __future__ import annotations

import contextlib
import os
import stat
import struct
from typing import TYPE_CHECKING, Final

from drill_katas.sandbox.syscalls import call

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

CREATE_RULESET, ADD_RULE, RESTRICT_SELF = 444, 445, 446  # the same numbers on every architecture
VERSION, PATH_BENEATH = 1, 1
EXECUTE, WRITE_FILE, READ_FILE, READ_DIR, TRUNCATE = 1 << 0, 1 << 1, 1 << 2, 1 << 3, 1 << 14
OF_FILES: Final = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | 1 << 15  # the last: IOCTL_DEV
READ: Final = EXECUTE | READ_FILE | READ_DIR
WRITE: Final = (1 << 16) - 1  # all rights
BITS: Final = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}  # number of file rights by Landlock version
NETWORK: Final = 0b11  # TCP bind and connect; since version 4
SCOPES: Final = 0b11  # abstract unix sockets, and signals to processes outside; since version 6
Rule = tuple[str, int]
"""A path, and the rights on it and on everything below it."""


def version() -> int:
    """Return the kernel's Landlock version. Raises `OSError` without Landlock."""
    return call("landlock", CREATE_RULESET, 0, 0, VERSION)


def confine(rules: Iterable[Rule]) -> None:
    """Restrict this process and its children to these rules, for good. Raises `OSError`.

    Missing paths are ignored. The process must have set PR_SET_NO_NEW_PRIVS.
    """
    known = version()
    everything = (1 << BITS.get(known, 16)) - 1
    attributes = struct.pack("=3Q", everything, NETWORK * (known >= 4), SCOPES * (known >= 6))  # noqa: PLR2004 - versions
    ruleset = call("landlock", CREATE_RULESET, attributes, 8 if known < 4 else 16 if known < 6 else 24, 0)  # noqa: PLR2004
    for path, rights in rules:
        _allow(ruleset, path, rights & everything)
    call("landlock", RESTRICT_SELF, ruleset, 0)
    os.close(ruleset)


def _allow(ruleset: int, path: str, rights: int) -> None:
    with contextlib.suppress(FileNotFoundError, NotADirectoryError):
        file = os.open(path, os.O_PATH | os.O_CLOEXEC)
        if not stat.S_ISDIR(os.fstat(file).st_mode):
            rights &= OF_FILES
        call("landlock", ADD_RULE, ruleset, PATH_BENEATH, struct.pack("=Qi", rights, file), 0)
        os.close(file)


def readable(paths: Iterable[str], hidden: Sequence[str]) -> Iterator[Rule]:
    """Yield the rules that allow reading these paths without the hidden ones in them.

    A Landlock rule for a folder covers everything in it, and no rule takes a right away. So a folder with a hidden path
    gets a rule for its names only, and each other entry of it gets a rule of its own.
    """
    for path in map(os.path.realpath, paths):
        if path in hidden:
            continue
        if any(each.startswith(f"{path.rstrip('/')}/") for each in hidden):
            yield path, READ_DIR
            yield from readable([entry.path for entry in os.scandir(path) if not entry.is_symlink()], hidden)
        else:
            yield path, READ
