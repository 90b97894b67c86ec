"""How late an application answers a question that costs it nothing: the lag of its event loop, as seen from outside."""

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
    """How late answers came, in seconds; `failed` counts those that came in time and were no 200.

    `samples` has an entry for every moment at which somebody would have asked: one who waits 0.5 s for an answer would
    otherwise be one bad sample, where a whole queue has waited. This is HdrHistogram's correction for coordinated
    omission, https://github.com/HdrHistogram/HdrHistogram/blob/master/README.md.
    """

    samples: list[float] = field(default_factory=list)
    failed: int = 0

    @property
    def max(self) -> float:
        """The latest answer, in seconds."""
        return max(self.samples, default=0.0)

    @property
    def p95(self) -> float:
        """The lag that 95 of 100 answers did not exceed, in seconds, by nearest rank; 0 when nothing was asked."""
        if not self.samples:
            return 0.0
        return sorted(self.samples)[math.ceil(0.95 * len(self.samples)) - 1]

    def add(self, seconds: float, every: float) -> None:
        """Note an answer that took so long, where somebody asks `every` so many seconds."""
        waits = max(1, math.ceil(seconds / every))
        self.samples += [seconds - every * number for number in range(waits)]


@contextlib.contextmanager
def lag(
    network: Network, node: str, path: str = "/health", *, every: float = 0.02, within: float = 5.0
) -> Iterator[Lag]:
    """Ask a node's `path` again and again while the block runs, `every` so many seconds, and yield how late it answers.

    Nobody waits longer than `within` seconds for an answer: one that does not come counts as that late. The figures
    are complete when the block has ended.
    """
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
