"""Judges a guardrail on the versions of a module: right designs, wrong ones, and the canary."""

from __future__ import annotations

import contextlib
import os
import re
import time
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from drill_katas.batch.pool import Pool
from drill_katas.batch.tasks import Judged, Task, all_judged, settled
from drill_katas.errors import UserError
from drill_katas.files import run_folder
from drill_katas.guardrail.result import RIGHT, WRONG, GuardrailResult, Kind, Trial, result_of
from drill_katas.guardrail.source import read_guardrail
from drill_katas.sandbox.tier import PRACTICE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from drill_katas.catalog.katas import Contract, Kata
    from drill_katas.guardrail.versions import Version
    from drill_katas.verdict import CheckResult

JOBS: Final[dict[Contract, float]] = {"calls": 2, "http": 2.5}  # for each processor, because tests also wait
ORDER: Final[tuple[Kind, ...]] = (*RIGHT, "canary", *WRONG)
AT_ONCE: Final = 8  # wrong versions that idle tests are tried on before the next look
IDLE_SECONDS: Final = 20.0  # to look for a wrong version that an idle test rejects
ERROR_LINE: Final = re.compile(r"^E\s+(.*)$", re.MULTILINE)  # pytest's mark of an error


def judge(
    kata: Kata, file: Path, versions: Sequence[Version], report_progress: Callable[[int, int], None]
) -> GuardrailResult:
    """Judge the guardrail in `file` on these versions; `report_progress(done, of)` is called after each.

    The reference comes first, then the other right versions and the canary. If one of them decides that the score is 0,
    no wrong version counts. Raises `UserError` if the file is not a guardrail, or ends its judge.
    """
    jobs = int(JOBS[kata.manifest.contract] * (os.cpu_count() or 1))
    with _pool(kata, file, jobs) as pool:
        run = _Run(kata, pool, sorted(versions, key=lambda version: ORDER.index(version.kind)))
        run.try_versions(report_progress)
        if not run.result().is_decided:
            run.try_idle_tests()
        return run.result()


def checks_on(kata: Kata, file: Path, files: dict[str, bytes]) -> tuple[CheckResult, ...]:
    """Return the result of each test of the guardrail in `file` on these files. Raises `UserError` as `judge` does."""
    with _pool(kata, file, 1) as pool:
        tasks = [Task(key=kata.name, kata=kata.name, files=files, seed=0)]
        return next(_with_verdict(settled(pool, tasks))).checks


@contextlib.contextmanager
def _pool(kata: Kata, file: Path, jobs: int) -> Iterator[Pool]:
    """Make a pool of judges of the guardrail in `file`. Raises `UserError` if the file is not a guardrail."""
    source = read_guardrail(file)
    with run_folder() as folder:
        copy = folder / file.name  # in a folder of its own, because a guardrail is one file
        copy.write_bytes(source)
        with Pool([kata], PRACTICE, jobs, copy) as pool:
            yield pool


class _Run:
    """The trials of one guardrail, by the key of their version."""

    def __init__(self, kata: Kata, pool: Pool, versions: Sequence[Version]) -> None:
        self._kata = kata
        self._pool = pool
        self._versions = {version.key: version for version in versions}
        self._trials: dict[str, Trial] = {}
        self._tests: dict[str, None] = {}  # in the order of the file

    def try_versions(self, report_progress: Callable[[int, int], None]) -> None:
        """Try the versions; a wrong one and the canary only until their first test fails."""
        report_progress(len(self._trials), len(self._versions))
        for judged in self._judged(self._tasks()):
            version = self._versions[judged.key]
            self._tests |= dict.fromkeys(check.name for check in judged.checks)
            unjudged = tuple(check.message for check in judged.checks if check.not_judged)
            self._trials[judged.key] = Trial(
                kind=version.kind,
                name=version.name,
                failed=_failed(judged),
                calls=_calls(judged) if version.kind in RIGHT else {},
                unjudged=unjudged,
                lesson=version.lesson,
            )
            report_progress(len(self._trials), len(self._versions))

    def _tasks(self) -> Iterator[Task]:
        """Yield a task for each version: no wrong one once the score is 0, and none once the reference has failed."""
        for version in self._versions.values():
            result = self.result()
            if any(trial.failed for trial in result.of("reference")) or (result.is_decided and version.kind in WRONG):
                return
            yield self._task(version, stop=version.kind not in RIGHT)

    def try_idle_tests(self) -> None:
        """Try the tests that rejected nothing so far on the wrong versions that another test rejected first."""
        rejected = [key for key, trial in self._trials.items() if trial.kind in WRONG and trial.failed]
        deadline = time.monotonic() + IDLE_SECONDS
        for first in range(0, len(rejected), AT_ONCE):
            idle = tuple(name for name, number in self.result().rejects.items() if not number)
            if not idle or time.monotonic() > deadline:
                return
            some = [self._versions[key] for key in rejected[first : first + AT_ONCE]]
            for judged in self._judged([self._task(version, tests=idle) for version in some]):
                trial = self._trials[judged.key]
                self._trials[judged.key] = replace(trial, failed=trial.failed | _failed(judged))

    def result(self) -> GuardrailResult:
        """Return the result of all trials; without those of wrong versions if the score is 0 anyway."""
        trials = [self._trials[key] for key in self._versions if key in self._trials]
        result = result_of(self._kata.name, trials, self._tests)
        if not result.is_decided:
            return result
        return result_of(self._kata.name, [trial for trial in trials if trial.kind not in WRONG], self._tests)

    def _task(self, version: Version, *, stop: bool = False, tests: tuple[str, ...] = ()) -> Task:
        name = self._kata.name
        return Task(key=version.key, kata=name, files=version.files, seed=0, checks=tests, stop_at_failure=stop)

    def _judged(self, tasks: Iterable[Task]) -> Iterator[Judged]:
        return _with_verdict(settled(self._pool, tasks, _is_enough))


def _with_verdict(results: Iterable[Judged]) -> Iterator[Judged]:
    """Yield each result. Raises `UserError` if the guardrail gives no verdict."""
    for judged in results:
        if not judged.checks:
            raise UserError(_problem(judged))
        yield judged


def _is_enough(judged: Judged) -> bool:
    return all_judged(judged) or any(check.failed for check in judged.checks)


def _failed(judged: Judged) -> dict[str, str]:
    """Return the tests that failed, each with the first line of its message."""
    return {check.name: check.message.partition("\n")[0] for check in judged.checks if check.failed}


def _calls(judged: Judged) -> dict[str, tuple[str, ...]]:
    """Return the calls that led to the failure of each test that failed."""
    return {check.name: check.calls for check in judged.checks if check.failed and check.calls}


def _problem(judged: Judged) -> str:
    """Return why a guardrail gave no verdict."""
    errors = ERROR_LINE.findall(judged.log)
    if errors:
        return f"the guardrail does not run: {errors[-1]}"
    return (
        "the guardrail ended the process that runs it, so it has no verdict; a test must not exit, kill, or fork "
        "processes"
    )
