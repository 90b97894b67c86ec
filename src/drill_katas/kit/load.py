"""Load on a node of a network: bursts, closed loops, open loops, and their results."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from drill_katas.quantiles import nearest_rank

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

    from drill_katas.services.hops import HttpResponse
    from drill_katas.services.http_client import Request
    from drill_katas.services.network import Network

SHOWN_SECONDS: Final = ".2f"


def is_2xx(answer: HttpResponse) -> bool:
    """Return whether the status is 2xx."""
    return answer.status is not None and 200 <= answer.status < 300  # noqa: PLR2004 - RFC 9110, section 15


@dataclass(frozen=True)
class Arrival:
    """A request, sent `at` seconds after the start; its customer hangs up after `within` seconds."""

    at: float
    request: Request
    within: float


@dataclass(frozen=True)
class Patience:
    """Time limit of a whole load, in seconds; time without a processor does not count.

    Beyond it, the exception that `lost()` returns is raised.
    `lost` is called while the customers still wait, so that it sees the open calls. Usually it is `sut.hang(...)`.
    """

    seconds: float
    lost: Callable[[], BaseException]


@dataclass(frozen=True)
class Load:
    """The result of a load: the answers in the order of the requests; `good` decides whether an answer is good.

    `seconds` is the time from the first request to the last answer.
    """

    answers: tuple[HttpResponse, ...]
    seconds: float
    good: Callable[[HttpResponse], bool] = field(default=is_2xx, repr=False)

    @property
    def good_answers(self) -> int:
        """The number of good answers."""
        return sum(map(self.good, self.answers))

    @property
    def goodput(self) -> float:
        """Good answers per second; 0 without requests."""
        return self.good_answers / self.seconds if self.seconds else 0.0

    @property
    def statuses(self) -> Counter[int | None]:
        """The number of answers by status; None for customers without an answer."""
        return Counter(answer.status for answer in self.answers)

    def percentile(self, percent: float) -> float:
        """Return a percentile of the response times in seconds, by nearest rank, without interpolation.

        A request without an answer counts with the time that its customer waited. Raises `AssertionError` without
        requests.
        """
        assert self.answers, "there were no requests, so there is no percentile"
        return nearest_rank(sorted(answer.seconds for answer in self.answers), percent)

    @property
    def p50(self) -> float:
        """The median, in seconds; see `percentile`."""
        return self.percentile(50)

    @property
    def p95(self) -> float:
        """See `percentile`."""
        return self.percentile(95)

    @property
    def p99(self) -> float:
        """See `percentile`."""
        return self.percentile(99)

    def describe(self) -> str:
        """Return one line for a message: "40 requests: 36 times 503, 4 times 200; 3.1 good a second; p50 ..."."""
        if not self.answers:
            return "no requests"
        counts = ", ".join(
            f"{number} {'time' if number == 1 else 'times'} {'no answer' if status is None else status}"
            for status, number in self.statuses.most_common()
        )
        times = ", ".join(f"{name} {getattr(self, name):{SHOWN_SECONDS}} s" for name in ("p50", "p95", "p99"))
        requests = f"{len(self.answers)} {'request' if len(self.answers) == 1 else 'requests'}"
        return f"{requests}: {counts}; {self.goodput:.1f} good a second; {times}"


def burst(
    network: Network,
    node: str,
    requests: Sequence[Request],
    *,
    within: float,
    good: Callable[[HttpResponse], bool] = is_2xx,
    patience: Patience | None = None,
) -> Load:
    """Send all requests at once; each customer hangs up after `within` seconds.

    When the time limit of `patience` has passed, this calls `patience.lost()` and raises the exception that `lost()`
    returns. The other load functions do the same.
    """
    arrivals = [Arrival(0.0, request, within) for request in requests]
    return open_loop(network, node, arrivals, good=good, patience=patience)


def closed_loop(
    network: Network,
    node: str,
    requests: Sequence[Request],
    *,
    clients: int,
    within: float,
    good: Callable[[HttpResponse], bool] = is_2xx,
    patience: Patience | None = None,
) -> Load:
    """Send the requests in order from `clients` customers; each sends its next request after the answer to its last.

    Each customer hangs up after `within` seconds.
    """

    async def run() -> list[HttpResponse]:
        answers: dict[int, HttpResponse] = {}
        left = iter(enumerate(requests))

        async def customer() -> None:
            for number, request in left:  # shared: the next free customer takes the next request
                answers[number] = await network.send(node, request, within)

        await asyncio.gather(*(customer() for _ in range(clients)))
        return [answers[number] for number in range(len(requests))]

    began = time.monotonic()
    answers = _finished(network, run(), patience)
    return Load(tuple(answers), time.monotonic() - began, good)


def open_loop(
    network: Network,
    node: str,
    arrivals: Sequence[Arrival],
    *,
    good: Callable[[HttpResponse], bool] = is_2xx,
    patience: Patience | None = None,
) -> Load:
    """Send each request at its time, independent of the answers to the others."""

    async def arrive(arrival: Arrival) -> HttpResponse:
        await asyncio.sleep(arrival.at)
        return await network.send(node, arrival.request, arrival.within)

    async def run() -> list[HttpResponse]:
        return await asyncio.gather(*map(arrive, arrivals))

    began = time.monotonic()
    answers = _finished(network, run(), patience)
    return Load(tuple(answers), time.monotonic() - began, good)


def _finished(
    network: Network, work: Coroutine[Any, Any, list[HttpResponse]], patience: Patience | None
) -> list[HttpResponse]:
    future = network.start(work)
    try:
        if patience is None:  # ends with the answer to the last customer, or when that customer hangs up
            return future.result()
        waiting = network.wait(patience.seconds)
        while left := waiting.left():
            with contextlib.suppress(TimeoutError):
                return future.result(left)
        raise patience.lost()
    finally:
        future.cancel()


def poisson(requests: Sequence[Request], *, rate: float, within: float, seed: int) -> list[Arrival]:
    """Return arrivals of a Poisson process with `rate` requests per second on average, from a seed.

    Each customer hangs up after `within` seconds.
    """
    chance = random.Random(seed)  # noqa: S311 - a load, not a secret
    times = itertools.accumulate(chance.expovariate(rate) for _ in requests)
    return [Arrival(at, request, within) for at, request in zip(times, requests, strict=True)]
