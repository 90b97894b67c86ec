"""The database of the dashboard, and the client of the price service."""

import http.client
import json
import secrets
import socket
from collections.abc import Mapping, Sequence
from typing import Any

import aiohttp
import structlog
from sqlalchemy import Engine

PATIENCE = 1.5  # seconds that a call waits for its answer
MOST_SKUS = 50  # of one call


class PricesUnavailable(Exception):
    """The price service answered an error, or nothing within `PATIENCE` seconds."""


class World:
    """One instance of the dashboard in production."""

    def __init__(self, name: str, links: Mapping[str, str], engine: Engine) -> None:
        """Connect to the database and to the price service."""
        self.name = name
        self.engine = engine
        self.prices = PriceClient(links["prices"])


class PriceClient:
    """A client of the price service. It may be used from any thread and from the event loop.

    Prices are decimal strings. Every call carries the trace id of structlog's context variables.
    """

    def __init__(self, address: str) -> None:
        """Talk to the service over a unix socket."""
        self._address = address
        self._session: aiohttp.ClientSession | None = None

    def get(self, sku: str) -> str | None:
        """Return the price of one SKU, or None if the service does not know it. Raise PricesUnavailable."""
        connection = _Connection(self._address)
        try:
            connection.request("POST", "/price", json.dumps({"sku": sku}), _headers())
            response = connection.getresponse()
            status, body = response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            raise PricesUnavailable(repr(error)) from error
        finally:
            connection.close()
        price: str | None = _read(status, body)["price"]
        return price

    async def fetch(self, sku: str) -> str | None:
        """Return the price of one SKU, or None if the service does not know it. Raise PricesUnavailable."""
        price: str | None = (await self._post("/price", {"sku": sku}))["price"]
        return price

    async def fetch_many(self, skus: Sequence[str]) -> dict[str, str]:
        """Return the prices of at most 50 SKUs, without unknown ones. Raise PricesUnavailable."""
        if len(skus) > MOST_SKUS:
            raise ValueError(f"{len(skus)} SKUs in one call; the price service takes {MOST_SKUS}")
        prices: dict[str, str] = (await self._post("/prices", {"skus": list(skus)}))["prices"]
        return prices

    async def _post(self, path: str, value: Any) -> Any:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=PATIENCE)
            self._session = aiohttp.ClientSession(connector=aiohttp.UnixConnector(self._address), timeout=timeout)
        try:
            async with self._session.post(f"http://prices{path}", json=value, headers=_headers()) as answer:
                return _read(answer.status, await answer.read())
        except (aiohttp.ClientError, TimeoutError) as error:
            raise PricesUnavailable(repr(error)) from error


class _Connection(http.client.HTTPConnection):
    def __init__(self, address: str) -> None:
        super().__init__("prices", timeout=PATIENCE)
        self._address = address

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(self._address)


def _headers() -> dict[str, str]:
    headers = {"content-type": "application/json"}
    trace_id = structlog.contextvars.get_contextvars().get("trace_id")
    if trace_id:
        headers["traceparent"] = f"00-{trace_id}-{secrets.token_hex(8)}-01"
    return headers


def _read(status: int, body: bytes) -> Any:
    if status != http.HTTPStatus.OK:
        raise PricesUnavailable(f"the price service answers {status}")
    return json.loads(body)
