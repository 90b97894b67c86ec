"""The judge's side of the zygotes, the warm processes that SUTs are forked from."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import subprocess
import sys
import time
import uuid
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import drill_katas.sandbox
from drill_katas.judge.dialler import Dialler
from drill_katas.judge.process import Process
from drill_katas.machine.shortage import require_proc
from drill_katas.sandbox.procfs import end_strays
from drill_katas.sandbox.protocol import EVENTS, Kill, Preload, Rest, Rested, Spawn, Spawned, Unavailable
from drill_katas.sandbox.tier import PRACTICE, SandboxPolicy, SandboxUnavailable, Tier
from drill_katas.services.kept import KeptChannel
from drill_katas.services.sql_nursery import NURSERY
from drill_katas.sut.wire import Channel, Closed, WireError, encode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drill_katas.catalog.katas import Limits
    from drill_katas.judge.program import Program
    from drill_katas.sandbox.protocol import Why, ZygoteEvent

SCRIPT: Final = Path(drill_katas.sandbox.__file__).with_name("zygote.py")
HOSTS: Final = 2
REST_SECONDS: Final = 10.0
SPAWN_SECONDS: Final = 20.0  # a first spawn waits for the zygote's own imports, on a busy machine too


def import_path() -> list[str]:
    """Return the folders that SUTs import from: the judge's, without the working folder and PYTHONPATH.

    A folder of PYTHONPATH stays if distributions are installed in it, or this package is: it is a library then.
    """
    ours = str(Path(__file__).parents[2])
    named = {os.path.abspath(path) for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path}
    paths = [os.path.abspath(path) for path in sys.path if path not in {"", os.getcwd()}]
    return [path for path in paths if path not in named or path == ours or any(Path(path).glob("*.dist-info"))]


class ZygoteClient:
    """The warm process that SUTs are forked from; start it early, its imports take a while."""

    def __init__(self, preload: Sequence[str], policy: SandboxPolicy = PRACTICE, hash_seed: int = 1) -> None:
        self._preload = list(preload)
        self._policy = policy
        self._hash_seed = hash_seed
        self._start()

    def _start(self) -> None:
        self._mark = uuid.uuid4().hex
        ours, theirs = socket.socketpair()
        with theirs:
            self._popen = subprocess.Popen(
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
        self._control = Channel(ours)
        self._control.send(Preload(self._preload))

    def spawn(self, program: Program, limits: Limits, sockets: Path) -> Process:
        """Fork a SUT; any earlier one is ended first. A zygote that has been killed is replaced.

        In the folder `sockets` it finds the judge. Raises `SandboxUnavailable` when it cannot be held as it is to be.
        """
        if self._has_ended():
            self.close()
            self._start()
        calls, their_calls = socket.socketpair()
        output, their_output = os.pipe()
        stacks, their_stacks = os.pipe()
        request = Spawn(
            package=program.package,
            modules=list(program.modules),
            overlay=str(program.overlay),
            sockets=str(sockets),
            memory_mib=limits.memory_mib,
            processes=limits.processes,
            tier=self._policy.tier,
            hidden=list(self._policy.hidden),
        )
        theirs = [their_calls.detach(), their_output, their_stacks]
        dialler = Dialler(sockets) if self._policy.tier is Tier.REDUCED else None
        if dialler:
            theirs.append(dialler.detach())
        try:
            socket.send_fds(self._control.socket, [encode(request) + b"\n"], theirs)
            pid = self._await_spawn()
        finally:
            for fd in theirs:
                os.close(fd)
        return Process(pid, self, KeptChannel(calls), output, stacks, dialler)

    def _has_ended(self) -> bool:
        """Whether it has, as seen from this process, be it a fork of the one that started it."""
        try:
            return not self._control.socket.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except ConnectionResetError:
            return True

    def rest(self) -> None:
        """End what a fork of this process has had started here, and drop what was to be heard of that.

        A zygote that does not answer is replaced.
        """
        mark, deadline = uuid.uuid4().hex, time.monotonic() + REST_SECONDS
        try:
            self._control.send(Rest(mark))
            while time.monotonic() < deadline:
                event = self.hear(deadline - time.monotonic())
                if isinstance(event, Rested) and event.mark == mark:
                    return
        except (Closed, WireError):  # it has ended, or a fork has read half of a message
            pass
        self.close()
        self._start()

    @property
    def pid(self) -> int:
        """The id of its process."""
        return self._popen.pid

    def kill(self, pid: int, why: Why) -> None:
        """Ask for a SUT's end; any thread may. Its end is told like any other."""
        with contextlib.suppress(Closed, OSError):
            self._control.send(Kill(pid, why))

    def hear(self, timeout: float) -> ZygoteEvent | None:
        """Return the zygote's next event, or None. Raises `Closed` when the zygote is gone."""
        return self._control.receive(timeout, EVENTS)

    def fileno(self) -> int:
        """Return the control socket's descriptor, to select on."""
        return self._control.socket.fileno()

    def close(self) -> None:
        """End the zygote and all that was forked from it."""
        self._control.close()
        try:
            self._popen.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        if self._popen.returncode:  # its guardian was killed
            end_strays(self._popen.pid, self._mark)

    def _await_spawn(self) -> int:
        deadline = time.monotonic() + SPAWN_SECONDS
        while time.monotonic() < deadline:
            match self.hear(deadline - time.monotonic()):
                case Spawned(pid=pid):
                    return pid
                case Unavailable(why=why):
                    raise SandboxUnavailable(self._policy.tier, why)
        raise TimeoutError(f"the zygote did not fork a SUT within {SPAWN_SECONDS:.0f} s")


class AlternatingZygotes:
    """Starts each SUT on the other host than the one before: from a zygote of its own.

    What is forked from one process has one seed for `hash()` of strings. After a restart in production it is another
    one, and a program that has stored such a hash must fail here as it would there. Each host has one of its own that
    is always the same, and so is the verdict. Raises `UserError` where no SUT can be watched.
    """

    def __init__(self, preload: Sequence[str], policy: SandboxPolicy = PRACTICE) -> None:
        require_proc()
        if any(module.partition(".")[0] == "sqlalchemy" for module in preload):
            NURSERY.start()
        self._preload = preload
        self._policy = policy
        self._seeds = itertools.count(1)
        self._zygotes = deque(self._zygote() for _ in range(HOSTS))

    def spawn(self, program: Program, limits: Limits, sockets: Path) -> Process:
        """Start a SUT, which finds the judge in the folder `sockets`; the one before has to be ended."""
        process = self._zygotes[0].spawn(program, limits, sockets)
        self._zygotes.rotate()
        return process

    def get_ready(self) -> Self:
        """Wait until both hosts are ready: a start takes processor time from what runs beside it."""
        self.rest()
        return self

    @property
    def pids(self) -> list[int]:
        """The processes that programs are forked from."""
        return [zygote.pid for zygote in self._zygotes]

    @property
    def families(self) -> list[int]:
        """The processes whose work, and that of all below them, is the judge's own; one may still start up."""
        return [*self.pids, *NURSERY.pids]

    def rest(self) -> None:
        """End what a run in a fork of this process has left; then be ready for another one's programs."""
        for zygote in self._zygotes:
            zygote.rest()

    def close(self) -> None:
        """End all that runs."""
        for zygote in self._zygotes:
            zygote.close()

    def _zygote(self) -> ZygoteClient:
        return ZygoteClient(self._preload, self._policy, hash_seed=next(self._seeds))
