"""The judge's side of a SUT's process."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
import time
from typing import TYPE_CHECKING, Final, Protocol

from drill_katas.judge.exit import Died, Exit, Silent
from drill_katas.judge.observation import Logged
from drill_katas.judge.output import MAX_OUTPUT, Output
from drill_katas.sandbox.protocol import Exited
from drill_katas.services.kept import LOGS, Kept, KeptChannel, TooMuch
from drill_katas.sut.protocol import REPLIES, Reply
from drill_katas.sut.wire import Closed, WireError, poll_for

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drill_katas.judge.dialler import Dialler
    from drill_katas.machine.cpu_time import Wait
    from drill_katas.sandbox.protocol import Why, ZygoteEvent
    from drill_katas.sut.protocol import JudgeRequest

MOST_STACKS: Final = 1_000_000  # bytes of a dump of all stacks that are read
STACKS_SECONDS: Final = 2.0  # for the whole of such a dump
STACKS_BEGIN_SECONDS: Final = 1.0  # for its first byte, on a busy machine too
STACKS_PAUSE_SECONDS: Final = 0.1  # between two pieces: it is written in one go
LOGGED: Final = 500  # bytes that the judge keeps with every line, whatever is in it


def _logged(frame: Reply) -> Logged:
    """Read a log frame of any content: an invalid time becomes now, a line that is not an object is wrapped."""
    at = frame.at if isinstance(frame.at, float) else time.monotonic()
    return Logged(at, frame.log if isinstance(frame.log, dict) else {"log": frame.log})


class Control(Protocol):
    """The zygote's control socket, as a process uses it."""

    def kill(self, pid: int, why: Why) -> None:
        """Ask for a SUT's end. Thread-safe."""

    def hear(self, timeout: float) -> ZygoteEvent | None:
        """Return the zygote's next event, or None. Raises `Closed` when the zygote is gone."""

    def fileno(self) -> int:
        """Return the descriptor of the socket, to select on."""


class Process:
    """One SUT. Ends with `kill`, or by itself; `exit` says how."""

    def __init__(
        self,
        pid: int,
        control: Control,
        channel: KeptChannel,
        output_fd: int,
        stacks_fd: int,
        dialler: Dialler | None,
    ) -> None:
        self.pid = pid
        self.exit: Exit | None = None
        self.output = Output()
        self.logs: list[Logged] = []
        self._control = control
        self._channel = channel
        self._stacks_fd = stacks_fd
        self._heard = poll_for(channel.socket, control)
        self._dialler = dialler
        self._reader = threading.Thread(target=self._read_output, args=(output_fd,), daemon=True)
        self._reader.start()

    @property
    def weight(self) -> int:
        """About how many bytes of the judge's memory its last answer takes."""
        return self._channel.weight

    def count_in(self, kept: Kept) -> None:
        """Count there what is kept of this SUT; too much of it is its end."""
        self._channel.kept, kept.end = kept, self.kill_soon

    def ask(self, request: JudgeRequest, wait: Wait, fds: Sequence[int] = ()) -> Reply:
        """Send a request and return its answer; what is logged meanwhile is added to `logs`.

        Raises `Silent` when the wait ends before the SUT has read the request and sent a whole answer, and `Died` when
        it ended.
        """
        try:
            self._channel.send(request, fds, wait.left)
        except Closed:
            pass  # how it ended is heard below
        except TimeoutError:
            raise Silent from None
        while True:
            frame = self._next_frame(wait)
            if not frame.is_log:
                return self._checked(frame)
            self._keep(frame)
            if not wait.left():  # a SUT that logs all the time does not answer
                raise Silent

    def kill(self, why: Why = "asked") -> None:
        """End the SUT and whatever it has started, and wait until it is gone."""
        if self.exit is None:
            self._control.kill(self.pid, why)
            self._await_exit()

    def kill_soon(self) -> None:
        """Ask for the SUT's end from another thread; who awaits an answer will get `Died`."""
        self._control.kill(self.pid, "asked")

    def stacks(self) -> str:
        """Return the stacks of all its threads, as faulthandler writes them: what comes of that in `STACKS_SECONDS`."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGUSR1)
        told, heard = bytearray(), poll_for(self._stacks_fd)
        deadline, pause = time.monotonic() + STACKS_SECONDS, STACKS_BEGIN_SECONDS
        while len(told) < MOST_STACKS and (left := min(pause, deadline - time.monotonic())) > 0:
            piece = os.read(self._stacks_fd, 65536) if heard.poll(left * 1000) else b""
            if not piece:
                break
            told += piece
            pause = STACKS_PAUSE_SECONDS
        return told.decode(errors="replace")

    def close(self) -> None:
        """End the SUT and let go of its descriptors; `output` stays readable."""
        self.kill()
        self._channel.close()
        os.close(self._stacks_fd)
        if self._dialler:
            self._dialler.close()
        self._reader.join(timeout=1)

    def _keep(self, frame: Reply) -> None:
        """Add a line to `logs`. Raises `Died` when more is kept of this check than may be."""
        try:
            self._channel.kept.add(LOGS, LOGGED + self._channel.weight)
        except TooMuch:
            raise Died(self._await_exit()) from None
        self.logs.append(_logged(frame))

    def _checked(self, frame: Reply) -> Reply:
        """Return an answer. A SUT whose frame is neither a log line nor one answer is ended."""
        if not frame.is_answer:
            self.kill("frame")
            raise Died(self._await_exit())
        return frame

    def _next_frame(self, wait: Wait) -> Reply:
        while True:
            try:
                frame = self._channel.receive(0, REPLIES)
            except Closed:
                raise Died(self._await_exit()) from None
            except TooMuch:  # the SUT is being ended
                raise Died(self._await_exit()) from None
            except WireError:
                self.kill("frame")
                raise Died(self._await_exit()) from None
            if frame is not None:
                return frame
            if self.exit is not None:
                raise Died(self.exit)
            left = wait.left()
            if left <= 0:
                raise Silent
            if any(fd == self._control.fileno() for fd, _ in self._heard.poll(left * 1000)):
                self._hear()

    def _hear(self, timeout: float = 0) -> None:
        try:
            event = self._control.hear(timeout)
        except Closed:  # the SUT took its parent down with it
            self.exit = Exit(signal.SIGKILL, None)
            return
        if isinstance(event, Exited) and event.pid == self.pid:
            self.exit = Exit(event.status, event.why)

    def _await_exit(self) -> Exit:
        """Wait until the SUT is gone; one that only hung up is helped along."""
        for _ in range(10):
            if self.exit is None:
                self._hear(timeout=0.5)
            if self.exit is not None:
                return self.exit
            self._control.kill(self.pid, "hung up")  # ignored when its end is under way already
        return Exit(signal.SIGKILL, None)

    def _read_output(self, fd: int) -> None:
        with open(fd, "rb", buffering=0) as pipe:
            while piece := pipe.read(65536):  # to its end, lest the SUT meets a closed pipe
                if self.output.total <= MAX_OUTPUT:
                    self.output.add(piece)
                    if self.output.total > MAX_OUTPUT:
                        self._control.kill(self.pid, "output")
