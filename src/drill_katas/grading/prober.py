"""What a SUT is asked to try, to see how well it is held. It runs as one, so that it imports nothing of ours."""

from __future__ import annotations

import _socket  # whose sockets connect by themselves
import contextlib
import ctypes
import os
import socket
from pathlib import Path
from socket import AF_UNIX, SOCK_DGRAM

NEWUSER = 0x10000000


class Prober:
    """Tries what a SUT must not be able to do."""

    def __init__(self, folder: str, hidden: list[str], port: int, abstract: str, judge: int) -> None:
        secret, door, box, self._target = (f"{folder}/{name}" for name in ("secret", "door", "box", "target"))
        self._tries = {
            "read a file of the judge's": lambda: Path(secret).read_text(encoding="utf-8"),
            "look at hidden files": lambda: [Path(path).read_bytes() for path in hidden],
            "connect to a port": lambda: socket.create_connection(("127.0.0.1", port), 1),
            "connect to an abstract socket": lambda: _socket.socket(AF_UNIX).connect(f"\0{abstract}"),
            "connect to a socket of its user's": lambda: _socket.socket(AF_UNIX).connect(door),
            "send to a socket of its user's": lambda: _socket.socket(AF_UNIX, SOCK_DGRAM).sendto(b"", box),
            "shorten a file": lambda: os.truncate(secret, 0),
            "change a file's mode": lambda: Path(secret).chmod(0o600),
            "change a file's times": lambda: os.utime(secret),
            "signal the judge": lambda: os.kill(judge, 0),
            "look into the judge": lambda: Path(f"/proc/{judge}/environ").read_bytes(),
            "leave its namespaces": self._unshare,
        }

    def possible(self) -> list[str]:
        """Try everything, and return what went well."""
        found = []
        for name, attempt in self._tries.items():
            with contextlib.suppress(OSError):
                attempt()
                found.append(name)
        return found

    def write(self) -> None:
        """Try to write to a file; whether it is the host's is to be seen there."""
        with contextlib.suppress(OSError):
            Path(self._target).write_text("written", encoding="utf-8")

    def _unshare(self) -> None:
        if ctypes.CDLL(None).unshare(NEWUSER):
            raise PermissionError
