"""The program that tries to escape the sandbox. It runs as a SUT, so it imports nothing of drill_katas."""

from __future__ import annotations

import _socket  # its sockets connect without the `socket` module
import contextlib
import ctypes
import hashlib
import json
import os
import socket
import sys
import sysconfig
from pathlib import Path
from socket import AF_UNIX, SOCK_DGRAM
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

NEWUSER = 0x10000000
SUFFIXES = (".py", ".patch", ".toml")
SYSTEM = ("/usr", "/lib", "/lib64")
NO_FILES = {"/proc", "/sys", "/dev"}


def copies_below(roots: Iterable[str], known: Mapping[int, Mapping[str, str]]) -> list[tuple[str, str]]:
    """Return the files below `roots` with the bytes of a known file, as pairs of path and kata name.

    `known` maps a size to a map from the hexadecimal SHA-256 of a file to the name of its kata. Only Python modules,
    patches, and TOML files are compared. Links are not followed.
    """
    found: dict[str, str] = {}
    left, seen = [os.path.realpath(root) for root in roots], {_identity(folder) for folder in NO_FILES}
    while left:
        folder = left.pop()
        identity = _identity(folder)
        if identity in seen:
            continue
        seen.add(identity)
        with contextlib.suppress(OSError), os.scandir(folder) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    left.append(entry.path)
                elif entry.name.endswith(SUFFIXES) and entry.is_file(follow_symlinks=False):
                    found |= _known(entry, known)
    return sorted(found.items())


def _identity(folder: str) -> object:
    """Return device and inode of a folder, which are equal under every mount and name; its path if it has none."""
    with contextlib.suppress(OSError):
        status = Path(folder).stat()
        return status.st_dev, status.st_ino
    return folder


def _known(entry: os.DirEntry[str], known: Mapping[int, Mapping[str, str]]) -> dict[str, str]:
    """Return the path of a file and the kata it belongs to; {} if its bytes are unknown or not readable."""
    with contextlib.suppress(OSError):
        same = known.get(entry.stat(follow_symlinks=False).st_size)
        if same:
            kata = same.get(hashlib.sha256(Path(entry.path).read_bytes()).hexdigest())
            return {entry.path: kata} if kata else {}
    return {}


class Prober:
    """Tries actions that the sandbox must prevent."""

    def __init__(self, folder: str, hidden: list[str], port: int, abstract: str, judge: int) -> None:
        secret, door, box, self._target = (f"{folder}/{name}" for name in ("secret", "door", "box", "target"))
        self._tries = {
            "read a file of the judge": lambda: Path(secret).read_text(encoding="utf-8"),
            "read hidden files": lambda: [Path(path).read_bytes() for path in hidden],
            "connect to a port": lambda: socket.create_connection(("127.0.0.1", port), 1),
            "connect to an abstract socket": lambda: _socket.socket(AF_UNIX).connect(f"\0{abstract}"),
            "connect to a socket of its user": lambda: _socket.socket(AF_UNIX).connect(door),
            "send to a socket of its user": lambda: _socket.socket(AF_UNIX, SOCK_DGRAM).sendto(b"", box),
            "truncate a file": lambda: os.truncate(secret, 0),
            "change a file's mode": lambda: Path(secret).chmod(0o600),
            "change a file's times": lambda: os.utime(secret),
            "signal the judge": lambda: os.kill(judge, 0),
            "read the judge's environment": lambda: Path(f"/proc/{judge}/environ").read_bytes(),
            "leave its namespaces": self._unshare,
        }

    def possible(self) -> list[str]:
        """Try every action, and return the names of those that worked."""
        found = []
        for name, attempt in self._tries.items():
            with contextlib.suppress(OSError):
                attempt()
                found.append(name)
        return found

    @staticmethod
    def copies(folders: list[str] | None = None) -> list[list[str]]:
        """Return readable files with the bytes of a file listed in `known.json`, which is beside this module.

        Searches `folders`; None means all folders that Python and the system use.
        """
        everywhere = ["/", *SYSTEM, *filter(None, (sysconfig.get_config_var("LIBDIR"), *sys.path))]
        roots = everywhere if folders is None else folders
        secrets = json.loads(Path(__file__).with_name("known.json").read_bytes())
        found = copies_below(roots, {int(size): known for size, known in secrets.items()})
        return [list(each) for each in found]

    def write(self) -> None:
        """Try to write to a file of the host; the judge then checks whether the file has changed."""
        with contextlib.suppress(OSError):
            Path(self._target).write_text("written", encoding="utf-8")

    def _unshare(self) -> None:
        if ctypes.CDLL(None).unshare(NEWUSER):
            raise PermissionError
