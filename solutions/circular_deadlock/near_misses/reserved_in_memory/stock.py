"""Stock: keeps what is on hand, and reserves it for orders at the price that pricing quotes."""

import time
from http import HTTPStatus
from typing import Any

from aiohttp import web

from .world import Deadline, World, health

FAILURES = 3  # in a row, and pricing is left alone
COOL_DOWN = 0.3  # seconds until it is tried again
PATIENCE = 0.5  # of the time that is left, for pricing to answer


def make_app(world: World) -> web.Application:
    """Make the application of the stock service."""
    stock = Stock(world)
    app = web.Application()
    app.router.add_post("/reservations", stock.reserve)
    app.router.add_get("/stock/{sku}", stock.show)
    app.router.add_get("/health", health)
    return app


class PricingClient:
    """Asks pricing for quotes, and leaves it alone while it is down."""

    def __init__(self, world: World) -> None:
        """Trust pricing until it fails."""
        self._world = world
        self._failures = 0
        self._retry_at = 0.0
        self._probing = False

    async def quote(self, reservation: dict[str, Any], trace: str, deadline: Deadline) -> str | None:
        """Return the price of a reservation, or None when pricing has none to give in time."""
        if self._failures < FAILURES:
            return await self._ask(reservation, trace, deadline)
        if self._probing or time.monotonic() < self._retry_at:
            return None
        self._probing = True
        try:
            return await self._ask(reservation, trace, deadline)
        finally:
            self._probing = False

    async def _ask(self, reservation: dict[str, Any], trace: str, deadline: Deadline) -> str | None:
        left = deadline.left()
        share = Deadline(left and left * PATIENCE)
        headers = {"traceparent": trace} | share.headers()
        try:
            reply = await self._world.call(
                "pricing", "POST", "/quotes", json=reservation, headers=headers, timeout=share.left()
            )
        except (TimeoutError, ConnectionError):
            reply = None
        if reply is None or reply.status != HTTPStatus.OK:
            self._failures += 1
            self._retry_at = time.monotonic() + COOL_DOWN
            return None
        self._failures = 0
        return str(reply.json["price"])


class Stock:
    """Shelves and reservations."""

    def __init__(self, world: World) -> None:
        """Begin with the day's goods."""
        self._world = world
        self._pricing = PricingClient(world)
        self._on_hand = dict(world.on_hand)
        self._reserved: dict[str, dict[str, Any]] = {}

    async def reserve(self, request: web.Request) -> web.Response:
        """Reserve goods for an order: `{"order", "sku", "quantity", "terms"}` -> `{"price", "degraded"}`."""
        deadline, trace = Deadline.of(request.headers), request.headers.get("traceparent", "")
        wanted = await request.json()
        await self._world.work()
        price = await self._pricing.quote(wanted, trace, deadline)
        offer = {"price": price or self._world.list_price(wanted), "degraded": price is None}
        if deadline.left() == 0:
            return web.json_response({"error": "too late"}, status=503, headers={"Retry-After": "1"})
        sku, quantity = wanted["sku"], wanted["quantity"]
        if wanted["order"] not in self._reserved:
            if self._on_hand.get(sku, 0) < quantity:
                return web.json_response({"reason": "sold out"}, status=409)
            self._on_hand[sku] -= quantity
            self._reserved[wanted["order"]] = {"sku": sku, "quantity": quantity, "offer": offer}
        return web.json_response(self._reserved[wanted["order"]]["offer"])

    async def show(self, request: web.Request) -> web.Response:
        """Show what is on hand of a product, and for which orders some is reserved."""
        sku = request.match_info["sku"]
        held = [
            {"order": order, "quantity": each["quantity"]}
            for order, each in self._reserved.items()
            if each["sku"] == sku
        ]
        return web.json_response({"sku": sku, "on_hand": self._on_hand.get(sku, 0), "reserved": held})
