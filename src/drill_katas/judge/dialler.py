"""Connects a SUT that may make no connection itself: it asks for one, and gets it made. See `sut/dialling.py`.

No filter of system calls can tell where a connection leads, and unix sockets of whoever grades lie open to all programs
of that user: a session's bus, an agent with keys. So a SUT with these in sight connects to nothing.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pathlib import Path

MOST_PATH: Final = 4096  # bytes


class Dialler:
    """Serves one SUT: with connections to the unix sockets in a folder, and to none elsewhere."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self._ours, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        threading.Thread(target=self._serve, daemon=True).start()

    def detach(self) -> int:
        """Return the SUT's end, a file descriptor, which is the caller's from here on."""
        return self._theirs.detach()

    def close(self) -> None:
        """Serve no more."""
        with contextlib.suppress(OSError):
            self._ours.shutdown(socket.SHUT_RDWR)  # wakes who waits for a request
        self._ours.close()
        self._theirs.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while path := self._ours.recv(MOST_PATH):
                self._dial(os.fsdecode(path))

    def _dial(self, path: str) -> None:
        """Answer with a connection, or with the number of the error that a program's own try would have met."""
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
            try:
                if os.path.dirname(path) != self._folder:
                    raise PermissionError(errno.EACCES, "not one of the judge's")
                connection.connect(path)
            except (OSError, ValueError) as error:  # the latter for a path with a NUL byte in it
                self._ours.send(str(getattr(error, "errno", None) or errno.EINVAL).encode())
            else:
                socket.send_fds(self._ours, [b"0"], [connection.fileno()])
