"""The judge's side of the zygotes, the prefork processes of the SUTs."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import drill_katas.sandbox
from drill_katas.judge.zygote_link import AlternatingLinks, ZygoteLink
from drill_katas.machine.shortage import require_proc
from drill_katas.sandbox.procfs import kill_strays
from drill_katas.sandbox.protocol import Preload, Rest, Rested
from drill_katas.sandbox.tier import PRACTICE, SandboxPolicy
from drill_katas.services.sql_nursery import NURSERY
from drill_katas.sut.wire import Channel, Closed, WireError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drill_katas.judge.dialer import Dialer
    from drill_katas.judge.process import Process
    from drill_katas.sandbox.protocol import Spawn

SCRIPT: Final = Path(drill_katas.sandbox.__file__).with_name("zygote.py")
ZYGOTES: Final = 2
REST_SECONDS: Final = 10.0


def import_path() -> list[str]:
    """Return the `sys.path` of SUTs: the judge's, without the working folder and PYTHONPATH.

    A folder of PYTHONPATH stays if it contains this package or an installed distribution, because it is a library then.
    """
    ours = str(Path(__file__).parents[2])
    named = {os.path.abspath(path) for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path}
    paths = [os.path.abspath(path) for path in sys.path if path not in {"", os.getcwd()}]
    return [path for path in paths if path not in named or path == ours or any(Path(path).glob("*.dist-info"))]


class ZygoteClient(ZygoteLink):
    """One prefork process; it starts at once, because its imports take a while."""

    def __init__(self, preload: Sequence[str], policy: SandboxPolicy = PRACTICE, hash_seed: int = 1) -> None:
        self._preload = list(preload)
        self._hash_seed = hash_seed
        self._mark = uuid.uuid4().hex  # in the environment of all that is forked from the process
        self._popen, control = self._start()
        super().__init__(control, policy)

    def _restart(self) -> None:
        self.close()
        self._mark = uuid.uuid4().hex
        self._popen, control = self._start()
        self.relink(control)

    def _start(self) -> tuple[subprocess.Popen[bytes], Channel]:
        ours, theirs = socket.socketpair()
        with theirs:
            popen = subprocess.Popen(
                [
                    sys.executable, "-P", "-s", "-B", "-X", "utf8", str(SCRIPT),
                    str(theirs.fileno()),
                    *import_path(),
                ],
                pass_fds=[theirs.fileno()],
                env={
                    "LANG": "C.UTF-8",
                    "PATH": os.defpath,
                    "KATA_ZYGOTE": self._mark,
                    "PYTHONHASHSEED": str(self._hash_seed),
                },
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )  # fmt: skip
        control = Channel(ours)
        control.send(Preload(self._preload))
        return popen, control

    def request(self, request: Spawn, dialer: Dialer | None, fds: Sequence[int] = ()) -> Process:
        """Send a request for a process, to a new zygote if this one was killed; see `ZygoteLink.request`."""
        if self._has_ended():
            self._restart()
        return super().request(request, dialer, fds)

    def _has_ended(self) -> bool:
        """Return whether the zygote ended; works in a fork of its parent process as well."""
        try:
            return not self._control.socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except ConnectionResetError:
            return True

    def rest(self) -> None:
        """End all SUTs that a fork of this process started, and drop their pending events.

        A zygote that does not answer is restarted.
        """
        mark, deadline = uuid.uuid4().hex, time.monotonic() + REST_SECONDS
        try:
            self._control.send(Rest(mark))
            while time.monotonic() < deadline:
                event = self.next_event(deadline - time.monotonic())
                if isinstance(event, Rested) and event.mark == mark:
                    return
        except (Closed, WireError):  # the zygote ended, or a fork read half of a message
            pass
        self._restart()

    @property
    def pids(self) -> list[int]:
        """The process id of the zygote."""
        return [self._popen.pid]

    def close(self) -> None:
        """End the zygote and all its SUTs."""
        super().close()
        try:
            self._popen.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        if self._popen.returncode:  # its guardian was killed, so its SUTs may still run
            kill_strays(self._popen.pid, self._mark)


class AlternatingZygotes(AlternatingLinks):
    """Two zygotes of this process. Raises `UserError` without /proc."""

    def __init__(self, preload: Sequence[str], policy: SandboxPolicy = PRACTICE) -> None:
        require_proc()
        if any(module.partition(".")[0] == "sqlalchemy" for module in preload):
            NURSERY.start()
        self._clients = [ZygoteClient(preload, policy, hash_seed=seed) for seed in range(1, ZYGOTES + 1)]
        super().__init__(self._clients)

    def get_ready(self) -> Self:
        """Wait until both zygotes are ready, because their start takes processor time from a concurrent run."""
        self.rest()
        return self

    def rest(self) -> None:
        """End all SUTs that a fork of this process started, and get ready for the next run."""
        for client in self._clients:
            client.rest()
