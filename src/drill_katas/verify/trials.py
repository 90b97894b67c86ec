"""Runs of a certification: judging arms in batches, optionally on a busy machine."""

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
    """Yield a pool with `jobs` judges of a kata, beside `load` busy processes."""
    with busy(load), Pool([kata], PRACTICE, jobs) as pool:
        yield pool


def judge_all(
    pool: Pool, tasks: Sequence[Task], *, wrong: Container[str], after_each: Callable[[], None]
) -> dict[str, tuple[CheckResult, ...]]:
    """Return the results of all tasks by key; `after_each` is called after each task.

    A task with a check that was not judged runs again, alone. A task with its key in `wrong` runs again only if no
    check failed. Raises `UserError` if a task gets no verdict.
    """

    def is_enough(judged: Judged) -> bool:
        return all_judged(judged) or (judged.key in wrong and any(check.failed for check in judged.checks))

    found: dict[str, tuple[CheckResult, ...]] = {}
    for judged in settled(pool, tasks, is_enough):
        if not judged.checks:
            raise UserError(f"{judged.key} was not judged: {judged.problem}\n{judged.log}")
        found[judged.key] = judged.checks
        after_each()
    return found


@contextlib.contextmanager
def busy(load: int) -> Iterator[None]:
    """Run `load` busy processes in this block; they end by themselves if this process is killed.

    Each has its own session, because Linux first divides processors among sessions (sched(7), autogroup).
    """
    spinning = [subprocess.Popen([sys.executable, "-c", SPIN], start_new_session=True) for _ in range(load)]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()
