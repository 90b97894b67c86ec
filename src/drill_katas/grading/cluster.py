"""Judges on other machines, through dask.distributed: its workers are trusted, and do no more than run judges.

A task goes there as data, and what came of it comes back as data. It may be begun anew when a worker is lost, for its
key says all that its verdict depends on.
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
RETRIES: Final = 2  # of a task whose function raised; one whose worker is lost is begun anew by dask itself
AHEAD: Final = 2  # tasks that are there for each thread of a worker: one that runs, and the next
ATTEMPT: Final = " attempt "  # between a key and its number: two tasks of one key are one to Dask
SLOTS: Final[dict[int, Worker]] = {}
"""On a worker: the slot of each of its threads."""
_lock: Final = threading.Lock()
_turn: Final = threading.Lock()  # for judges whose SUTs the kernel counts together


class Cluster:
    """The workers of a scheduler, as judges. Raises `UserError` when they cannot be had, or hold too weakly."""

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
            raise UserError(f"--cluster {address}: there is no scheduler ({error})") from None
        try:
            self.tier = self._weakest(address, wanted)
        except UserError:
            self._client.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, raised: type[BaseException] | None, *_: object) -> None:
        if raised is None:  # otherwise there are judges at work, which are used again
            self._client.run(let_go)
        self._client.close()

    def judged(self, tasks: Iterable[Task]) -> Iterator[Judged]:
        """Yield what came of each task, as soon as it is known. Few are sent ahead of those that are judged."""
        threads = sum(self._client.nthreads().values())
        waiting = iter(tasks)
        running = self._as_completed([self._sent(task) for task in itertools.islice(waiting, AHEAD * threads)])
        for future in running:
            yield _result(future)
            for task in itertools.islice(waiting, 1):
                running.add(self._sent(task))

    def _sent(self, task: Task) -> Any:
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
        """Ask every worker how well it holds SUTs, and return the least."""
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
    return Judged(key=future.key.rpartition(ATTEMPT)[0], problem=f"the cluster has lost it ({future.exception()!r})")


def tier_here(wanted: Tier | None, *, unsafe: bool) -> tuple[Tier | None, str]:
    """On a worker: say how well it holds SUTs, or why it will not hold any."""
    try:
        return _policy(wanted, unsafe=unsafe).tier, ""
    except UserError as refusal:
        return None, str(refusal)


def judge_here(task: Task, state: str, tier: Tier, *, unsafe: bool) -> Judged:
    """On a worker: judge a task, in the slot of this thread."""
    kata = _katas().get(task.kata)
    if kata is None or state_of(kata.folder) != state:
        return Judged(key=task.key, problem=f"a worker has another {task.kata}, or another version of drill-katas")
    policy = _policy(None, unsafe=unsafe)
    if policy.tier is not tier:
        return Judged(key=task.key, problem=f"a worker holds SUTs at the tier {policy.tier}, and not at {tier}")
    me = threading.get_ident()
    with _lock:
        if me not in SLOTS:
            SLOTS[me] = Worker(_katas(), policy, _folder() / str(me))
    with contextlib.nullcontext() if has_own_process_count(tier) else _turn:
        return SLOTS[me].judge(task)


def let_go() -> None:
    """On a worker: end all judges."""
    with _lock:
        for slot in SLOTS.values():
            slot.rest()


@functools.cache
def _katas() -> dict[str, Kata]:
    """Return those that are installed here; where two have one name it is the first's, as for `kata grade` itself."""
    libraries = [shipped(), *packs()]
    return {kata.name: kata for library in reversed(libraries) for kata in library}


@functools.cache
def _policy(wanted: Tier | None, *, unsafe: bool) -> SandboxPolicy:
    return strongest_policy(list(_katas().values()), wanted, unsafe=unsafe)


@functools.cache
def _folder() -> Path:
    """Return the folder of all slots here, which goes with this process, or when the next run finds that it has."""
    folders = contextlib.ExitStack()
    atexit.register(folders.close)
    return folders.enter_context(run_folder())
