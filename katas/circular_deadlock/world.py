"""The surroundings of each service: its links to the others, its data, its deadlines."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import aiohttp
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy import Engine

T = TypeVar("T")


@dataclass(frozen=True)
class Reply:
    """The answer of a service to a call."""

    status: int
    json: Any


class Database:
    """Stock's database server."""

    def __init__(self, connect: Callable[..., Engine]) -> None:
        """Keep the function that connects to the server."""
        self._connect = connect

    def engine(self, connections: int) -> Engine:
        """Return an engine with a pool of `connections` connections."""
        return self._connect(pool_size=connections, max_overflow=0)


class World:
    """One service's surroundings. A service has only the data that is its own; the rest is empty."""

    def __init__(  # noqa: PLR0913 - each is one thing that a service may be given
        self,
        name: str,
        links: Mapping[str, str],
        *,
        workers: int,
        service_time: float,
        customers: Mapping[str, str] | None = None,
        list_prices: Mapping[str, str] | None = None,
        tiers: Mapping[str, int] | None = None,
        coupons: Mapping[str, int] | None = None,
        on_hand: Mapping[str, int] | None = None,
        database: Database | None = None,
    ) -> None:
        """Take the settings of `sut.serve`."""
        self.name = name
        self.workers = workers
        self.service_time = service_time  # seconds of a service's own work on a request
        self.customers = dict(customers or {})  # customer -> tier (checkout's)
        self.list_prices = dict(list_prices or {})  # sku -> price of one, in whole units (everybody's)
        self.tiers = dict(tiers or {})  # tier -> per cent off (pricing's)
        self.coupons = dict(coupons or {})  # coupon -> per cent off (pricing's)
        self.on_hand = dict(on_hand or {})  # sku -> quantity on the first day (stock's)
        self.engine: Any = database and database.engine(workers)  # the database (stock's), with `workers` connections
        self._threads = ThreadPoolExecutor(workers)
        self._links = dict(links)
        self._sessions: dict[str, aiohttp.ClientSession] = {}

    async def in_thread(self, work: Callable[..., T], *arguments: Any) -> T:
        """Call a blocking function in one of `workers` threads; it runs to its end even if the caller is cancelled."""
        called = asyncio.get_running_loop().run_in_executor(self._threads, work, *arguments)
        try:
            return await asyncio.shield(called)
        finally:
            await asyncio.wait([called])

    def list_price(self, goods: Mapping[str, Any]) -> str:
        """Return the price of a `quantity` of a `sku` without discounts."""
        return f"{int(self.list_prices[goods['sku']]) * goods['quantity']}.00"

    async def work(self) -> None:
        """Do the service's own work on one request."""
        await asyncio.sleep(self.service_time)

    async def call(
        self,
        node: str,
        method: str,
        path: str,
        *,
        json: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - what it raises then is documented
    ) -> Reply:
        """Call another service, once, and return its answer, whatever its status.

        Raise TimeoutError after `timeout` seconds without an answer (None: wait forever), and ConnectionError when the
        connection was lost. In both cases the other service may have carried the call out.
        """
        session = self._session(node)
        try:
            async with asyncio.timeout(timeout):
                async with session.request(
                    method, f"http://{node}{path}", json=json, headers=headers, allow_redirects=False
                ) as answer:
                    return Reply(answer.status, await answer.json(content_type=None))
        except (aiohttp.ClientError, ValueError) as error:
            raise ConnectionError(f"{self.name} lost its connection to {node}: {error}") from error

    def _session(self, node: str) -> aiohttp.ClientSession:
        if node not in self._sessions:
            self._sessions[node] = aiohttp.ClientSession(
                connector=aiohttp.UnixConnector(self._links[node], limit=0),
                timeout=aiohttp.ClientTimeout(total=None),
                middlewares=[_sent_once],
            )
        return self._sessions[node]


async def _sent_once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Send a request once; this error keeps aiohttp from repeating it on a lost connection."""
    try:
        return await send(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as lost:
        raise aiohttp.ClientConnectionError(str(lost)) from lost


class Deadline:
    """The end of a caller's wait for its answer; `Deadline(None)` has no end."""

    def __init__(self, seconds: float | None) -> None:
        """Begin to count down `seconds`."""
        self._at = None if seconds is None else time.monotonic() + seconds

    @classmethod
    def of(cls, headers: Mapping[str, str]) -> Deadline:
        """Read the header `X-Deadline-Ms` of a request that has just arrived."""
        text = headers.get("X-Deadline-Ms", "")
        return cls(int(text) / 1000 if text.isdecimal() else None)

    def left(self) -> float | None:
        """Return the seconds that are left, never less than 0; None when there is no end."""
        return None if self._at is None else max(0.0, self._at - time.monotonic())

    def headers(self) -> dict[str, str]:
        """Return the header with the milliseconds that are left, for the next service."""
        left = self.left()
        return {} if left is None else {"X-Deadline-Ms": str(int(left * 1000))}


async def health(_: web.Request) -> web.Response:
    """Answer the load balancer."""
    return web.json_response({"status": "ok"})
