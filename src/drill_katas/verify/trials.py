"""Judges arms of a kata in batches, with the machine as busy as wanted."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from drill_katas.batch.pool import Pool
from drill_katas.batch.tasks import all_judged, settled
from drill_katas.errors import UserError
from drill_katas.sandbox.tier import PRACTICE

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Sequence

    from drill_katas.batch.tasks import Judged, Task
    from drill_katas.catalog.katas import Kata
    from drill_katas.verdict import CheckResult

SPIN: Final = "import os\nparent = os.getppid()\nwhile os.getppid() == parent:\n    sum(range(100_000))"


@contextlib.contextmanager
def pool_of(kata: Kata, jobs: int, load: int) -> Iterator[Pool]:
    """Judge arms of a kata in this block, `jobs` at once, beside `load` processes that are always busy."""
    with busy(load), Pool([kata], PRACTICE, jobs) as pool:
        yield pool


def judge_all(
    pool: Pool, tasks: Sequence[Task], *, wrong: Container[str], tell: Callable[[], None]
) -> dict[str, tuple[CheckResult, ...]]:
    """Judge every task, and return the results by key. `tell` is called after each.

    An arm with a check that was not judged is judged again, alone; one of those in `wrong`, which holds keys of tasks,
    only if no check has failed. Raises `UserError` when an arm gets no verdict.
    """

    def is_enough(judged: Judged) -> bool:
        return all_judged(judged) or (judged.key in wrong and any(check.failed for check in judged.checks))

    found: dict[str, tuple[CheckResult, ...]] = {}
    for judged in settled(pool, tasks, is_enough):
        if not judged.checks:
            raise UserError(f"{judged.key} was not judged: {judged.problem}\n{judged.log}")
        found[judged.key] = judged.checks
        tell()
    return found


@contextlib.contextmanager
def busy(load: int) -> Iterator[None]:
    """Keep `load` processes busy in this block; they end by themselves should this one be killed.

    Each has a session of its own: Linux shares processors among sessions first (sched(7), autogroup).
    """
    spinning = [subprocess.Popen([sys.executable, "-c", SPIN], start_new_session=True) for _ in range(load)]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()
