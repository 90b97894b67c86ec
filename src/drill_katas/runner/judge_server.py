"""Judges that are warm: each has collected a kata's checks and has its hosts waiting, and judges whenever it is asked.

A judge is a pytest of its own. For each request it forks a child, which goes on with the checks and leaves nothing
behind in its parent. What a run takes before that, imports and collection, is done once.
Run as `python -P -m drill_katas.runner.judge_server ORDER REQUESTS ANSWERS`: a `JudgeConfig` as JSON, the descriptor
to read requests from (one JSON object a line), and the descriptor to write one line to for each request that is done.
"""

from __future__ import annotations

import gc
import importlib
import os
import signal
import sys
import time
from typing import TYPE_CHECKING, Any, Final, TextIO, cast

import msgspec
import pytest

from drill_katas.batch.judge_client import JudgeConfig, JudgeRequest
from drill_katas.machine.cpu_time import MAX_WALL_FACTOR, Meter, Wait
from drill_katas.sandbox.tier import SandboxPolicy
from drill_katas.sut.wire import poll_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drill_katas.judge.zygote_client import AlternatingZygotes
    from drill_katas.runner.kata_run import KataRun
    from drill_katas.runner.recorder import Recorder

LATER: Final = ("drill_katas.services.network",)  # what is imported only when a check comes to it
MARGIN: Final = 30.0  # seconds on top of what all checks may take, for a run's beginning and end


class BufferedStdout:
    """A standard output that buffers what is written until it is released."""

    def __init__(self, stdout: TextIO) -> None:
        self.stdout = stdout
        self._buffer: list[str] | None = []

    def write(self, text: str) -> int:
        """Write, or buffer."""
        if self._buffer is None:
            return self.stdout.write(text)
        self._buffer.append(text)
        return len(text)

    def release(self, *, shown: bool) -> None:
        """Write directly from now on; write the buffer, too, if `shown`."""
        buffered, self._buffer = self._buffer, None
        if shown:
            self.stdout.write("".join(buffered or ()))

    def __getattr__(self, name: str) -> Any:
        """Delegate everything else."""
        return getattr(self.stdout, name)


class JudgeServer:
    """Stops a session where its checks would begin, and has a fork of it judge whenever it is asked to.

    A plugin that the session is begun with.
    """

    def __init__(self, config: JudgeConfig, requests: int, answers: int, stdout: BufferedStdout) -> None:
        self.__name__ = "kata-warm"  # by which pytest knows it
        self.policy = SandboxPolicy(config.tier, config.hidden)
        self._zygotes: AlternatingZygotes | None = None
        self._preload: list[str] = []
        self._requests, self._answers = requests, answers
        self._stdout = stdout

    def serve_with(self, zygotes: AlternatingZygotes, preload: list[str]) -> None:
        """Use these zygotes in every run; `preload` are the modules that their SUTs import."""
        self._zygotes, self._preload = zygotes, preload

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """Serve; in a fork, go on to the checks. Where they could not be collected, say so and end."""
        if session.testsfailed:
            self._stdout.release(shown=True)
            return
        run: KataRun = session.config.pluginmanager.get_plugin("kata-run")  # type: ignore[assignment] # it is there
        for module in (*LATER, *self._preload):
            importlib.import_module(module)
        rehearse(session.items)
        gc.collect()
        gc.freeze()  # what is there is there to stay: collecting garbage need not look through it
        assert self._zygotes is not None
        with open(self._requests, "rb", closefd=False, buffering=0) as requests:
            while line := requests.readline():
                request = msgspec.json.decode(line, type=JudgeRequest)
                pid = os.fork()
                if pid == 0:
                    self._begin(session, run, request)
                    return
                self._await(pid, run.seconds + MARGIN)
                self._zygotes.rest()
                os.write(self._answers, b"done\n")
        self._zygotes.close()
        os._exit(0)  # no check has run here, so that there is nothing to conclude

    def _begin(self, session: pytest.Session, run: KataRun, request: JudgeRequest) -> None:
        """Be a session that begins now."""
        os.close(self._requests)
        os.close(self._answers)
        plugins = session.config.pluginmanager
        settings = run.retarget(session.items, request)
        recorder: Recorder = plugins.get_plugin("kata-record")  # type: ignore[assignment] # as above
        recorder.retarget(settings)
        reporter = plugins.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.pytest_sessionstart(session)  # from when on it counts the seconds
        self._stdout.release(shown=False)

    def _await(self, child: int, seconds: float) -> None:
        """Wait for a child to end, and end it if it takes too long, in own time, or if nobody asks any more."""
        if hasattr(os, "pidfd_open"):
            ended = os.pidfd_open(child)
            either = poll_for(ended, self._requests)
            for left in self._looks(child, seconds):
                ready = [fd for fd, _ in either.poll(left * 1000)]
                if ready:
                    break
            os.close(ended)
            if not ready or ready == [self._requests]:  # one request at a time is made: this is their end
                os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)

    def _looks(self, child: int, seconds: float) -> Iterator[float]:
        """Yield how long to wait on, until so many seconds of own time are over."""
        assert self._zygotes is not None
        meter = Meter()
        most = meter.began + MAX_WALL_FACTOR * seconds
        wait = Wait(meter, seconds, lambda: most - time.monotonic())
        while left := wait.left():
            yield left
            meter.include([child, *(pid for host in self._zygotes.pids for pid in meter.kernel.family(host))])


def rehearse(items: list[pytest.Item]) -> None:
    """Have pytest and Hypothesis look up and work out here what they otherwise would in each fork, at its beginning."""
    from hypothesis import HealthCheck, given, settings, strategies  # noqa: PLC0415 - a judge has it; who starts one has not

    for item in items:
        _ = item.location  # in its source

    @settings(max_examples=20, database=None, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
    @given(strategies.lists(strategies.integers()))
    def nothing(_: list[int]) -> None:
        pass

    nothing()


def serve(config: JudgeConfig, requests: int, answers: int) -> int:
    """Serve until the client closes the request pipe; return the exit code of this process, or of its fork."""
    stdout = BufferedStdout(sys.stdout)
    sys.stdout = cast("TextIO", stdout)
    server = JudgeServer(config, requests, answers, stdout)
    try:
        code = int(pytest.main(["--kata", config.kata, *config.options], plugins=[server]))
    finally:
        sys.stdout = stdout.stdout
    if code in {pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.INTERNAL_ERROR}:
        stdout.release(shown=True)  # the message about a mistake in the kata, or a defect of ours
    sys.stdout.flush()
    return code


if __name__ == "__main__":
    os._exit(serve(msgspec.json.decode(sys.argv[1], type=JudgeConfig), int(sys.argv[2]), int(sys.argv[3])))
