"""`kata watch`: judges a kata whenever one of its editable files is saved, by a judge that is warm.

Three processes: this one watches; the judge has imported what a run needs and has a zygote waiting; for each run it
forks a child, which is an ordinary pytest from there on, and leaves nothing behind in its parent.
"""

from __future__ import annotations

import importlib
import os
import sys
from typing import TYPE_CHECKING, Final, Self

from drill_katas.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drill_katas.catalog import Kata
    from drill_katas.judge.hosts import Hosts

NEEDED: Final = ("pytest", "_pytest.terminal", "hypothesis.strategies", "hypothesis.stateful", "drill_katas.kit")
OPTIONS: Final = (
    *("-x", "--no-header", "-p", "no:cacheprovider"),
    *("-W", "ignore::pytest.PytestAssertRewriteWarning"),  # what is imported already is not rewritten, nor need it be
)
BREATH: Final = 100  # milliseconds after which watching is taken to have begun
SETTLE: Final = 50  # milliseconds without another change, and the file is taken to be saved


class Warm:
    """Hands a run the zygotes that are waiting; a plugin that the run asks for."""

    def __init__(self, hosts: Hosts) -> None:
        self.__name__ = "kata-warm"  # by which pytest knows it
        self.hosts = hosts


class WarmJudge:
    """A process that judges a kata each time it is asked to, and is ready for the next time."""

    def __init__(self, kata: Kata) -> None:
        requests, self._requests = os.pipe()
        self._answers, answers = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self._requests)
            os.close(self._answers)
            _serve(kata, requests, answers)
            os._exit(0)
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


def _serve(kata: Kata, requests: int, answers: int) -> None:
    """Be the judge until nobody asks any more."""
    from drill_katas.judge.hosts import Hosts  # noqa: PLC0415 - here it is needed, and not in the process that watches

    hosts = Hosts(list(kata.manifest.imports))
    for module in (*NEEDED, *kata.manifest.preload):
        importlib.import_module(module)
    try:
        while os.read(requests, 1):
            code = _in_child(kata.name, hosts)
            hosts.close()
            os.write(answers, bytes([code]))
            hosts = Hosts(list(kata.manifest.imports))
    except KeyboardInterrupt:
        pass
    finally:
        hosts.close()


def _in_child(name: str, hosts: Hosts) -> int:
    pid = os.fork()
    if pid == 0:
        import pytest  # noqa: PLC0415 - imported before the fork

        code = pytest.main(["--kata", name, *OPTIONS], plugins=[Warm(hosts)])
        sys.stdout.flush()
        os._exit(int(code))
    _, status = os.waitpid(pid, 0)
    return os.waitstatus_to_exitcode(status) & 0xFF
