"""The customer dashboard: what customers have ordered, at today's prices."""

import asyncio
import json
import threading
from decimal import Decimal
from typing import Any

import structlog
from aiohttp import web
from prometheus_client import Counter, Histogram
from sqlalchemy.orm import Session

from .models import Line, Order, User, add_orders, add_users, create_tables
from .world import PricesUnavailable, World

log = structlog.get_logger()
seconds = Histogram("dashboard_seconds", "Time to make a dashboard.", buckets=(0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2))
failures = Counter("dashboard_failures_total", "Dashboards that could not be made.", ["reason"])

MOST_USERS = 100


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
        self._session = Session(world.engine)
        self._lock = threading.Lock()

    async def show(self, request: web.Request) -> web.Response:
        """Answer a dashboard of the users asked for."""
        ids = _asked_users(request)
        try:
            with seconds.time():
                page = await asyncio.to_thread(self._page, ids)
        except PricesUnavailable:
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
        """Make the page, on a worker thread: a session is for one at a time."""
        with self._lock:
            self._session.expire_all()
            self._session.info.update(prices=self._prices, known={})
            try:
                return {"users": [_user(self._session, user_id) for user_id in ids]}
            finally:
                self._session.rollback()


def _user(session: Session, user_id: int) -> dict[str, Any]:
    user = session.get(User, user_id)
    if user is None:
        raise _refusal(web.HTTPNotFound, f"there is no user {user_id}")
    return {
        "id": user.id,
        "name": user.name,
        "addresses": [address.text for address in user.addresses],
        "orders": [_order(order) for order in user.orders],
        **_amount(user.spent),
    }


def _order(order: Order) -> dict[str, Any]:
    return {"id": order.id, "lines": [_line(line) for line in order.lines], **_amount(order.total)}


def _line(line: Line) -> dict[str, Any]:
    total = None if line.total is None else str(line.total)
    return {"sku": line.sku, "quantity": line.quantity, "price": line.price, "total": total}


def _amount(total: Decimal | None) -> dict[str, Any]:
    return {"total": None if total is None else str(total), "incomplete": total is None}


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
