"""The customer dashboard: what customers have ordered, at today's prices."""

import asyncio
import json
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from decimal import Decimal
from typing import Any

import structlog
from aiohttp import web
from prometheus_client import Counter, Histogram

from .models import Line, Order, User, add_orders, add_users, create_tables, load_users
from .world import PricesUnavailable, World

log = structlog.get_logger()
seconds = Histogram("dashboard_seconds", "Time to make a dashboard.", buckets=(0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2))
failures = Counter("dashboard_failures_total", "Dashboards that could not be made.", ["reason"])

MOST_USERS = 100
PRICE_CALLS = 4  # that the price service takes from us at once
PATIENCE = 3.0  # seconds that a dashboard may take, its turn included

Prices = dict[str, str]


def make_app(world: World) -> web.Application:
    """Return the application of one instance."""
    create_tables(world.engine)
    dashboard = Dashboard(world)
    app = web.Application()
    app.router.add_get("/health", health)
    app.router.add_get("/dashboard", dashboard.show)
    app.router.add_post("/users", dashboard.take_users)
    app.router.add_post("/orders", dashboard.take_orders)
    return app


async def health(_request: web.Request) -> web.Response:
    """Report to the load balancer that this instance is alive."""
    return web.json_response({"status": "ok"})


class Dashboard:
    """The handlers, on the database and the price service of one instance."""

    def __init__(self, world: World) -> None:
        """Serve this world's customers."""
        self._engine = world.engine
        self._prices = world.prices
        self._callers = ThreadPoolExecutor(PRICE_CALLS)

    async def show(self, request: web.Request) -> web.Response:
        """Answer a dashboard of the users asked for."""
        ids = _asked_users(request)
        try:
            with seconds.time():
                async with asyncio.timeout(PATIENCE):
                    page = await asyncio.to_thread(self._page, ids)
        except (PricesUnavailable, TimeoutError):
            return _failure("prices")
        log.info("dashboard served", users=len(ids))
        return web.json_response(page)

    async def take_users(self, request: web.Request) -> web.Response:
        """Add the customers in the request's body."""
        body = await request.json()
        await asyncio.to_thread(add_users, self._engine, body["users"])
        return web.json_response({}, status=201)

    async def take_orders(self, request: web.Request) -> web.Response:
        """Add the orders in the request's body, and answer their ids."""
        body = await request.json()
        ids = await asyncio.to_thread(add_orders, self._engine, body["orders"])
        return web.json_response({"ids": ids}, status=201)

    def _page(self, ids: list[int]) -> dict[str, Any]:
        users = load_users(self._engine, ids)
        unknown = [user_id for user_id in ids if user_id not in users]
        if unknown:
            raise _refusal(web.HTTPNotFound, f"there is no user {unknown[0]}")
        prices = self._prices_of(users.values())
        return {"users": [_user(users[user_id], prices) for user_id in ids]}

    def _prices_of(self, users: Iterable[User]) -> Prices:
        """Return the prices of all that these users have ordered, without those that the service does not know."""
        skus = sorted({line.sku for user in users for order in user.orders for line in order.lines})
        calls = [self._callers.submit(copy_context().run, self._prices.get, sku) for sku in skus]
        try:
            prices = [call.result() for call in calls]
        finally:
            for call in calls:
                call.cancel()  # those that still wait for their turn, after one has failed
        return {sku: price for sku, price in zip(skus, prices, strict=True) if price is not None}


def _user(user: User, prices: Prices) -> dict[str, Any]:
    orders = [_order(order, prices) for order in user.orders]
    return {
        "id": user.id,
        "name": user.name,
        "addresses": [address.text for address in user.addresses],
        "orders": orders,
        **_summed(orders),
    }


def _order(order: Order, prices: Prices) -> dict[str, Any]:
    lines = [_line(line, prices) for line in order.lines]
    return {"id": order.id, "lines": lines, **_summed(lines)}


def _line(line: Line, prices: Prices) -> dict[str, Any]:
    price = prices.get(line.sku)
    total = None if price is None else str(Decimal(price) * line.quantity)
    return {"sku": line.sku, "quantity": line.quantity, "price": price, "total": total}


def _summed(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the total of lines or orders; there is none when one of theirs is missing."""
    totals = [part["total"] for part in parts]
    if None in totals:
        return {"total": None, "incomplete": True}
    return {"total": str(sum(map(Decimal, totals), Decimal(0))), "incomplete": False}


def _asked_users(request: web.Request) -> list[int]:
    asked = request.query.getall("user", [])
    if not 0 < len(asked) <= MOST_USERS:
        raise _refusal(web.HTTPBadRequest, f"ask for 1 to {MOST_USERS} users, not {len(asked)}")
    try:
        return [int(user_id) for user_id in asked]
    except ValueError:
        raise _refusal(web.HTTPBadRequest, f"users are numbers, not {', '.join(asked)}") from None


def _failure(reason: str) -> web.Response:
    failures.labels(reason=reason).inc()
    log.error("dashboard failed", reason=reason)
    return web.json_response({"error": f"{reason} unavailable"}, status=503)


def _refusal(kind: type[web.HTTPError], why: str) -> web.HTTPError:
    return kind(text=json.dumps({"error": why}), content_type="application/json")
