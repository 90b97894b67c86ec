"""Systems under test in the test's own process: plain test code calls them, without a session of pytest."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING, Final, Self

from drill_katas.catalog.arms import open_to_all
from drill_katas.catalog.katas import Limits
from drill_katas.files import RunFolder
from drill_katas.judge.check_context import CheckContext
from drill_katas.judge.program import Program
from drill_katas.judge.session import SutSession
from drill_katas.judge.sut import Sut
from drill_katas.judge.zygote_client import AlternatingZygotes

if TYPE_CHECKING:
    from collections.abc import Iterator

PACKAGE: Final = "toy"
PRELOAD: Final = ("aiohttp.web", "sqlalchemy.dialects.sqlite", "structlog", "prometheus_client")
BUDGET: Final = 20.0  # seconds of a check
LIMITS: Final = Limits()


class SutBench:
    """Starts programs from source, one check after another, on zygotes that are made once."""

    def __init__(self, zygotes: AlternatingZygotes) -> None:
        self._folder = RunFolder()
        self._zygotes = zygotes
        self.session = SutSession(zygotes, seed=0)
        self.sut = Sut(self.session)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.session.close()
        self._folder.close()
        self._zygotes.rest()

    def start(self, module: str, *, world: str = "", limits: Limits = LIMITS, budget: float = BUDGET) -> Sut:
        """Begin a check of the learner's module `toy.py`, beside `world.py`. The SUT starts with its first call."""
        package = self._folder.path / PACKAGE
        package.mkdir(exist_ok=True)
        for name, text in {"toy.py": module, "world.py": world}.items():
            (package / name).write_text(textwrap.dedent(text), encoding="utf-8")
        open_to_all(self._folder.path)  # a SUT forked by root has a separate uid
        shown = {str(package / name): f"katas/toy/{name}" for name in ("toy.py", "world.py")}
        self._program = Program(PACKAGE, ("toy",), self._folder.path, shown)
        self._limits, self._budget = limits, budget
        return self.next_check()

    def next_check(self) -> Sut:
        """End the check that runs, and begin another one of the same program."""
        if self.session._check is not None:
            self.session.end_check()
        self.session.begin_check(CheckContext(self._program, self._limits, self._budget))
        return self.sut


def open_zygotes() -> Iterator[AlternatingZygotes]:
    """Yield zygotes that have imported what any program of the tests needs."""
    zygotes = AlternatingZygotes(PRELOAD).get_ready()
    yield zygotes
    zygotes.close()
