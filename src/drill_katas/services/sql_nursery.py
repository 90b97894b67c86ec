"""The judge's side of the nursery, the prefork process of SQL servers; each judge has one."""

from __future__ import annotations

import atexit
import contextlib
import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import drill_katas.sql

if TYPE_CHECKING:
    from collections.abc import Sequence

SCRIPT = Path(drill_katas.sql.__file__).with_name("nursery.py")
END_SECONDS = 5.0


class Nursery:
    """The prefork process; the first use starts it, and a killed one is restarted. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._control: socket.socket | None = None
        self._popen: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the process if it does not run; call this early, because its imports take a while."""
        with self._lock:
            if self._control is None:
                self._start()

    @property
    def pids(self) -> list[int]:
        """Its process id if it runs, as a list of at most one element."""
        return [self._popen.pid] if self._popen is not None else []

    def hand(self, fds: Sequence[int]) -> None:
        """Fork a server with copies of these file descriptors; see `drill_katas.sql.nursery`."""
        with self._lock:
            for _ in range(2):
                if self._control is None:
                    self._start()
                assert self._control is not None
                try:
                    socket.send_fds(self._control, [b"\n"], fds)
                except (BrokenPipeError, ConnectionResetError):
                    self._drop()
                else:
                    return
            raise OSError("the prefork process of the SQL servers exits at once")

    def close(self) -> None:
        """End the process and all its servers."""
        with self._lock:
            self._drop()

    def _start(self) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._popen = subprocess.Popen(
                [
                    sys.executable, "-P", "-S", "-s", "-B", "-X", "utf8", str(SCRIPT),
                    str(theirs.fileno()),
                    *(os.path.abspath(path) for path in sys.path if path not in {"", os.getcwd()}),
                ],
                pass_fds=[theirs.fileno()],
                env={"LANG": "C.UTF-8", "PATH": os.defpath, "MALLOC_ARENA_MAX": "2"},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                start_new_session=True,
            )  # fmt: skip
        self._control = ours

    def _drop(self) -> None:
        if self._control is not None:
            self._control.close()
        if self._popen is not None:
            with contextlib.suppress(subprocess.TimeoutExpired, ChildProcessError):
                self._popen.wait(timeout=END_SECONDS)
        self._control = self._popen = None


NURSERY = Nursery()
atexit.register(NURSERY.close)
