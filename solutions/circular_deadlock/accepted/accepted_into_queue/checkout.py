"""Checkout: takes customers' orders into a line, carries them out one after another, and tells what became of them."""

import asyncio
import contextvars
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import structlog
from aiohttp import web
from prometheus_client import Counter

from .world import Deadline, Reply, World, health

log = structlog.get_logger()
orders_failed = Counter("orders_failed_total", "Orders that were taken and then not confirmed.", ["reason"])

IN_HAND = 5  # orders that are in hand at a time, for each worker
PROMISE = {"X-Deadline-Ms": "2500"}  # from taking an order to its outcome, unless its customer wants it sooner
ASK_AGAIN = 0.1  # seconds between two questions to a stock that does not answer
RETRY_AFTER = {"Retry-After": "1"}


def make_app(world: World) -> web.Application:
    """Make the application of the checkout service."""
    checkout = Checkout(world)
    app = web.Application()
    app.cleanup_ctx.append(checkout.workers)
    app.router.add_post("/orders", checkout.place)
    app.router.add_get("/orders/{order}", checkout.show)
    app.router.add_get("/health", health)
    return app


@dataclass(frozen=True)
class Ticket:
    """An order in the line, with what its request brought along."""

    order: dict[str, Any]
    traceparent: str
    deadline: Deadline
    context: contextvars.Context = field(default_factory=contextvars.copy_context)


class Checkout:
    """The line of orders, and their outcomes."""

    def __init__(self, world: World) -> None:
        """Begin without orders."""
        self._world = world
        self._line: asyncio.Queue[Ticket] = asyncio.Queue()
        self._in_hand: set[str] = set()
        self._outcomes: dict[str, tuple[int, dict[str, Any]]] = {}

    async def workers(self, _: web.Application) -> AsyncIterator[None]:
        """Keep the workers at work while the application runs."""
        tasks = [asyncio.create_task(self._work()) for _ in range(self._world.workers)]
        yield
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def place(self, request: web.Request) -> web.Response:
        """Take an order into the line, or refuse it when the line is too long."""
        order = await request.json()
        if order["id"] not in self._outcomes and order["id"] not in self._in_hand:
            if len(self._in_hand) >= IN_HAND * self._world.workers:
                return web.json_response({"status": "refused"}, status=429, headers=RETRY_AFTER)
            self._in_hand.add(order["id"])
            deadline = Deadline.of(request.headers if "X-Deadline-Ms" in request.headers else PROMISE)
            self._line.put_nowait(Ticket(order, request.headers.get("traceparent", ""), deadline))
        return self._answer(order["id"])

    async def show(self, request: web.Request) -> web.Response:
        """Show what has become of an order."""
        order = request.match_info["order"]
        if order not in self._outcomes and order not in self._in_hand:
            return web.json_response({"error": f"there is no order {order}"}, status=404)
        return self._answer(order)

    def _answer(self, order: str) -> web.Response:
        status, outcome = self._outcomes.get(order, (202, {"id": order, "status": "accepted"}))
        return web.json_response(outcome, status=status)

    async def _work(self) -> None:
        while True:
            ticket = await self._line.get()
            await asyncio.create_task(self._carry_out(ticket), context=ticket.context)

    async def _carry_out(self, ticket: Ticket) -> None:
        try:
            if ticket.deadline.left() == 0:
                self._reject(ticket.order["id"], "failed")
                return
            await self._world.work()
            reply = await self._reserve(ticket)
            if reply.status == HTTPStatus.OK:
                outcome = {"id": ticket.order["id"], "status": "confirmed", **reply.json}
                self._outcomes[ticket.order["id"]] = (200, outcome)
            else:
                self._reject(
                    ticket.order["id"], reply.json["reason"] if reply.status == HTTPStatus.CONFLICT else "failed"
                )
        except Exception:
            log.exception("order broke its worker", order=ticket.order["id"])
            self._reject(ticket.order["id"], "failed")
        finally:
            self._in_hand.discard(ticket.order["id"])

    async def _reserve(self, ticket: Ticket) -> Reply:
        """Have stock reserve the order; while nobody knows whether it did, ask again, which reserves nothing twice."""
        order, deadline = ticket.order, ticket.deadline
        tier = self._world.customers.get(order["customer"], "standard")
        wanted = {name: order[name] for name in ("sku", "quantity")} | {"order": order["id"]}
        unsure = False
        while True:
            try:
                reply = await self._world.call(
                    "stock",
                    "POST",
                    "/reservations",
                    json={**wanted, "terms": {"tier": tier, "coupon": order["coupon"]}},
                    headers={"traceparent": ticket.traceparent} | deadline.headers(),
                    timeout=deadline.left(),
                )
                if not unsure or reply.status in {200, 409}:
                    return reply
            except (TimeoutError, ConnectionError):
                unsure = True
            await asyncio.sleep(ASK_AGAIN)
            deadline = Deadline.of(PROMISE)

    def _reject(self, order: str, reason: str) -> None:
        self._outcomes[order] = (409, {"id": order, "status": "rejected", "reason": reason})
        orders_failed.labels(reason=reason).inc()
        log.error("order failed", order=order, reason=reason)
