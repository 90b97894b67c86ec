"""Judges sources of katas, several at once: each in a warm judge, on one processor; alone, on all there are."""

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

from drill_katas.batch.judge_client import JudgeConfig, JudgeEnded, JudgeRequest, WarmJudge
from drill_katas.batch.tasks import Judged, Task, killed_its_judge
from drill_katas.files import run_folder
from drill_katas.machine.shortage import require_proc
from drill_katas.sandbox.limits import has_own_process_count
from drill_katas.sandbox.tier import Tier
from drill_katas.verdict import Report

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from concurrent.futures import Future
    from pathlib import Path

    from drill_katas.catalog.katas import Kata
    from drill_katas.sandbox.tier import SandboxPolicy
    from drill_katas.verdict import CheckResult

ATTEMPTS: Final = 2  # a judge that has ended is no fault of what it judged, as far as anybody knows
DEFECT: Final = "INTERNALERROR>"  # as pytest marks the traceback of what was raised in a hook: nothing has killed it
TOLD: Final = 2_000  # characters of what a judge has said, when it gave no verdict
PLUGINS: Final = ("kata", "timeout", "benchmark", "hypothesispytest")  # that a judge needs, by their entry points
UNUSED: Final = ("cacheprovider", "unraisableexception", "threadexception")  # the last two collect garbage at the end


class Worker:
    """Judges one source at a time, with a warm judge of one kata that it keeps; all its files lie in `folder`."""

    def __init__(self, katas: Mapping[str, Kata], policy: SandboxPolicy, folder: Path) -> None:
        self._katas = katas
        self._policy = policy
        self._folder = folder
        self._judge: WarmJudge | None = None
        self._kata: str | None = None
        self._stopped = False
        self._unfit: set[str] = set()  # katas that no judge here can judge, whatever the source
        self._temporary = folder / "tmp"  # of the judge and what it starts
        self._temporary.mkdir(parents=True)
        (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")  # nobody else's settings take part
        self._log = (folder / "log").open("a+b")

    def judge(self, task: Task) -> Judged:
        """Judge one source. Never raises for what is in it."""
        problem, said, began = "", "", time.monotonic()
        for _ in range(ATTEMPTS):
            try:
                checks = self._checks(task)
                return Judged(key=task.key, checks=checks, seconds=round(time.monotonic() - began, 2))
            except JudgeEnded as ended:
                problem, said = str(ended), self._said()
                self.rest()
            finally:
                self._clear()
            if self._stopped:
                break
        failed = Judged(key=task.key, problem=problem, said=said, lost=True)
        return self._blamed(task, failed) if task.alone and not self._stopped else failed

    def _blamed(self, task: Task, failed: Judged) -> Judged:
        """Give a source that its judge has died of the verdict `limit`, if the same judge can judge another source.

        The control is the kata's own broken files. Where these cannot be judged either, the grader is to blame.
        """
        kata = self._katas[task.kata]
        if kata.name in self._unfit or DEFECT in failed.said:
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
        return msgspec.structs.replace(failed, checks=tuple(map(killed_its_judge, checks)), problem="", said="")

    def stop(self) -> None:
        """Have what is being judged end soon, from another thread."""
        self._stopped = True
        if self._judge is not None:
            self._judge.hang_up()

    def close(self) -> None:
        """End it."""
        self.rest()
        self._log.close()

    def rest(self) -> None:
        """End its judge; the next task gets a new one."""
        judge, self._judge = self._judge, None
        if judge is not None:
            judge.close()

    def _checks(self, task: Task) -> tuple[CheckResult, ...]:
        source, report = self._temporary / "source", self._temporary / "report.json"
        for name, content in task.files.items():
            file = source / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(content)
        judge = self._ready(self._katas[task.kata])
        try:
            judge.judge(JudgeRequest(source=str(source), seed=task.seed, report=str(report), checks=task.checks))
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
                self._order(kata), output=self._log, folder=str(self._folder), environment=self._environment()
            )
        return self._judge

    def _order(self, kata: Kata) -> JudgeConfig:
        plugins = tuple(word for name in (*PLUGINS, *(f"no:{each}" for each in UNUSED)) for word in ("-p", name))
        options = (
            "--kata-path", str(kata.folder.parent), "--kata-from", str(kata.folder), "--kata-all-stages",
            "--rootdir", str(self._folder), "-c", str(self._folder / "pytest.ini"), *plugins,
            "--no-header", "-q",
        )  # fmt: skip
        return JudgeConfig(kata=kata.name, options=options, tier=self._policy.tier, hidden=self._policy.hidden)

    def _environment(self) -> dict[str, str]:
        """Return what a judge needs to know: no setting of pytest's, and no secret of whoever grades."""
        kept = ("PATH", "HOME", "LANG", "LC_ALL", "PYTHONPATH", "VIRTUAL_ENV", "PYTHONUTF8")
        environment = {name: os.environ[name] for name in kept if name in os.environ}
        return {**environment, "TMPDIR": str(self._temporary), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}

    def _said(self) -> str:
        self._log.seek(0)
        return self._log.read().decode(errors="replace").strip()[-TOLD:] or "nothing"

    def _clear(self) -> None:
        """Remove what a run has left, be it one that was cut short."""
        self._log.truncate(0)
        for entry in self._temporary.iterdir():
            if entry.is_dir():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink(missing_ok=True)


