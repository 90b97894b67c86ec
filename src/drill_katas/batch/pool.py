"""A pool of prefork judges: each worker judges on one processor, or alone on all processors."""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import threading
import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

import msgspec

from drill_katas.batch.confined_judge import ConfinedJudge
from drill_katas.batch.judge_client import JudgeConfig, JudgeEnded, JudgeRequest, WarmJudge
from drill_katas.batch.tasks import Judged, Task, killed_its_judge
from drill_katas.files import run_folder
from drill_katas.machine.shortage import require_proc
from drill_katas.sandbox.limits import has_own_process_count
from drill_katas.sandbox.tier import SandboxUnavailable, Tier
from drill_katas.sut.wire import Closed, WireError
from drill_katas.verdict import Report

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from concurrent.futures import Future

    from drill_katas.catalog.katas import Kata
    from drill_katas.sandbox.tier import SandboxPolicy
    from drill_katas.verdict import CheckResult

ATTEMPTS: Final = 2  # because a judge can also end for a reason outside of the submission
DEFECT: Final = "INTERNALERROR>"  # pytest's mark of an exception in a hook: a defect, the judge was not killed
MAX_LOG: Final = 2_000  # characters of the log of a judge without a verdict
PLUGINS: Final = ("kata", "timeout", "benchmark", "hypothesispytest")  # entry points of the plugins of a judge
UNUSED: Final = ("cacheprovider", "unraisableexception", "threadexception")  # the last two only slow down the exit


