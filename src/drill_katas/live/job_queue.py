"""Where other threads leave what they want of a system that answers one at a time."""

from __future__ import annotations

import queue
import time
from concurrent.futures import Future
from typing import TYPE_CHECKING, Any, TypeVar

from drill_katas.failures import CheckEnded

if TYPE_CHECKING:
    from collections.abc import Callable

T = TypeVar("T")


class JobQueue:
    """Keeps jobs until the thread that plays the incident rests between two of its steps, and does them then."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = queue.SimpleQueue()

    def leave(self, job: Callable[[], T]) -> Future[T]:
        """Leave a job, and return at once what its value will be."""
        future: Future[T] = Future()
        self._jobs.put((future, job))
        return future

    def rest(self, seconds: float) -> None:
        """Do the jobs that are left within so many seconds, and one that waits already even if that is no time."""
        until = time.monotonic() + seconds
        while True:
            try:
                future, job = self._jobs.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                return
            if future.set_running_or_notify_cancel():
                _do(job, future)
            if time.monotonic() >= until:  # however many there are, the story goes on
                return


def _do(job: Callable[[], T], future: Future[T]) -> None:
    try:
        future.set_result(job())
    except (Exception, CheckEnded) as error:  # noqa: BLE001 - it is for whoever left the job
        future.set_exception(error)
