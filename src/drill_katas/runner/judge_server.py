"""A prefork judge: a pytest process that has collected a kata's checks and judges many sources without a new start.

For each request the judge forks a child, which runs the checks and leaves no state in its parent. The parent pays for
imports and collection only once.

Run `python -P -m drill_katas.runner.judge_server CONFIG REQUESTS ANSWERS`:

| argument | meaning |
| --- | --- |
| CONFIG | a `JudgeConfig` as JSON |
| REQUESTS | file descriptor to read requests from, one JSON object per line |
| ANSWERS | file descriptor to write to, one line per finished request |
"""

from __future__ import annotations

import gc
import importlib
import os
import resource
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

LATER: Final = ("drill_katas.services.network",)  # modules that checks import late
MOST_OUTPUT: Final = 64 << 20  # bytes of each file, such as pytest's copy of what a guardrail prints
MARGIN: Final = 30.0  # seconds for the start and the end of a run, on top of the budgets of its checks


class BufferedStdout:
    """A standard output that buffers all text until `release`."""

    def __init__(self, stdout: TextIO) -> None:
        self.stdout = stdout
        self._buffer: list[str] | None = []

    def write(self, text: str) -> int:
        """Write or buffer the text."""
        if self._buffer is None:
            return self.stdout.write(text)
        self._buffer.append(text)
        return len(text)

    def release(self, *, shown: bool) -> None:
        """Write directly from now on. Write the buffered text first if `shown`, otherwise drop it."""
        buffered, self._buffer = self._buffer, None
        if shown:
            self.stdout.write("".join(buffered or ()))

    def __getattr__(self, name: str) -> Any:
        """Delegate everything else."""
        return getattr(self.stdout, name)


class JudgeServer:
    """A pytest plugin that stops the session before its checks and runs them in a fork for each request."""

    def __init__(self, config: JudgeConfig, requests: int, answers: int, stdout: BufferedStdout) -> None:
        self.__name__ = "kata-warm"  # pytest registers the plugin under this name
        self.policy = SandboxPolicy(config.tier, config.hidden, config.opaque)
        self._zygotes: AlternatingZygotes | None = None
        self._preload: list[str] = []
        self._requests, self._answers = requests, answers
        self._stdout = stdout

    def serve_with(self, zygotes: AlternatingZygotes, preload: list[str]) -> None:
        """Set the zygotes of every run; `preload` names the modules that their SUTs import."""
        self._zygotes, self._preload = zygotes, preload

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """Serve requests; in a fork, return to run the checks. After a collection error, show it and return."""
        if session.testsfailed:
            self._stdout.release(shown=True)
            return
        run: KataRun = session.config.pluginmanager.get_plugin("kata-run")  # type: ignore[assignment] # `runner.session.begin` registered it
        for module in (*LATER, *self._preload):
            importlib.import_module(module)
        warm_up(session.items)
        gc.collect()
        gc.freeze()  # because these objects stay, collections need not scan them
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
        os._exit(0)  # skip pytest's session end, because no check ran in this process

    def _begin(self, session: pytest.Session, run: KataRun, request: JudgeRequest) -> None:
        """Turn this fork into a session that starts now."""
        os.close(self._requests)
        os.close(self._answers)
        plugins = session.config.pluginmanager
        settings = run.retarget(session.items, request)
        recorder: Recorder = plugins.get_plugin("kata-record")  # type: ignore[assignment] # `runner.session.begin` registered it
        recorder.retarget(settings)
        session.config.option.maxfail = int(request.stop_at_failure)
        if settings.guardrail is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (MOST_OUTPUT, MOST_OUTPUT))
        reporter = plugins.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.pytest_sessionstart(session)  # restarts its clock
        self._stdout.release(shown=False)

    def _await(self, child: int, seconds: float) -> None:
        """Wait for a child to end. Kill it after `seconds` of CPU-adjusted time, or when the client is gone."""
        if hasattr(os, "pidfd_open"):
            ended = os.pidfd_open(child)
            either = poll_for(ended, self._requests)
            for left in self._time_left(child, seconds):
                ready = [fd for fd, _ in either.poll(left * 1000)]
                if ready:
                    break
            os.close(ended)
            if not ready or ready == [self._requests]:  # readable: closed
                os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)

    def _time_left(self, child: int, seconds: float) -> Iterator[float]:
        """Yield how many seconds of wall time to wait next, until `seconds` of CPU-adjusted time are over."""
        assert self._zygotes is not None
        meter = Meter()
        most = meter.began + MAX_WALL_FACTOR * seconds
        wait = Wait(meter, seconds, lambda: most - time.monotonic())
        while left := wait.left():
            yield left
            meter.include([child, *(pid for host in self._zygotes.pids for pid in meter.kernel.family(host))])


def warm_up(items: list[pytest.Item]) -> None:
    """Fill the caches of pytest and Hypothesis here, because otherwise each fork would fill them at its start."""
    from hypothesis import HealthCheck, given, settings, strategies  # noqa: PLC0415 - the client of a judge should not import it

    for item in items:
        _ = item.location  # caches the item's source line

    @settings(max_examples=20, database=None, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
    @given(strategies.lists(strategies.integers()))
    def nothing(_: list[int]) -> None:
        pass

    nothing()


def serve(config: JudgeConfig, requests: int, answers: int) -> int:
    """Serve until the client closes the request pipe; return the exit code of this process or of its fork."""
    stdout = BufferedStdout(sys.stdout)
    sys.stdout = cast("TextIO", stdout)
    server = JudgeServer(config, requests, answers, stdout)
    try:
        code = int(pytest.main(["--kata", config.kata, *config.options], plugins=[server]))
    finally:
        sys.stdout = stdout.stdout
    if code in {pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.INTERNAL_ERROR}:
        stdout.release(shown=True)  # the message about a mistake in the kata or a defect of the judge
    sys.stdout.flush()
    return code


if __name__ == "__main__":
    os._exit(serve(msgspec.json.decode(sys.argv[1], type=JudgeConfig), int(sys.argv[2]), int(sys.argv[3])))