class Worker:
    """Judges one source at a time. It keeps the judge of its last kata, and all its files are in `folder`.

    With a `guardrail`, the tests in this file judge in place of the kata's checks.
    """

    def __init__(
        self, katas: Mapping[str, Kata], policy: SandboxPolicy, folder: Path, guardrail: Path | None = None
    ) -> None:
        self._katas = katas
        self._policy = policy
        self._folder = folder
        self._guardrail = guardrail
        self._judge: WarmJudge | None = None
        self._confined: ConfinedJudge | None = None
        self._kata: str | None = None
        self._stopped = False
        self._unfit: set[str] = set()  # katas whose broken version kills its judge as well
        self._temporary = folder / "tmp"  # TMPDIR of the judge and its processes
        self._temporary.mkdir(parents=True)
        (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")  # so that pytest reads no other settings
        self._log = (folder / "log").open("a+b")

    def judge(self, task: Task) -> Judged:
        """Judge one source. Never raises because of its content."""
        if task.tests:
            return self._judge_tests(task)
        problem, log, began = "", "", time.monotonic()
        for _ in range(ATTEMPTS):
            try:
                checks = self._checks(task)
                return Judged(key=task.key, checks=checks, seconds=round(time.monotonic() - began, 2))
            except JudgeEnded as ended:
                problem, log = str(ended), self._log_tail()
                self.rest()
            finally:
                self._clear()
            if self._stopped:
                break
        failed = Judged(key=task.key, problem=problem, log=log, lost=True)
        return self._blame_source(task, failed) if task.alone and not self._stopped else failed

    def _judge_tests(self, task: Task) -> Judged:
        """Run a task's own tests. They are at fault if they end their process, so they are not run again."""
        if self._confined is None or self._confined.kata.name != task.kata:
            self.rest()
            self._confined = ConfinedJudge(self._katas[task.kata], self._policy)
        try:
            checks = self._confined.judge(task)
            return Judged(key=task.key, checks=checks, seconds=round(self._confined.seconds, 2))
        except JudgeEnded as ended:
            return Judged(key=task.key, problem=str(ended))
        except (SandboxUnavailable, OSError, Closed, WireError) as error:  # a TimeoutError is an OSError
            self.rest()
            return Judged(key=task.key, problem=str(error), lost=True)

    def _blame_source(self, task: Task, failed: Judged) -> Judged:
        """Give a source that killed its judge the outcome `limit`, if the judge can judge the kata's broken version.

        If it cannot judge the broken version either, the grader's machine is the cause, and `failed` stays the result.
        """
        kata = self._katas[task.kata]
        if kata.name in self._unfit or DEFECT in failed.log:
            return failed
        broken = {name: (kata.folder / name).read_bytes() for name in kata.manifest.editable}
        try:
            checks = self._checks(msgspec.structs.replace(task, files=broken))
        except JudgeEnded:
            self.rest()
            self._unfit.add(kata.name)
            return failed
        finally:
            self._clear()
        return msgspec.structs.replace(failed, checks=tuple(map(killed_its_judge, checks)), problem="", log="")

    def stop(self) -> None:
        """End the current run soon. Thread-safe."""
        self._stopped = True
        judge, confined = self._judge, self._confined
        if judge is not None:
            judge.hang_up()
        if confined is not None:
            confined.stop()

    def close(self) -> None:
        """End the judge and close its log."""
        self.rest()
        self._log.close()

    def rest(self) -> None:
        """End the judge; the next task starts a new one."""
        judge, self._judge = self._judge, None
        if judge is not None:
            judge.close()
        confined, self._confined = self._confined, None
        if confined is not None:
            confined.close()

    def _checks(self, task: Task) -> tuple[CheckResult, ...]:
        source, report = self._temporary / "source", self._temporary / "report.json"
        for name, content in task.files.items():
            file = source / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        judge = self._ready(self._katas[task.kata])
        try:
            judge.judge(
                JudgeRequest(
                    source=str(source),
                    seed=task.seed,
                    report=str(report),
                    checks=task.checks,
                    stop_at_failure=task.stop_at_failure,
                )
            )
            katas = msgspec.json.decode(report.read_bytes(), type=Report).katas
        except (JudgeEnded, FileNotFoundError, msgspec.DecodeError) as error:
            raise JudgeEnded(f"the judge of {task.kata} gave no verdict ({error})") from None
        if not katas:
            raise JudgeEnded(f"the judge of {task.kata} ran no check")
        return katas[0].checks

    def _ready(self, kata: Kata) -> WarmJudge:
        if self._judge is None or self._kata != kata.name:
            self.rest()
            self._kata = kata.name
            self._log.truncate(0)
            self._judge = WarmJudge(
                self._config(kata), output=self._log, folder=str(self._folder), environment=self._environment()
            )
        return self._judge

    def _config(self, kata: Kata) -> JudgeConfig:
        plugins = tuple(word for name in (*PLUGINS, *(f"no:{each}" for each in UNUSED)) for word in ("-p", name))
        options = (
            "--kata-path", str(kata.folder.parent), "--kata-from", str(kata.folder), "--kata-all-stages",
            "--rootdir", str(self._folder), "-c", str(self._folder / "pytest.ini"), *plugins,
            "--no-header", "-q",
        )  # fmt: skip
        if self._guardrail is not None:
            options += ("--kata-guardrail", str(self._guardrail))
        return JudgeConfig(
            kata=kata.name,
            options=options,
            tier=self._policy.tier,
            hidden=self._policy.hidden,
            opaque=self._guardrail is not None,  # as in grading
        )

    def _environment(self) -> dict[str, str]:
        """Return the environment of a judge, without pytest's settings and the grader's secrets."""
        passed_on = ("PATH", "HOME", "LANG", "LC_ALL", "PYTHONPATH", "VIRTUAL_ENV", "PYTHONUTF8")
        environment = {name: os.environ[name] for name in passed_on if name in os.environ}
        return {**environment, "TMPDIR": str(self._temporary), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}

    def _log_tail(self) -> str:
        self._log.seek(0)
        return self._log.read().decode(errors="replace").strip()[-MAX_LOG:] or "nothing"

    def _clear(self) -> None:
        """Remove the files and the log of a run."""
        self._log.truncate(0)
        for entry in self._temporary.iterdir():
            if entry.is_dir():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink(missing_ok=True)


class Pool:
    """Judges with `jobs` workers on this machine. At its end it ends all workers and removes their files.

    It has only one worker if the kernel counts the threads of all SUTs together, because one SUT could use up the limit
    of another. With a `guardrail`, the tests in this file judge in place of the katas' checks. Raises `UserError`
    without /proc.
    """

    def __init__(self, katas: Iterable[Kata], policy: SandboxPolicy, jobs: int, guardrail: Path | None = None) -> None:
        require_proc()
        self._guardrail = guardrail
        self.tier = policy.tier
        self._katas = {kata.name: kata for kata in katas}
        self._policy = policy
        self.jobs = jobs if policy.tier is Tier.PRACTICE or has_own_process_count(policy.tier) else 1
        self._processors = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
        self._own = threading.local()
        self._workers: list[Worker] = []
        self._folders = contextlib.ExitStack()
        self._folder = Path()  # of this pool, inside the `with` block
        self._threads = ThreadPoolExecutor(self.jobs, initializer=self._start_worker, initargs=(itertools.count(),))

    def __enter__(self) -> Self:
        self._folder = self._folders.enter_context(run_folder())
        return self

    def __exit__(self, *_: object) -> None:
        for worker in self._workers:
            worker.stop()
        self._threads.shutdown(cancel_futures=True)
        for worker in self._workers:
            worker.close()
        self._folders.close()

    def judged(self, tasks: Iterable[Task]) -> Iterator[Judged]:
        """Yield each result as soon as it is known. Takes at most one task more than there are workers.

        If the caller stops early, tasks that have not begun are dropped.
        """
        pending: set[Future[Judged]] = set()
        try:
            for task in tasks:
                pending.add(self._threads.submit(self._judge, task))
                if len(pending) > self.jobs:
                    done, pending = wait(pending, return_when=FIRST_COMPLETED)
                    yield from (future.result() for future in done)
            while pending:
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        finally:  # the caller may stop early
            for future in pending:
                future.cancel()

    def _start_worker(self, numbers: Iterator[int]) -> None:
        """Give a thread a worker and a processor.

        Judge and SUT take turns, so that on one processor the kernel does not wake a second one for each turn.
        `benchmarks/pinned.py` measures the gain.
        """
        number = next(numbers)
        if self._processors:
            processors = sorted(self._processors)
            self._own.processor = {processors[number % len(processors)]}
            os.sched_setaffinity(0, self._own.processor)
        self._own.worker = Worker(self._katas, self._policy, self._folder / str(number), self._guardrail)
        self._workers.append(self._own.worker)

    def _judge(self, task: Task) -> Judged:
        worker: Worker = self._own.worker
        if not task.alone or not self._processors:
            return worker.judge(task)
        worker.rest()  # because its judge is pinned to one processor
        os.sched_setaffinity(0, self._processors)
        try:
            return worker.judge(task)
        finally:
            worker.rest()
            os.sched_setaffinity(0, self._own.processor)