class Pool:
    """Judges with `jobs` slots on this machine. What it begins it ends, and its folder goes with it.

    One slot only where the kernel counts the threads of all SUTs together: one could leave none to another.
    Raises `UserError` where no SUT can be watched.
    """

    def __init__(self, katas: Iterable[Kata], policy: SandboxPolicy, jobs: int) -> None:
        require_proc()
        self.tier = policy.tier
        self._katas = {kata.name: kata for kata in katas}
        self._policy = policy
        self.jobs = jobs if policy.tier is Tier.PRACTICE or has_own_process_count(policy.tier) else 1
        self._processors = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
        self._own = threading.local()
        self._slots: list[Worker] = []

    def __enter__(self) -> Self:
        self._folders = contextlib.ExitStack()
        self._folder = self._folders.enter_context(run_folder())
        self._threads = ThreadPoolExecutor(self.jobs, initializer=self._begin, initargs=(itertools.count(),))
        return self

    def __exit__(self, *_: object) -> None:
        for slot in self._slots:
            slot.stop()
        self._threads.shutdown(cancel_futures=True)
        for slot in self._slots:
            slot.close()
        self._folders.close()

    def judged(self, tasks: Iterable[Task]) -> Iterator[Judged]:
        """Yield what came of each task, as soon as it is known. No more tasks are taken than can be begun."""
        pending: set[Future[Judged]] = set()
        for task in tasks:
            pending.add(self._threads.submit(self._judge, task))
            if len(pending) > self.jobs:
                done, pending = wait(pending, return_when=FIRST_COMPLETED)
                yield from (future.result() for future in done)
        while pending:
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            yield from (future.result() for future in done)

    def _begin(self, numbers: Iterator[int]) -> None:
        """Give a thread a slot and a processor.

        Judge and SUT take turns; on one processor the kernel need not wake another one for each of them. What that
        saves `benchmarks/pinned.py` measures.
        """
        number = next(numbers)
        if self._processors:
            processors = sorted(self._processors)
            self._own.processor = {processors[number % len(processors)]}
            os.sched_setaffinity(0, self._own.processor)
        self._own.slot = Worker(self._katas, self._policy, self._folder / str(number))
        self._slots.append(self._own.slot)

    def _judge(self, task: Task) -> Judged:
        slot: Worker = self._own.slot
        if not task.alone or not self._processors:
            return slot.judge(task)
        slot.rest()  # its judge is on one processor for as long as it lives
        os.sched_setaffinity(0, self._processors)
        try:
            return slot.judge(task)
        finally:
            slot.rest()
            os.sched_setaffinity(0, self._own.processor)
