"""Judges arms of a kata in batches, with the machine as busy as wanted."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from typing import TYPE_CHECKING, Final

from drill_katas.batch.pool import Pool
from drill_katas.batch.tasks import Task, all_judged, settled
from drill_katas.catalog.arms import arm_from
from drill_katas.errors import UserError
from drill_katas.sandbox.tier import PRACTICE

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Sequence
    from pathlib import Path

    from drill_katas.batch.tasks import Judged
    from drill_katas.catalog.katas import Kata
    from drill_katas.verdict import CheckResult

SPIN: Final = "import os\nparent = os.getppid()\nwhile os.getppid() == parent:\n    sum(range(100_000))"


def judge_all(
    kata: Kata,
    arms: Sequence[tuple[Path, int]],
    *,
    wrong: Container[Path],
    jobs: int,
    load: int,
    tell: Callable[[int, int], None],
) -> list[tuple[CheckResult, ...]]:
    """Judge each (folder of an arm, seed), `jobs` at once and with `load` other processes that are always busy.

    An arm with a check that was not judged is judged again, alone; one of the `wrong` ones only if no check has failed.
    `tell(done, of)` is called as it goes. Raises `UserError` when one gives no verdict.
    """

    def is_enough(judged: Judged) -> bool:
        refused = arms[int(judged.key)][0] in wrong and any(check.failed for check in judged.checks)
        return refused or all_judged(judged)

    found: dict[int, tuple[CheckResult, ...]] = {}
    tell(0, len(arms))
    with busy(load), Pool([kata], PRACTICE, jobs) as pool:
        for judged in settled(pool, (_task(kata, number, *arm) for number, arm in enumerate(arms)), is_enough):
            if not judged.checks:
                raise UserError(
                    f"{kata.name}: {arms[int(judged.key)][0]} was not judged: {judged.problem}\n{judged.said}"
                )
            found[int(judged.key)] = judged.checks
            tell(len(found), len(arms))
    return [found[number] for number in range(len(arms))]


def _task(kata: Kata, number: int, folder: Path, seed: int) -> Task:
    files = {name: file.read_bytes() for name, file in arm_from(kata, str(folder)).files.items()}
    return Task(key=str(number), kata=kata.name, files=files, seed=seed)


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
