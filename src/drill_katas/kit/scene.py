"""The scene of an incident: the argument of `replay(scene)` in a kata's `incident.py`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from drill_katas.kit.load import is_2xx

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from concurrent.futures import Future
    from random import Random

    from drill_katas.judge.handle import Handle
    from drill_katas.judge.sut import Sut
    from drill_katas.services.database import Database
    from drill_katas.services.hops import HttpResponse
    from drill_katas.services.network import Network
    from drill_katas.services.upstream import Upstream

T = TypeVar("T")


class Scene(Protocol):
    """Plays an incident on the system under test, on a virtual clock that jumps when nothing happens.

    >>> def replay(scene: kit.Scene) -> None:
    ...     for minute in scene.ticks(seconds=30):
    ...         total = scene.call("basket", "total", lambda: filled(scene.sut), lambda total: total == 1250)
    ...         scene.gauge("basket_cents", total or 0, "Cost of the last basket.")
    """

    @property
    def sut(self) -> Sut:
        """The system under test: open objects, serve applications, or kill it, as in a check."""

    @property
    def chance(self) -> Random:
        """The random numbers of this replay; the same seed gives the same numbers."""

    @property
    def variant(self) -> str:
        """The variant that is replayed: `original`, or a name from `variants` in `kata.toml`."""

    def without(self, ablation: str) -> bool:
        """Return whether this replay is the experiment of that name.

        Raises `AssertionError` for a name that is not in `Incident.ablations`.
        """

    def ticks(self, seconds: float) -> Iterator[float]:
        """Yield the minutes since the beginning, in steps of `seconds`.

        Between two steps, the requests of the earlier step are answered, and customers out of patience hang up.
        """

    def wait(self, seconds: float) -> None:
        """Let `seconds` of the incident's time pass inside a step."""

    def call(
        self, service: str, name: str, act: Callable[[], T], good: Callable[[T], bool] = lambda _: True, **fields: Any
    ) -> T | None:
        """Record `act()` as one request `name` to a service, on a trace of its own, and return its answer.

        `act` calls the SUT. If the SUT raises, the error is logged and the answer is None. `good(answer)` says whether
        the customer got the right answer. An answer that is a text of one or two words is recorded as the status of
        the request. `fields` are attributes of the span.
        """

    def send(
        self,
        network: Network,
        node: str,
        name: str,
        *,
        patience: float,
        good: Callable[[HttpResponse], bool] | None = is_2xx,
        **options: Any,
    ) -> Future[HttpResponse]:
        """Send a request such as "GET /health" to a node, and return at once.

        The customer hangs up after `patience` seconds. `good(answer)` says whether the customer got the right answer;
        with None, the request does not count. `options` are those of aiohttp's client (`json`, `headers`), and `path`
        for a path that differs from the one in `name`.
        """

    def log(self, service: str, level: str, event: str, *, trace_id: str | None = None, **fields: Any) -> None:
        """Write a log line of something outside the program: a deploy, a cron job, a comparison of books."""

    def gauge(self, name: str, value: float, about: str, **labels: str) -> None:
        """Set a metric of something outside the program; `about` describes it.

        A sample of the metric is the highest value that was set since the previous sample.
        """

    def watch(self, name: str, thing: Database | Upstream | Network, owner: str = "") -> None:
        """Record spans and metrics of a database, an upstream, or a network; `owner` is the service that uses it."""

    def expose(self, service: str, handle: Callable[[], Handle]) -> None:
        """Let people make calls by hand to the object that `handle()` returns, while `kata serve` runs."""
