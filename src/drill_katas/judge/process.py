"""The judge's side of one SUT process."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Final, Protocol

from drill_katas.judge.exit import Exit, NoAnswer, SutExited
from drill_katas.judge.observation import Logged
from drill_katas.judge.output import MAX_OUTPUT, Output
from drill_katas.sandbox.protocol import Exited
from drill_katas.services.retained import LOGS, CountedChannel, RetainedBytes, RetentionExceeded
from drill_katas.sut.protocol import REPLIES, Reply
from drill_katas.sut.wire import Closed, WireError, poll_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    import msgspec

    from drill_katas.judge.dialer import Dialer
    from drill_katas.machine.cpu_time import Wait
    from drill_katas.sandbox.protocol import Why, ZygoteEvent

MAX_STACKS: Final = 1_000_000  # bytes that are read of a dump of all stacks
STACKS_SECONDS: Final = 2.0  # for the whole dump
STACKS_BEGIN_SECONDS: Final = 1.0  # for its first byte, even on a busy machine
STACKS_PAUSE_SECONDS: Final = 0.1  # between two pieces; short, because faulthandler writes the dump without pauses
LOG_OVERHEAD: Final = 500  # bytes of the judge's memory for each log line, on top of its text


def _logged(frame: Reply) -> Logged:
    """Read a log frame. An invalid time becomes now; a line that is not an object becomes the field `log` of one."""
    at = frame.at if isinstance(frame.at, float) else time.monotonic()
    return Logged(at, frame.log if isinstance(frame.log, dict) else {"log": frame.log})


class Control(Protocol):
    """The part of the zygote's control socket that a process uses."""

    def kill(self, pid: int, why: Why) -> None:
        """Ask the zygote to kill a SUT. Thread-safe."""

    def next_event(self, timeout: float) -> ZygoteEvent | None:
        """Return the zygote's next event, or None after `timeout` seconds. Raises `Closed` if the zygote ended."""

    def fileno(self) -> int:
        """Return the socket's descriptor, for `poll`."""


class Process:
    """One SUT process. `exit` is None while it runs."""

    def __init__(
        self,
        pid: int,
        control: Control,
        channel: CountedChannel,
        output_fd: int,
        stacks_fd: int,
        dialer: Dialer | None,
    ) -> None:
        self.pid = pid
        self.exit: Exit | None = None
        self.output = Output()
        self.logs: list[Logged] = []
        self._control = control
        self._channel = channel
        self._stacks_fd = stacks_fd
        self._poll = poll_for(channel.socket, control)
        self._dialer = dialer
        self._reader = threading.Thread(target=self._read_output, args=(output_fd,), daemon=True)
        self._reader.start()

    @property
    def weight(self) -> int:
        """The approximate size of its last answer in the judge's memory, in bytes."""
        return self._channel.weight

    def count_toward(self, retained: RetainedBytes) -> None:
        """Count the data that is retained from this SUT in `retained`, which kills the SUT beyond its limit."""
        self._channel.retained, retained.end = retained, self.kill_soon

    def ask(self, request: msgspec.Struct, wait: Wait, fds: Sequence[int] = ()) -> Reply:
        """Send a request and return its answer. Log lines that arrive before the answer are added to `logs`.

        Raises `NoAnswer` if the time is over before the whole answer arrived, and `SutExited` if the SUT exited.
        """
        try:
            self._channel.send(request, fds, wait.left)
        except Closed:
            pass  # `_next_frame` raises `SutExited` with the exit status
        except TimeoutError:
            raise NoAnswer from None
        while True:
            frame = self._next_frame(wait)
            if not frame.is_log:
                return self._checked(frame)
            self._add_log(frame)
            if not wait.left():  # because a SUT may log without end and never answer
                raise NoAnswer

    def kill(self, why: Why = "asked") -> None:
        """Kill the SUT and every process that it started, and wait until it is gone."""
        if self.exit is None:
            self._control.kill(self.pid, why)
            self._await_exit()

    def kill_soon(self) -> None:
        """Kill the SUT without waiting. An `ask` on another thread raises `SutExited`."""
        self._control.kill(self.pid, "asked")

    def stacks(self) -> str:
        """Return the stacks of all its threads in faulthandler's format: the part that arrives in `STACKS_SECONDS`."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGUSR1)
        dump, poll = bytearray(), poll_for(self._stacks_fd)
        deadline, pause = time.monotonic() + STACKS_SECONDS, STACKS_BEGIN_SECONDS
        while len(dump) < MAX_STACKS and (left := min(pause, deadline - time.monotonic())) > 0:
            piece = os.read(self._stacks_fd, 65536) if poll.poll(left * 1000) else b""
            if not piece:
                break
            dump += piece
            pause = STACKS_PAUSE_SECONDS
        return dump.decode(errors="replace")

    def close(self) -> None:
        """Kill the SUT and close its descriptors; `output` stays readable."""
        self.kill()
        self._channel.close()
        os.close(self._stacks_fd)
        if self._dialer:
            self._dialer.close()
        self._reader.join(timeout=1)

    def _add_log(self, frame: Reply) -> None:
        """Add a line to `logs`. Raises `SutExited` beyond the limit on retained data."""
        try:
            self._channel.retained.add(LOGS, LOG_OVERHEAD + self._channel.weight)
        except RetentionExceeded:
            raise SutExited(self._await_exit()) from None
        self.logs.append(_logged(frame))

    def _checked(self, frame: Reply) -> Reply:
        """Return the frame if it is an answer; otherwise kill the SUT."""
        if not frame.is_answer:
            self.kill("frame")
            raise SutExited(self._await_exit())
        return frame

    def _next_frame(self, wait: Wait) -> Reply:
        while True:
            try:
                frame = self._channel.receive(0, REPLIES)
            except Closed:
                raise SutExited(self._await_exit()) from None
            except RetentionExceeded:  # `retained` kills the SUT
                raise SutExited(self._await_exit()) from None
            except WireError:
                self.kill("frame")
                raise SutExited(self._await_exit()) from None
            if frame is not None:
                return frame
            if self.exit is not None:
                raise SutExited(self.exit)
            left = wait.left()
            if left <= 0:
                raise NoAnswer
            if any(fd == self._control.fileno() for fd, _ in self._poll.poll(left * 1000)):
                self._read_event()

    def _read_event(self, timeout: float = 0) -> None:
        try:
            event = self._control.next_event(timeout)
        except Closed:  # the SUT killed the zygote, its parent
            self.exit = Exit(signal.SIGKILL, None)
            return
        if isinstance(event, Exited) and event.pid == self.pid:
            self.exit = Exit(event.status, event.why)

    def _await_exit(self) -> Exit:
        """Wait until the SUT is gone. A SUT that only closed its connection is killed."""
        for _ in range(10):
            if self.exit is None:
                self._read_event(timeout=0.5)
            if self.exit is not None:
                return self.exit
            self._control.kill(self.pid, "hung up")  # no effect on a SUT that is being killed already
        return Exit(signal.SIGKILL, None)

    def _read_output(self, fd: int) -> None:
        with open(fd, "rb", buffering=0) as pipe:
            while piece := pipe.read(65536):  # to its end, because a closed pipe would raise in the SUT
                if self.output.total <= MAX_OUTPUT:
                    self.output.add(piece)
                    if self.output.total > MAX_OUTPUT:
                        self._control.kill(self.pid, "output")
