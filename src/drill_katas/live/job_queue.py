"""A queue of jobs from other threads for the thread that plays the incident."""

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
    """Runs jobs in the thread that plays the incident, between two of its steps."""

    def __init__(self) -> None:
        self._jobs: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]]] = queue.SimpleQueue()

    def submit(self, job: Callable[[], T]) -> Future[T]:
        """Add a job, and return the future of its value. Thread-safe."""
        future: Future[T] = Future()
        self._jobs.put((future, job))
        return future

    def rest(self, seconds: float) -> None:
        """Run the jobs that arrive within `seconds`; at least one waiting job runs even if `seconds` is 0."""
        until = time.monotonic() + seconds
        while True:
            try:
                future, job = self._jobs.get(timeout=max(0.0, until - time.monotonic()))
            except queue.Empty:
                return
            if future.set_running_or_notify_cancel():
                _run(job, future)
            if time.monotonic() >= until:  # the incident continues, even if more jobs wait
                return


def _run(job: Callable[[], T], future: Future[T]) -> None:
    try:
        future.set_result(job())
    except (Exception, CheckEnded) as error:  # noqa: BLE001 - the submitter of the job handles it
        future.set_exception(error)
