"""Makes the connections of a SUT that may not call `connect` itself. See `sut/dialing.py`.

A seccomp filter cannot see which socket a connection leads to. Every program of the grader's user can reach that user's
unix sockets, such as the session bus or the SSH agent, and even in a mount namespace of its own it can reach sockets in
the folders that it may read. So a SUT makes no connection itself, but asks the judge to connect.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from drill_katas.services.broker import Services

MOST_PATH: Final = 4096  # bytes


class Dialer:
    """Connects one SUT to unix sockets in the folder of `services`, and to no others."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._ours, self._theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        services.background(self._serve)

    def detach(self) -> int:
        """Return the file descriptor of the SUT's end; the caller now owns it."""
        return self._theirs.detach()

    def close(self) -> None:
        """Stop serving."""
        with contextlib.suppress(OSError):
            self._ours.shutdown(socket.SHUT_RDWR)  # wakes the thread, which waits for a request
        self._ours.close()
        self._theirs.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while path := self._ours.recv(MOST_PATH):
                self._dial(os.fsdecode(path))

    def _dial(self, path: str) -> None:
        """Send a connection to the SUT, or the errno that a connect of its own would have met."""
        try:
            if os.path.dirname(path) != str(self._services.folder):
                raise PermissionError(errno.EACCES, "not a socket of the judge")
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                connection.connect(path)
                socket.send_fds(self._ours, [b"0"], [connection.fileno()])
        except (OSError, ValueError) as error:  # ValueError: the path contains a NUL byte
            self._services.note_error(error)
            self._ours.send(str(getattr(error, "errno", None) or errno.EINVAL).encode())
