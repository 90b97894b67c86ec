"""Connections for a program that the kernel lets make none: the judge makes them, and hands them over.

`socket.connect` does that by itself from then on, so that whatever connects by Python's sockets need not know.
"""

from __future__ import annotations

import os
import socket
import threading
from typing import Any


def connect_through(judge: socket.socket) -> None:
    """Have `judge` make all connections to unix sockets from here on; it takes a path, and sends a descriptor."""
    by_itself = socket.socket.connect
    one_at_a_time = threading.Lock()

    def connect(self: socket.socket, address: Any) -> None:
        if self.family != socket.AF_UNIX:
            by_itself(self, address)
            return
        with one_at_a_time:
            judge.send(os.fsencode(address))
            answer, fds, _, _ = socket.recv_fds(judge, 16, 1)
        if not fds:
            number = int(answer)
            raise OSError(number, os.strerror(number))
        os.dup2(fds[0], self.fileno(), inheritable=False)
        os.close(fds[0])
        os.set_blocking(self.fileno(), self.gettimeout() is None)

    socket.socket.connect = connect  # type: ignore[assignment, method-assign] # that is the point
