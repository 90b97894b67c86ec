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
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Final

from drill_katas.sandbox import namespaces

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_PATH: Final = 4096  # bytes


class Dialer:
    """Connects one SUT to unix sockets in `folder`, and to no others; `note_error` gets each error of a connection."""

    def __init__(self, folder: Path, note_error: Callable[[BaseException], None] = lambda _: None) -> None:
        self._folder = str(folder)
        self._note_error = note_error
        self._ours, self._theirs = socket.socketpair()  # the SUT waits for each answer, so requests need no frames
        threading.Thread(target=self._serve, daemon=True).start()

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
        try:
            while path := self._ours.recv(MOST_PATH):
                self._dial(os.fsdecode(path))
        except OSError:  # `close` was called, or the SUT is gone
            pass
        except BaseException as error:
            self._note_error(error)
            raise

    def _dial(self, path: str) -> None:
        """Send a connection to the SUT, or the errno that a connect of its own would have met."""
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as connection:
                self._connect(connection, path)
                socket.send_fds(self._ours, [b"0"], [connection.fileno()])
        except (OSError, ValueError) as error:  # ValueError: the path contains a NUL byte
            self._note_error(error)
            self._ours.send(str(getattr(error, "errno", None) or errno.EINVAL).encode())

    def _connect(self, connection: socket.socket, path: str) -> None:
        if os.path.dirname(path) != self._folder:
            raise PermissionError(errno.EACCES, "not a socket of the judge")
        connection.connect(path)


class ScratchDialer(Dialer):
    """Connects a process in a mount namespace of its own to sockets that it made in its scratch folder.

    It follows no symbolic link, because a link could lead to a socket of the host.
    """

    def __init__(self) -> None:
        super().__init__(Path(namespaces.SCRATCH))
        self.pid = 0  # of the process; its owner sets this

    def _connect(self, connection: socket.socket, path: str) -> None:
        top, *names = Path(path).parts
        if [top, *names[:1]] != [*Path(self._folder).parts] or os.pardir in names:
            raise PermissionError(errno.EACCES, "not a socket of this process")
        place = os.open(f"/proc/{self.pid}/root", os.O_PATH)
        try:
            for name in names:
                above, place = place, os.open(name, os.O_PATH | os.O_NOFOLLOW, dir_fd=place)
                os.close(above)  # now, because a path has up to 2,000 parts
            connection.connect(f"/proc/self/fd/{place}")
        finally:
            os.close(place)
