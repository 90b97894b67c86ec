"""`kata watch`: judges a kata whenever one of its editable files is saved, by a judge that is warm.

Three processes: this one watches; the judge is a pytest that has collected the kata's checks and has a zygote waiting;
for each run it forks a child, which goes on with the checks, and leaves nothing behind in its parent.
"""

from __future__ import annotations

import gc
import importlib
import os
import sys
from typing import TYPE_CHECKING, Any, Final, Self, TextIO, cast

import pytest

from drill_katas.errors import UserError
from drill_katas.judge.hosts import Hosts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drill_katas.catalog import Kata

LATER: Final = ("drill_katas.judge.network",)  # what is imported only when a check comes to it
OPTIONS: Final = ("-x", "--no-header", "-p", "no:cacheprovider")
BREATH: Final = 100  # milliseconds after which watching is taken to have begun
SETTLE: Final = 50  # milliseconds without another change, and the file is taken to be saved


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

    What a run takes before that, imports and collection, is done once. A plugin that the session is begun with.
    """

    def __init__(self, kata: Kata, requests: int, answers: int, curtain: Curtain) -> None:
        self.__name__ = "kata-warm"  # by which pytest knows it
        self.hosts = Hosts(list(kata.manifest.imports))
        self._kata = kata
        self._requests, self._answers = requests, answers
        self._curtain = curtain

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> None:
        """Serve; in a fork, go on to the checks. Where they could not be collected, say so and end."""
        if session.testsfailed:
            self._curtain.lift(shown=True)
            return
        for module in (*LATER, *self._kata.manifest.preload):
            importlib.import_module(module)
        gc.freeze()  # what is there is there to stay: collecting garbage need not look through it
        while os.read(self._requests, 1):
            pid = os.fork()
            if pid == 0:
                self._begin(session)
                return
            _, status = os.waitpid(pid, 0)
            os.write(self._answers, bytes([os.waitstatus_to_exitcode(status) & 0xFF]))
            self.hosts.renew()
        self.hosts.close()
        os._exit(0)  # no check has run here, so that there is nothing to conclude

    def _begin(self, session: pytest.Session) -> None:
        """Be a session that begins now."""
        os.close(self._requests)
        reporter = session.config.pluginmanager.get_plugin("terminalreporter")
        assert reporter is not None
        reporter.pytest_sessionstart(session)  # from when on it counts the seconds
        self._curtain.lift(shown=False)


class WarmJudge:
    """A process that judges a kata each time it is asked to, and is ready for the next time."""

    def __init__(self, kata: Kata) -> None:
        requests, self._requests = os.pipe()
        self._answers, answers = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self._requests)
            os.close(self._answers)
            os._exit(_serve(kata, requests, answers))
        os.close(requests)
        os.close(answers)

    def judge(self) -> int:
        """Judge the learner's files as they are now, on this terminal; return pytest's exit code."""
        os.write(self._requests, b".")
        answer = os.read(self._answers, 1)
        if not answer:
            raise UserError("the judge has ended; begin anew with `kata watch`")
        return answer[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """End it, and wait until nothing of it is left."""
        os.close(self._requests)
        os.waitpid(self._pid, 0)
        os.close(self._answers)


def saves(kata: Kata) -> Iterator[set[str]]:
    """Yield nothing once, when watching has begun, and then the names of editable files each time some are saved.

    Raises `UserError` without watchfiles.
    """
    try:
        import watchfiles  # noqa: PLC0415 - an extra
    except ImportError:
        raise UserError("`kata watch` needs the extra `watch`: pip install 'drill-katas[watch]'") from None
    editable = {str(kata.folder / name) for name in kata.manifest.editable}
    begun = False
    for changes in watchfiles.watch(
        kata.folder,
        watch_filter=lambda _, path: path in editable,
        debounce=1000,
        step=SETTLE,
        rust_timeout=BREATH,
        yield_on_timeout=True,
        raise_interrupt=True,
        recursive=False,
    ):
        if changes or not begun:
            begun = True
            yield {path.rpartition("/")[2] for _, path in changes}


def _serve(kata: Kata, requests: int, answers: int) -> int:
    """Be the judge until nobody asks any more; return the exit code of this process, or of one it has forked."""
    curtain = Curtain(sys.stdout)
    sys.stdout = cast("TextIO", curtain)
    warm = Warm(kata, requests, answers, curtain)
    try:
        code = int(pytest.main(["--kata", kata.name, *OPTIONS], plugins=[warm]))
    finally:
        sys.stdout = curtain.stage
    if code == pytest.ExitCode.USAGE_ERROR:
        curtain.lift(shown=True)  # what is wrong with the kata
    sys.stdout.flush()
    return code
