"""Judges on other machines, through dask.distributed. Its workers are trusted.

Tasks and results are plain data. dask may run a task again after it loses a worker; the result is the same, because
the key covers everything that the verdict depends on.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import importlib
import itertools
import threading
from typing import TYPE_CHECKING, Any, Final, Self

from drill_katas.batch.pool import Worker
from drill_katas.batch.tasks import Judged, Task
from drill_katas.catalog.katas import packs, shipped
from drill_katas.errors import UserError
from drill_katas.files import run_folder
from drill_katas.grading.keys import state_of
from drill_katas.grading.tiers import strongest_policy
from drill_katas.sandbox.limits import has_own_process_count
from drill_katas.sandbox.tier import Tier

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from drill_katas.catalog.katas import Kata
    from drill_katas.sandbox.tier import SandboxPolicy

CONNECT_SECONDS: Final = 15
RETRIES: Final = 2  # of a task whose function raised; dask itself restarts a task whose worker is lost
AHEAD: Final = 2  # tasks per worker thread: the running one and the next
ATTEMPT: Final = " attempt "  # between key and attempt number, because dask runs tasks with equal keys only once
WORKERS: Final[dict[int, Worker]] = {}
"""On a dask worker: the judge worker of each thread."""
_lock: Final = threading.Lock()
_turn: Final = threading.Lock()  # one judge at a time, where the kernel counts the processes of all SUTs together


class Cluster:
    """Judges on the workers of a scheduler. Raises `UserError` if it is unreachable or a worker's tier is too weak."""

    def __init__(self, address: str, katas: Iterable[Kata], wanted: Tier | None, *, unsafe: bool) -> None:
        try:
            distributed: Any = importlib.import_module("distributed")  # an extra
        except ImportError:
            raise UserError("--cluster needs the extra `cluster`: pip install 'drill-katas[cluster]'") from None
        self._as_completed = distributed.as_completed
        self._states = {kata.name: state_of(kata.folder) for kata in katas}
        self._unsafe = unsafe
        try:
            self._client = distributed.Client(address, timeout=CONNECT_SECONDS)
        except (OSError, ValueError) as error:
            raise UserError(f"--cluster {address}: no scheduler answers ({error})") from None
        try:
            self.tier = self._weakest(address, wanted)
        except UserError:
            self._client.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, raised: type[BaseException] | None, *_: object) -> None:
        if raised is None:  # after an exception, judges may be busy; the next run reuses them
            self._client.run(end_judges)
        self._client.close()

    def judged(self, tasks: Iterable[Task]) -> Iterator[Judged]:
        """Yield the result of each task as soon as it arrives. At most `AHEAD` tasks per thread are sent in advance."""
        threads = sum(self._client.nthreads().values())
        waiting = iter(tasks)
        running = self._as_completed([self._submit(task) for task in itertools.islice(waiting, AHEAD * threads)])
        for future in running:
            yield _result(future)
            for task in itertools.islice(waiting, 1):
                running.add(self._submit(task))

    def _submit(self, task: Task) -> Any:
        return self._client.submit(
            judge_here,
            task,
            self._states[task.kata],
            self.tier,
            unsafe=self._unsafe,
            key=f"{task.key}{ATTEMPT}{task.attempt}",
            retries=RETRIES,
        )

    def _weakest(self, address: str, wanted: Tier | None) -> Tier:
        """Return the weakest tier of all workers."""
        answers: dict[str, tuple[Tier | None, str]] = self._client.run(tier_here, wanted, unsafe=self._unsafe)
        if not answers:
            raise UserError(f"--cluster {address}: the scheduler has no worker; start one with `dask worker {address}`")
        for worker, (tier, refusal) in answers.items():
            if tier is None:
                raise UserError(f"the worker {worker}: {refusal}")
        order = list(Tier)
        return min((tier for tier, _ in answers.values() if tier is not None), key=order.index)


def _result(future: Any) -> Judged:
    if future.status == "finished":
        judged: Judged = future.result()
        return judged
    return Judged(key=future.key.rpartition(ATTEMPT)[0], problem=f"the cluster lost the task ({future.exception()!r})")


def tier_here(wanted: Tier | None, *, unsafe: bool) -> tuple[Tier | None, str]:
    """On a dask worker: return its strongest tier, or None and the reason why no tier is acceptable."""
    try:
        return _policy(wanted, unsafe=unsafe).tier, ""
    except UserError as refusal:
        return None, str(refusal)


def judge_here(task: Task, state: str, tier: Tier, *, unsafe: bool) -> Judged:
    """On a dask worker: judge a task with the judge worker of this thread."""
    kata = _katas().get(task.kata)
    if kata is None or state_of(kata.folder) != state:
        return Judged(key=task.key, problem=f"a worker has a different {task.kata} or version of drill-katas")
    policy = _policy(None, unsafe=unsafe)
    if policy.tier is not tier:
        return Judged(key=task.key, problem=f"a worker has the sandbox tier {policy.tier}; expected {tier}")
    thread = threading.get_ident()
    with _lock:
        if thread not in WORKERS:
            WORKERS[thread] = Worker(_katas(), policy, _folder() / str(thread))
    with contextlib.nullcontext() if has_own_process_count(tier) else _turn:
        return WORKERS[thread].judge(task)


def end_judges() -> None:
    """On a dask worker: end all judges."""
    with _lock:
        for worker in WORKERS.values():
            worker.rest()


@functools.cache
def _katas() -> dict[str, Kata]:
    """Return the installed katas by name; of equal names the first one, as `kata grade` does."""
    libraries = [shipped(), *packs()]
    return {kata.name: kata for library in reversed(libraries) for kata in library}


@functools.cache
def _policy(wanted: Tier | None, *, unsafe: bool) -> SandboxPolicy:
    return strongest_policy(list(_katas().values()), wanted, unsafe=unsafe)


@functools.cache
def _folder() -> Path:
    """Return the folder of all judge workers in this process; removed at exit, or by the next run after a kill."""
    folders = contextlib.ExitStack()
    atexit.register(folders.close)
    return folders.enter_context(run_folder())
