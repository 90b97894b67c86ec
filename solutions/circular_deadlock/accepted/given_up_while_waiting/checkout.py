"""Checkout: takes customers' orders, has stock reserve them, and answers what has become of them."""

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Coroutine
from http import HTTPStatus
from typing import Any

import structlog
from aiohttp import web
from prometheus_client import Counter

from .world import Deadline, Reply, World, health

log = structlog.get_logger()
orders_failed = Counter("orders_failed_total", "Orders that were taken and then not confirmed.", ["reason"])

IN_HAND = 5  # orders that are in hand at a time, for each worker
RETRY_AFTER = {"Retry-After": "1"}
PATIENCE = {"X-Deadline-Ms": "2500"}  # of customers who do not say how long they wait

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def make_app(world: World) -> web.Application:
    """Make the application of the checkout service."""
    checkout = Checkout(world)
    app = web.Application(middlewares=[checkout.one_worker_each])
    app.router.add_post("/orders", checkout.place)
    app.router.add_get("/orders/{order}", checkout.show)
    app.router.add_get("/orders/{order}/terms", checkout.terms)
    app.router.add_get("/health", health)
    return app


class Checkout:
    """Orders and their outcomes."""

    def __init__(self, world: World) -> None:
        """Begin without orders."""
        self._world = world
        self._workers = asyncio.Semaphore(world.workers)
        self._to_stock = asyncio.Semaphore(world.workers)
        self._in_hand = 0
        self._orders: dict[str, dict[str, Any]] = {}
        self._outcomes: dict[str, tuple[int, dict[str, Any]]] = {}
        self._unsure: dict[str, int] = defaultdict(int)  # an order's calls to stock that may have reserved it

    @web.middleware
    async def one_worker_each(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Give a request to a worker, when one is free before the caller has gone."""
        if request.path == "/health":
            return await handler(request)
        known = "X-Deadline-Ms" in request.headers
        request["deadline"] = deadline = Deadline.of(request.headers if known else PATIENCE)
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
            self._orders[order["id"]] = order
            await self._world.work()
            self._unsure[order["id"]] += 1
            try:
                reply = await self._while_others_work(self._reserve(order, request), request["deadline"])
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

    async def terms(self, request: web.Request) -> web.Response:
        """Return the terms on which an order was placed: the customer's tier, and the coupon."""
        order = self._orders.get(request.match_info["order"])
        if order is None:
            return web.json_response({"error": "there is no such order"}, status=404)
        tier = self._world.customers.get(order["customer"], "standard")
        return web.json_response({"tier": tier, "coupon": order["coupon"]})

    async def _reserve(self, order: dict[str, Any], request: web.Request) -> Reply:
        """Have stock reserve what was ordered, at a price."""
        deadline: Deadline = request["deadline"]
        return await self._world.call(
            "stock",
            "POST",
            "/reservations",
            json={"order": order["id"], "sku": order["sku"], "quantity": order["quantity"]},
            headers={"traceparent": request.headers.get("traceparent", "")} | deadline.headers(),
            timeout=deadline.left(),
        )

    async def _while_others_work(self, call: Coroutine[Any, Any, Reply], deadline: Deadline) -> Reply:
        """Await a call to stock while somebody else has the worker, which is taken up again afterwards."""
        self._workers.release()
        try:
            async with asyncio.timeout(deadline.left()), self._to_stock:
                return await call
        finally:
            call.close()
            await asyncio.shield(self._workers.acquire())

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
