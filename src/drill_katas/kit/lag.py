"""Event-loop lag of an application, measured from outside by the response times of a trivial request."""

from __future__ import annotations

import contextlib
import math
import threading
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drill_katas.services.network import Network


@dataclass
class Lag:
    """Response times in seconds; `failed` counts answers that came in time but had a status other than 200.

    `samples` has an entry for each planned request. A wait of 0.5 s therefore counts for each request that would have
    been sent meanwhile. This is HdrHistogram's correction for coordinated omission,
    https://github.com/HdrHistogram/HdrHistogram/blob/master/README.md.
    """

    samples: list[float] = field(default_factory=list)
    failed: int = 0

    @property
    def max(self) -> float:
        """The longest response time, in seconds."""
        return max(self.samples, default=0.0)

    @property
    def p95(self) -> float:
        """The 95th percentile in seconds, by nearest rank; 0 without samples."""
        if not self.samples:
            return 0.0
        return sorted(self.samples)[math.ceil(0.95 * len(self.samples)) - 1]

    def add(self, seconds: float, every: float) -> None:
        """Add a response time to the samples; requests are planned `every` seconds."""
        waits = max(1, math.ceil(seconds / every))
        self.samples += [seconds - every * number for number in range(waits)]


@contextlib.contextmanager
def lag(
    network: Network, node: str, path: str = "/health", *, every: float = 0.02, within: float = 5.0
) -> Iterator[Lag]:
    """Request a node's `path` every `every` seconds while the block runs, and yield the response times.

    A request times out after `within` seconds, and its response time then counts as `within` seconds. The figures are
    complete after the block.
    """
    network.expect_answers(node)  # here, because a thread's exception reaches nobody
    seen, over = Lag(), threading.Event()

    def ask() -> None:
        while True:
            answer = network.ask(node, "GET", path, within=within)
            seen.add(answer.seconds, every)
            seen.failed += answer.status != HTTPStatus.OK and answer.seconds < within
            if over.wait(every):
                return

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    try:
        yield seen
    finally:
        over.set()
        asking.join()
