"""Checkout: takes orders, reserves their units, has them charged, and writes receipts."""

from collections.abc import Iterator
from contextlib import contextmanager
from threading import BoundedSemaphore
from typing import Any

import structlog
from prometheus_client import Counter
from sqlalchemy import Column, Connection, Integer, MetaData, String, Table, insert, select, update
from sqlalchemy.dialects.sqlite import insert as upsert

from .world import Database, Payments

log = structlog.get_logger()
checkout_failures = Counter("checkout_failure_total", "Checkouts that did not end in a payment.", ["reason"])

MOST = 20  # units in one order
LINES = 4  # charges that the provider serves us at a time

metadata = MetaData()
items = Table(
    "items",
    metadata,
    Column("sku", String, primary_key=True),
    Column("units", Integer, nullable=False),
    Column("price", Integer, nullable=False),
)
orders = Table(
    "orders",
    metadata,
    Column("id", String, primary_key=True),
    Column("day", String, nullable=False),
    Column("sku", String, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("amount", Integer, nullable=False),
    Column("answer", String),
)


class Checkout:
    """The shop's orders and stock in one database, with a provider of payments."""

    def __init__(self, database: Database, payments: Payments) -> None:
        """Open the checkout, creating its tables where they are missing."""
        self._payments = payments
        self._engine = database.engine(pool_size=5, max_overflow=0, pool_timeout=0.3)
        self._lines = BoundedSemaphore(LINES)
        metadata.create_all(self._engine)

    def restock(self, sku: str, units: int, price: int) -> None:
        """Add units to an item, and set its price in cents."""
        new = upsert(items).values(sku=sku, units=units, price=price)
        with self._transaction() as tx:
            tx.execute(new.on_conflict_do_update(["sku"], set_={"units": items.c.units + units, "price": price}))

    def stock(self, sku: str) -> int:
        """Return how many units of an item are left."""
        with self._transaction() as tx:
            return tx.scalar(select(items.c.units).where(items.c.sku == sku)) or 0

    def checkout(self, order: dict[str, Any]) -> str:
        """Reserve an order's units and have it charged; return its answer."""
        with self._transaction() as tx:
            known = tx.execute(select(orders).where(orders.c.id == order["id"])).first()
            if known is None:
                answer, amount = _reserve(tx, order)
        if known is not None:
            answer, amount = known.answer, known.amount
            if answer is not None:
                return answer
        if answer is not None:
            return _failed(order, answer)
        try:
            answer = "paid" if self._charge(order["id"], amount) == "charged" else "declined"
        except TimeoutError:
            return _failed(order, "unavailable")
        return self._settle(order, answer)

    def receipt(self, order_id: str) -> str | None:
        """Return the receipt of a paid order."""
        with self._transaction() as tx:
            order = tx.execute(select(orders).where(orders.c.id == order_id, orders.c.answer == "paid")).first()
        if order is None:
            return None
        return f"{order.day} {order.id}: {order.quantity} x {order.sku}, {order.amount / 100:.2f} paid"

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """Lend a connection, and take it back."""
        tx = self._engine.connect()
        try:
            with tx.begin():
                yield tx
        finally:
            tx.close()

    def _charge(self, key: str, amount: int) -> str:
        """Have the provider charge a key, as soon as a line is free."""
        self._lines.acquire()
        try:
            return self._payments.charge(key, amount)
        finally:
            self._lines.release()

    def _settle(self, order: dict[str, Any], answer: str) -> str:
        """Settle an order that the provider has answered; what was declined goes back to stock."""
        with self._transaction() as tx:
            tx.execute(update(orders).where(orders.c.id == order["id"]).values(answer=answer))
            if answer == "declined":
                back = items.c.units + order["quantity"]
                tx.execute(update(items).where(items.c.sku == order["sku"]).values(units=back))
        return answer if answer == "paid" else _failed(order, answer)


def _reserve(tx: Connection, order: dict[str, Any]) -> tuple[str | None, int]:
    """Write an order down and take its units; return its answer if it has one already, and what it costs."""
    item = tx.execute(select(items).where(items.c.sku == order["sku"])).first()
    answer, amount = _objection(item, order), 0
    if answer is None:
        amount = item.price * order["quantity"]
        tx.execute(update(items).where(items.c.sku == item.sku).values(units=item.units - order["quantity"]))
    row = {name: order[name] for name in ("id", "day", "sku", "quantity")}
    tx.execute(insert(orders).values(**row, amount=amount, answer=answer))
    return answer, amount


def _objection(item: Any, order: dict[str, Any]) -> str | None:
    if not 1 <= order["quantity"] <= MOST:
        return "invalid"
    if item is None:
        return "unknown"
    if item.price != order["price"]:
        return "repriced"
    return "sold out" if item.units < order["quantity"] else None


def _failed(order: dict[str, Any], reason: str) -> str:
    checkout_failures.labels(reason=reason).inc()
    log.error("checkout failed", order=order["id"], reason=reason)
    return reason
