"""The nursery, the prefork process of SQL servers: it has imported their modules, and has no threads.

Run as a script: `python -P -s nursery.py CONTROL_FD PATH...`.

- The judge sends one byte with four file descriptors: the listening socket for the SUT, the server's ends of the
  control channel and of the steps channel, and the shared page.
- The nursery passes them to a server that it forked earlier, because a fork takes too long for a check.
- When a server exits, the nursery writes `{"exited": wait status}` to its control channel and closes it.
- When the judge is gone, the nursery kills the servers and exits.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import socket
import sys
from typing import TYPE_CHECKING, Final, NoReturn

if __name__ == "__main__":
    sys.path[:] = sys.argv[2:]  # the judge's `sys.path`

import msgspec

from drill_katas.sql.protocol import ControlReply
from drill_katas.sql.server import Server
from drill_katas.sql.shared import Shared
from drill_katas.sql.sqlite_limits import bound_process, connect
from drill_katas.sut.wire import Channel, poll_for

if TYPE_CHECKING:
    from collections.abc import Sequence

FDS_PER_REQUEST: Final = 4  # file descriptors


class Nursery:
    """The main loop of the nursery process."""

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._servers: dict[int, socket.socket] = {}  # process id -> its end of the control channel
        self._alarm, self._wake = os.pipe()
        for fd in (self._alarm, self._wake):
            os.set_blocking(fd, False)
        signal.set_wakeup_fd(self._wake)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._spare = self._fork()

    def run(self) -> None:
        """Fork servers until the judge closes the control socket."""
        poll = poll_for(self._control, self._alarm)
        try:
            while True:
                ready = {fd for fd, _ in poll.poll()}
                if self._alarm in ready:
                    with contextlib.suppress(BlockingIOError):
                        os.read(self._alarm, 4096)
                    self._reap()
                if self._control.fileno() in ready and not self._take():
                    return
        finally:
            for pid in (*self._servers, self._spare[0]):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def _take(self) -> bool:
        """Pass a request to the spare server and fork a new spare; return False if the judge is gone."""
        try:
            data, fds, _, _ = socket.recv_fds(self._control, 1, FDS_PER_REQUEST)
        except ConnectionResetError:
            return False
        if not data:
            return False
        if len(fds) == FDS_PER_REQUEST and not self._promote(fds):
            self._spare = self._fork()  # because the spare server was killed
            self._promote(fds)
        for fd in fds:
            os.close(fd)
        self._spare = self._fork()
        return True

    def _promote(self, fds: Sequence[int]) -> bool:
        """Send the file descriptors to the spare server; return False if it was killed."""
        pid, link = self._spare
        with link:
            try:
                socket.send_fds(link, [b"\n"], fds)
            except BrokenPipeError:
                return False
        self._servers[pid] = socket.socket(fileno=os.dup(fds[1]))
        return True

    def _fork(self) -> tuple[int, socket.socket]:
        """Fork a spare server; return its process id and the socket on which it waits for file descriptors."""
        ours, theirs = socket.socketpair()
        pid = os.fork()
        if pid == 0:
            ours.close()
            self._become_server(theirs)
        theirs.close()
        return pid, ours

    def _become_server(self, link: socket.socket) -> NoReturn:
        try:
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            for mine in (self._control, *self._servers.values()):
                mine.close()
            os.close(self._alarm)
            os.close(self._wake)
            bound_process()
            _, fds, _, _ = socket.recv_fds(link, 1, FDS_PER_REQUEST)
            if not fds:  # the nursery is gone
                os._exit(0)
            link.close()
            listener, control, steps = (socket.socket(fileno=fd) for fd in fds[:3])
            Server(listener, Channel(control), Channel(steps), Shared(fds[3])).run()
        finally:
            os._exit(1)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            control = self._servers.pop(pid, None)
            if control is not None:
                with contextlib.suppress(OSError), control:
                    control.send(msgspec.json.encode(ControlReply(exited=status)) + b"\n")


def main() -> None:
    """Start the nursery on the control socket from the judge."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # because the judge handles Ctrl-C and then closes the socket
    with contextlib.closing(connect(":memory:")) as warm_up:
        warm_up.execute("SELECT 1").fetchall()
    gc.collect()
    gc.freeze()
    Nursery(socket.socket(fileno=int(sys.argv[1]))).run()


if __name__ == "__main__":
    main()
