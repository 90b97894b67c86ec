"""The judge's side of the zygotes, the prefork processes of the SUTs."""

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
from drill_katas.judge.dialer import Dialer
from drill_katas.judge.process import Process
from drill_katas.machine.shortage import require_proc
from drill_katas.sandbox.procfs import kill_strays
from drill_katas.sandbox.protocol import EVENTS, Kill, Preload, Rest, Rested, Spawn, Spawned, Unavailable
from drill_katas.sandbox.tier import PRACTICE, SandboxPolicy, SandboxUnavailable, Tier
from drill_katas.services.retained import CountedChannel
from drill_katas.services.sql_nursery import NURSERY
from drill_katas.sut.wire import Channel, Closed, WireError, encode

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drill_katas.catalog.katas import Limits
    from drill_katas.judge.program import Program
    from drill_katas.sandbox.protocol import Why, ZygoteEvent
    from drill_katas.services.broker import Services

SCRIPT: Final = Path(drill_katas.sandbox.__file__).with_name("zygote.py")
ZYGOTES: Final = 2
REST_SECONDS: Final = 10.0
SPAWN_SECONDS: Final = 20.0  # long, because the first spawn waits for the zygote's imports, even on a busy machine


def import_path() -> list[str]:
    """Return the `sys.path` of SUTs: the judge's, without the working folder and PYTHONPATH.

    A folder of PYTHONPATH stays if it contains this package or an installed distribution, because it is a library then.
    """
    ours = str(Path(__file__).parents[2])
    named = {os.path.abspath(path) for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path}
    paths = [os.path.abspath(path) for path in sys.path if path not in {"", os.getcwd()}]
    return [path for path in paths if path not in named or path == ours or any(Path(path).glob("*.dist-info"))]


class ZygoteClient:
    """One prefork process; it starts at once, because its imports take a while."""

    def __init__(self, preload: Sequence[str], policy: SandboxPolicy = PRACTICE, hash_seed: int = 1) -> None:
        self._preload = list(preload)
        self._policy = policy
        self._hash_seed = hash_seed
        self._mark = uuid.uuid4().hex  # in the environment of all that is forked from the process
        self._popen, self._control = self._start()

    def _restart(self) -> None:
        self.close()
        self._mark = uuid.uuid4().hex
        self._popen, self._control = self._start()

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

    def spawn(self, program: Program, limits: Limits, services: Services) -> Process:
        """Fork a SUT, which can connect to `services`. End the earlier SUT first.

        Restarts a killed zygote. Raises `SandboxUnavailable` if the policy's sandbox tier is not available.
        """
        if self._has_ended():
            self._restart()
        calls, their_calls = socket.socketpair()
        output, their_output = os.pipe()
        stacks, their_stacks = os.pipe()
        request = Spawn(
            package=program.package,
            modules=list(program.modules),
            overlay=str(program.overlay),
            memory_mib=limits.memory_mib,
            processes=limits.processes,
            tier=self._policy.tier,
            hidden=list(self._policy.hidden),
        )
        theirs = [their_calls.detach(), their_output, their_stacks]
        dialer = None if self._policy.tier is Tier.PRACTICE else Dialer(services)
        if dialer:
            theirs.append(dialer.detach())
        try:
            socket.send_fds(self._control.socket, [encode(request) + b"\n"], theirs)
            pid = self._await_spawn()
        finally:
            for fd in theirs:
                os.close(fd)
        return Process(pid, self, CountedChannel(calls), output, stacks, dialer)

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
    def pid(self) -> int:
        """The process id of the zygote."""
        return self._popen.pid

    def kill(self, pid: int, why: Why) -> None:
        """Ask the zygote to kill a SUT; an `Exited` event follows. Thread-safe."""
        with contextlib.suppress(Closed, OSError):
            self._control.send(Kill(pid, why))

    def next_event(self, timeout: float) -> ZygoteEvent | None:
        """Return the zygote's next event, or None after `timeout` seconds. Raises `Closed` if the zygote ended."""
        return self._control.receive(timeout, EVENTS)

    def fileno(self) -> int:
        """Return the control socket's descriptor, for `poll`."""
        return self._control.socket.fileno()

    def close(self) -> None:
        """End the zygote and all its SUTs."""
        self._control.close()
        try:
            self._popen.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self._popen.kill()
            self._popen.wait()
        if self._popen.returncode:  # its guardian was killed, so its SUTs may still run
            kill_strays(self._popen.pid, self._mark)

    def _await_spawn(self) -> int:
        deadline = time.monotonic() + SPAWN_SECONDS
        while time.monotonic() < deadline:
            match self.next_event(deadline - time.monotonic()):
                case Spawned(pid=pid):
                    return pid
                case Unavailable(why=why):
                    raise SandboxUnavailable(self._policy.tier, why)
        raise TimeoutError(f"the zygote did not fork a SUT within {SPAWN_SECONDS:.0f} s")


class AlternatingZygotes:
    """Starts SUTs from two zygotes in turn, so that a restarted SUT has another seed for `hash()` of strings.

    In production each restart changes this seed, and a program that stores such a hash fails; it must fail here as
    well. The seed of each zygote is fixed, so that verdicts are reproducible. Raises `UserError` without /proc.
    """

    def __init__(self, preload: Sequence[str], policy: SandboxPolicy = PRACTICE) -> None:
        require_proc()
        if any(module.partition(".")[0] == "sqlalchemy" for module in preload):
            NURSERY.start()
        self._preload = preload
        self._policy = policy
        self._seeds = itertools.count(1)
        self._zygotes = deque(self._zygote() for _ in range(ZYGOTES))

    def spawn(self, program: Program, limits: Limits, services: Services) -> Process:
        """Start a SUT, which can connect to `services`. End the earlier SUT first."""
        process = self._zygotes[0].spawn(program, limits, services)
        self._zygotes.rotate()
        return process

    def get_ready(self) -> Self:
        """Wait until both zygotes are ready, because their start takes processor time from a concurrent run."""
        self.rest()
        return self

    @property
    def pids(self) -> list[int]:
        """The process ids of the zygotes."""
        return [zygote.pid for zygote in self._zygotes]

    @property
    def families(self) -> list[int]:
        """The roots of the process trees whose processor time counts as the judge's own."""
        return [*self.pids, *NURSERY.pids]

    def rest(self) -> None:
        """End all SUTs that a fork of this process started, and get ready for the next run."""
        for zygote in self._zygotes:
            zygote.rest()

    def close(self) -> None:
        """End both zygotes and all their SUTs."""
        for zygote in self._zygotes:
            zygote.close()

    def _zygote(self) -> ZygoteClient:
        return ZygoteClient(self._preload, self._policy, hash_seed=next(self._seeds))
