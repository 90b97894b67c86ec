"""Checkout: takes customers' orders, has stock reserve them, and answers what has become of them."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any

import structlog
from aiohttp import web
from prometheus_client import Counter

from .world import Deadline, Reply, World, health

log = structlog.get_logger()
orders_failed = Counter("orders_failed_total", "Orders that were taken and then not confirmed.", ["reason"])

IN_HAND = 5  # orders that are in hand at a time, for each worker
FAILURES = 3  # in a row, and pricing is left alone
COOL_DOWN = 0.3  # seconds until it is tried again
PATIENCE = 0.5  # of the time that is left, for pricing to answer
RETRY_AFTER = {"Retry-After": "1"}
UNTOLD = {"X-Deadline-Ms": "2500"}  # of customers who do not say how long they wait

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def make_app(world: World) -> web.Application:
    """Make the application of the checkout service."""
    checkout = Checkout(world)
    app = web.Application(middlewares=[checkout.one_worker_each])
    app.router.add_post("/orders", checkout.place)
    app.router.add_get("/orders/{order}", checkout.show)
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


class Checkout:
    """Orders and their outcomes."""

    def __init__(self, world: World) -> None:
        """Begin without orders."""
        self._world = world
        self._workers = asyncio.Semaphore(world.workers)
        self._pricing = PricingClient(world)
        self._in_hand = 0
        self._outcomes: dict[str, tuple[int, dict[str, Any]]] = {}
        self._unsure: dict[str, int] = defaultdict(int)  # an order's calls to stock that may have reserved it

    @web.middleware
    async def one_worker_each(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Give a request to a worker, when one is free before the caller has gone."""
        if request.path == "/health":
            return await handler(request)
        known = "X-Deadline-Ms" in request.headers
        request["deadline"] = deadline = Deadline.of(request.headers if known else UNTOLD)
        orders = int(request.method == "POST")
        if orders and self._in_hand >= IN_HAND * self._world.workers:
            return self._not_now((await request.json())["id"])
        self._in_hand += orders
        try:
            try:
                await asyncio.wait_for(self._workers.acquire(), deadline.left())
            except TimeoutError:
                return self._not_now((await request.json())["id"]) if orders else busy()
            try:
                return await handler(request)
            finally:
                self._workers.release()
        finally:
            self._in_hand -= orders

    async def place(self, request: web.Request) -> web.Response:
        """Place an order; one that was placed before gets its answer again."""
        order = await request.json()
        if order["id"] not in self._outcomes:
            await self._world.work()
            self._unsure[order["id"]] += 1
            try:
                reply = await self._reserve(order, request)
            except (TimeoutError, ConnectionError):
                return unknown(order["id"])
            if reply.status not in {200, 409}:
                self._unsure[order["id"]] -= 1
                return self._not_now(order["id"])
            self._settle(order, reply)
        return self._answer(order["id"])

    async def show(self, request: web.Request) -> web.Response:
        """Show what has become of an order."""
        order = request.match_info["order"]
        if order not in self._outcomes:
            return web.json_response({"error": f"there is no order {order}"}, status=404)
        return self._answer(order)

    async def _reserve(self, order: dict[str, Any], request: web.Request) -> Reply:
        """Have pricing say what the order costs, and stock reserve it at that price."""
        deadline: Deadline = request["deadline"]
        trace = request.headers.get("traceparent", "")
        tier = self._world.customers.get(order["customer"], "standard")
        goods = {"order": order["id"], "sku": order["sku"], "quantity": order["quantity"]}
        quoted = {**goods, "terms": {"tier": tier, "coupon": order["coupon"]}}
        price = await self._pricing.quote(quoted, trace, deadline)
        return await self._world.call(
            "stock",
            "POST",
            "/reservations",
            json={**goods, "price": price or self._world.list_price(order), "degraded": price is None},
            headers={"traceparent": trace} | deadline.headers(),
            timeout=deadline.left(),
        )

    def _settle(self, order: dict[str, Any], reply: Reply) -> None:
        """Remember the outcome of an order, and count it when it failed. The first outcome counts."""
        self._unsure.pop(order["id"], None)
        if order["id"] in self._outcomes:
            return
        if reply.status == HTTPStatus.CONFLICT:
            outcome = {"id": order["id"], "status": "rejected", "reason": reply.json["reason"]}
            orders_failed.labels(reason=outcome["reason"]).inc()
            log.error("order failed", order=order["id"], reason=outcome["reason"])
        else:
            price, degraded = reply.json["price"], reply.json["degraded"]
            outcome = {"id": order["id"], "status": "confirmed", "price": price, "degraded": degraded}
        self._outcomes[order["id"]] = (reply.status, outcome)

    def _not_now(self, order: str) -> web.Response:
        """Refuse an order, unless it is known, or may have been reserved."""
        if order in self._outcomes:
            return self._answer(order)
        return unknown(order) if self._unsure.get(order) else busy()

    def _answer(self, order: str) -> web.Response:
        status, outcome = self._outcomes[order]
        return web.json_response(outcome, status=status)


def unknown(order: str) -> web.Response:
    """Say of an order that it may have been reserved."""
    return web.json_response({"id": order, "status": "unknown"}, status=504)


def busy() -> web.Response:
    """Refuse an order: nothing has been done for it."""
    return web.json_response({"status": "refused"}, status=503, headers=RETRY_AFTER)
