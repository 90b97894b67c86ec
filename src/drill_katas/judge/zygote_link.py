"""The judge's end of a zygote's control socket."""

from __future__ import annotations

import contextlib
import os
import socket
import time
from collections import deque
from typing import TYPE_CHECKING, Final

from drill_katas.judge.dialer import Dialer
from drill_katas.judge.process import Process
from drill_katas.sandbox.protocol import EVENTS, Kill, Spawn, Spawned, Unavailable
from drill_katas.sandbox.tier import SandboxPolicy, SandboxUnavailable, Tier
from drill_katas.services.retained import CountedChannel
from drill_katas.services.sql_nursery import NURSERY
from drill_katas.sut.wire import Channel, Closed, encode

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from drill_katas.catalog.katas import Limits
    from drill_katas.judge.program import Program
    from drill_katas.sandbox.protocol import Why, ZygoteEvent
    from drill_katas.services.broker import Services

SPAWN_SECONDS: Final = 20.0  # long, because the first spawn waits for the zygote's imports, even on a busy machine


class ZygoteLink:
    """Starts SUTs by requests on a control socket."""

    def __init__(self, control: Channel, policy: SandboxPolicy) -> None:
        self._control = control
        self._policy = policy

    def relink(self, control: Channel) -> None:
        """Switch to the control socket of a new zygote."""
        self._control = control

    def spawn(self, program: Program, limits: Limits, services: Services) -> Process:
        """Start a SUT, which can connect to `services`. End the earlier SUT first.

        Raises `SandboxUnavailable` if the policy's sandbox tier is not available.
        """
        request = Spawn(
            package=program.package,
            modules=list(program.modules),
            overlay=str(program.overlay),
            memory_mib=limits.memory_mib,
            processes=limits.processes,
            tier=self._policy.tier,
            hidden=list(self._policy.hidden),
            opaque=self._policy.opaque,
        )
        sandboxed = self._policy.tier is not Tier.PRACTICE
        return self.request(request, Dialer(services.folder, services.note_error) if sandboxed else None)

    def request(self, request: Spawn, dialer: Dialer | None, fds: Sequence[int] = ()) -> Process:
        """Send a request for a process, with `fds` after its own file descriptors; this closes `fds`.

        Raises `SandboxUnavailable`.
        """
        calls, their_calls = socket.socketpair()
        output, their_output = os.pipe()
        stacks, their_stacks = os.pipe()
        theirs = [their_calls.detach(), their_output, their_stacks, *([dialer.detach()] if dialer else []), *fds]
        try:
            socket.send_fds(self._control.socket, [encode(request) + b"\n"], theirs)
            pid = self._await_spawn()
        finally:
            for fd in theirs:
                os.close(fd)
        return Process(pid, self, CountedChannel(calls), output, stacks, dialer)

    def pass_on(self, request: Spawn | Kill, fds: Sequence[int]) -> None:
        """Send a request whose answer another process reads."""
        socket.send_fds(self._control.socket, [encode(request) + b"\n"], fds)

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

    @property
    def pids(self) -> list[int]:
        """The process id of the zygote, if this process can see it."""
        return []

    def close(self) -> None:
        """Close the control socket; the zygote ends its SUT."""
        self._control.close()

    def _await_spawn(self) -> int:
        deadline = time.monotonic() + SPAWN_SECONDS
        while time.monotonic() < deadline:
            match self.next_event(deadline - time.monotonic()):
                case Spawned(pid=pid):
                    return pid
                case Unavailable(why=why):
                    raise SandboxUnavailable(self._policy.tier, why)
        raise TimeoutError(f"the zygote did not fork a SUT within {SPAWN_SECONDS:.0f} s")


class AlternatingLinks:
    """Starts SUTs from several zygotes in turn, so that a restarted SUT has another seed for `hash()` of strings.

    In production each restart changes this seed, and a program that stores such a hash fails; it must fail here as
    well. The seed of each zygote is fixed, so that verdicts are reproducible.
    """

    def __init__(self, links: Iterable[ZygoteLink]) -> None:
        self._links = deque(links)

    def spawn(self, program: Program, limits: Limits, services: Services) -> Process:
        """Start a SUT, which can connect to `services`. End the earlier SUT first."""
        process = self._links[0].spawn(program, limits, services)
        self._links.rotate()
        return process

    @property
    def pids(self) -> list[int]:
        """The process ids of the zygotes, if this process can see them."""
        return [pid for link in self._links for pid in link.pids]

    @property
    def families(self) -> list[int]:
        """The roots of the process trees whose processor time counts as the judge's own."""
        return [*self.pids, *NURSERY.pids]

    def close(self) -> None:
        """End the zygotes and all their SUTs."""
        for link in self._links:
            link.close()
