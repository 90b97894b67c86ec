"""Stock: keeps what is on hand, and reserves it for orders at the price that pricing quotes."""

import time
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from aiohttp import web
from sqlalchemy import Boolean, Column, Connection, Integer, MetaData, String, Table, delete, select, update
from sqlalchemy.dialects.sqlite import insert

from .world import Deadline, World, health

FAILURES = 3  # in a row, and pricing is left alone
COOL_DOWN = 0.3  # seconds until it is tried again
PATIENCE = 0.5  # of the time that is left, for pricing to answer

metadata = MetaData()
shelves = Table(
    "shelves", metadata, Column("sku", String, primary_key=True), Column("on_hand", Integer, nullable=False)
)
reservations = Table(
    "reservations",
    metadata,
    Column("order", String, primary_key=True),
    Column("sku", String, nullable=False, index=True),
    Column("quantity", Integer, nullable=False),
    Column("price", String, nullable=False),
    Column("degraded", Boolean, nullable=False),
)


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
        self._quotes: dict[str, str] = {}

    async def quote(self, reservation: dict[str, Any], trace: str, deadline: Deadline) -> str | None:
        """Return the price of a reservation, or None when pricing has none to give in time."""
        if trace in self._quotes:
            return self._quotes[trace]
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
        self._quotes[trace] = str(reply.json["price"])
        return self._quotes[trace]


class Stock:
    """Shelves and reservations, in one database."""

    def __init__(self, world: World) -> None:
        """Open the database, with the first day's goods in it when it is new."""
        self._world = world
        self._pricing = PricingClient(world)
        metadata.create_all(world.engine)
        with world.engine.begin() as tx:
            for sku, on_hand in world.on_hand.items():
                tx.execute(insert(shelves).values(sku=sku, on_hand=on_hand).on_conflict_do_nothing())

    async def reserve(self, request: web.Request) -> web.Response:
        """Reserve goods for an order: `{"order", "sku", "quantity", "terms"}` -> `{"price", "degraded"}`."""
        deadline, trace = Deadline.of(request.headers), request.headers.get("traceparent", "")
        wanted = await request.json()
        await self._world.work()
        price = await self._pricing.quote(wanted, trace, deadline)
        offer = {"price": price or self._world.list_price(wanted), "degraded": price is None}
        if deadline.left() == 0:
            return web.json_response({"error": "too late"}, status=503, headers={"Retry-After": "1"})
        goods = {name: wanted[name] for name in ("order", "sku", "quantity")}
        reserved = await self._world.in_thread(self._in_transaction, _reserve, {**goods, **offer})
        if reserved is None:
            return web.json_response({"reason": "sold out"}, status=409)
        return web.json_response(reserved)

    async def show(self, request: web.Request) -> web.Response:
        """Show what is on hand of a product, and for which orders some is reserved."""
        shelf = await self._world.in_thread(self._in_transaction, _show, request.match_info["sku"])
        return web.json_response(shelf)

    def _in_transaction(self, work: Callable[[Connection, Any], Any], argument: Any) -> Any:
        with self._world.engine.begin() as tx:
            return work(tx, argument)


def _reserve(tx: Connection, wanted: dict[str, Any]) -> dict[str, Any] | None:
    """Take goods off the shelf for an order, once; None when there are not enough."""
    if tx.execute(insert(reservations).values(**wanted).on_conflict_do_nothing()).rowcount:
        enough = (shelves.c.sku == wanted["sku"], shelves.c.on_hand >= wanted["quantity"])
        taken = update(shelves).where(*enough).values(on_hand=shelves.c.on_hand - wanted["quantity"])
        if not tx.execute(taken).rowcount:
            tx.execute(delete(reservations).where(reservations.c.order == wanted["order"]))
            return None
    held = select(reservations.c.price, reservations.c.degraded).where(reservations.c.order == wanted["order"])
    return dict(tx.execute(held).mappings().one())


def _show(tx: Connection, sku: str) -> dict[str, Any]:
    on_hand = tx.scalar(select(shelves.c.on_hand).where(shelves.c.sku == sku)) or 0
    held = select(reservations.c.order, reservations.c.quantity).where(reservations.c.sku == sku)
    return {"sku": sku, "on_hand": on_hand, "reserved": [dict(row) for row in tx.execute(held).mappings()]}
