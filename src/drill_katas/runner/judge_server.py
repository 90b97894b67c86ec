"""Judges that are warm: each has collected a kata's checks and has its hosts waiting, and judges whenever it is asked.

A judge is a pytest of its own. For each request it forks a child, which goes on with the checks and leaves nothing
behind in its parent. What a run takes before that, imports and collection, is done once.
Run as `python -P -m drill_katas.runner.judge_server ORDER REQUESTS ANSWERS`: an `Order`, and two descriptors, of which the one carries
requests, JSON on a line, and the other a line for each that is done.
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

from drill_katas.batch.judge_client import Order, Request
from drill_katas.machine.cpu_time import MOST_WALL, Meter, Wait
from drill_katas.sandbox.tier import Hold
from drill_katas.sut.wire import poll_for

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drill_katas.judge.hosts import Hosts
    from drill_katas.runner.kata_run import KataRun
    from drill_katas.runner.recorder import Recorder

LATER: Final = ("drill_katas.services.network",)  # what is imported only when a check comes to it
MARGIN: Final = 30.0  # seconds on top of what all checks may take, for a run's beginning and end


class Curtain:
    """A standard output that keeps to itself what is written while it is down."""

    def __init__(self, stage: TextIO) -> None:
        self.stage = stage
        self.hidden: list[str] | None = []

    def write(self, text: str) -> int:
        """Write, or keep."""
        if self.hidden is None:
            return self.stage.write(text)
        self.hidden.append(text)
        return len(text)

    def lift(self, *, shown: bool) -> None:
        """Write from now on, and what was kept with `shown`."""
        kept, self.hidden = self.hidden, None
        if shown:
            self.stage.write("".join(kept or ()))

    def __getattr__(self, name: str) -> Any:
        """Be what is behind it in everything else."""
        return getattr(self.stage, name)


class Warm:
    """Stops a session where its checks would begin, and has a fork of it judge whenever it is asked to.

    A plugin that the session is begun with.
    """

    def __init__(self, order: Order, requests: int, answers: int, curtain: Curtain) -> None:
        self.__name__ = "kata-warm"  # by which pytest knows it
        self.hold = Hold(order.tier, order.hidden)
        self.hosts: Hosts | None = None  # made by the run, which knows what to preload
        self._requests, self._answers = requests, answers
        self._curtain = curtain

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """Serve; in a fork, go on to the checks. Where they could not be collected, say so and end."""
        if session.testsfailed:
            self._curtain.lift(shown=True)
            return
        run: KataRun = session.config.pluginmanager.get_plugin("kata-run")  # type: ignore[assignment] # it is there
        for module in (*LATER, *run.preload):
            importlib.import_module(module)
        rehearse(session.items)
        gc.collect()
        gc.freeze()  # what is there is there to stay: collecting garbage need not look through it
        assert self.hosts is not None
        with open(self._requests, "rb", closefd=False, buffering=0) as requests:
            while line := requests.readline():
                request = msgspec.json.decode(line, type=Request)
                pid = os.fork()
                if pid == 0:
                    self._begin(session, run, request)
                    return
                self._await(pid, run.seconds + MARGIN)
                self.hosts.rest()
                os.write(self._answers, b"done\n")
        self.hosts.close()
        os._exit(0)  # no check has run here, so that there is nothing to conclude

    def _begin(self, session: pytest.Session, run: KataRun, request: Request) -> None:
        """Be a session that begins now."""
        os.close(self._requests)
        os.close(self._answers)
        plugins = session.config.pluginmanager
        settings = run.aim(session.items, request.source, request.seed, request.report)
        recorder: Recorder = plugins.get_plugin("kata-record")  # type: ignore[assignment] # as above
        recorder.aim(settings)
        reporter = plugins.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.pytest_sessionstart(session)  # from when on it counts the seconds
        self._curtain.lift(shown=False)

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
        assert self.hosts is not None
        meter = Meter()
        most = meter.began + MOST_WALL * seconds
        wait = Wait(meter, seconds, lambda: most - time.monotonic())
        while left := wait.left():
            yield left
            meter.include([child, *(pid for host in self.hosts.pids for pid in meter.kernel.family(host))])


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


def serve(order: Order, requests: int, answers: int) -> int:
    """Be the judge until nobody asks any more; return the exit code of this process, or of one it has forked."""
    curtain = Curtain(sys.stdout)
    sys.stdout = cast("TextIO", curtain)
    warm = Warm(order, requests, answers, curtain)
    try:
        code = int(pytest.main(["--kata", order.kata, *order.options], plugins=[warm]))
    finally:
        sys.stdout = curtain.stage
    if code in {pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.INTERNAL_ERROR}:
        curtain.lift(shown=True)  # what is wrong with the kata, or with us
    sys.stdout.flush()
    return code


if __name__ == "__main__":
    os._exit(serve(msgspec.json.decode(sys.argv[1], type=Order), int(sys.argv[2]), int(sys.argv[3])))
