"""Checkout: takes orders, reserves their units, has them charged, and writes receipts."""

from typing import Any

import structlog
from prometheus_client import Counter
from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker

from .world import Database, Payments

log = structlog.get_logger()
checkout_failures = Counter("checkout_failure_total", "Checkouts that did not end in a payment.", ["reason"])

MOST = 20  # units in one order


class Base(DeclarativeBase):
    """The shop's tables."""


class Item(Base):
    """The goods for sale."""

    __tablename__ = "items"
    sku: Mapped[str] = mapped_column(primary_key=True)
    units: Mapped[int]
    price: Mapped[int]


class Order(Base):
    """An order and its answer; without one it is open, for the payment provider has not answered."""

    __tablename__ = "orders"
    id: Mapped[str] = mapped_column(primary_key=True)
    day: Mapped[str]
    sku: Mapped[str]
    quantity: Mapped[int]
    amount: Mapped[int]
    answer: Mapped[str | None]


class Refused(Exception):
    """An order that cannot be reserved; its argument is the answer."""


class Checkout:
    """The shop's orders and stock in one database, with a provider of payments."""

    def __init__(self, database: Database, payments: Payments) -> None:
        """Open the checkout, creating its tables where they are missing."""
        self._payments = payments
        self._engine = database.engine(pool_size=5, max_overflow=0, pool_timeout=0.3)
        self._sessions = sessionmaker(self._engine)
        Base.metadata.create_all(self._engine)

    def restock(self, sku: str, units: int, price: int) -> None:
        """Add units to an item, and set its price in cents."""
        with self._sessions.begin() as session:
            item = session.get(Item, sku) or Item(sku=sku, units=0)
            item.units, item.price = item.units + units, price
            session.add(item)

    def stock(self, sku: str) -> int:
        """Return how many units of an item are left."""
        with self._sessions() as session:
            return session.scalar(select(Item.units).where(Item.sku == sku)) or 0

    def checkout(self, order: dict[str, Any]) -> str:
        """Reserve an order's units and have it charged; return its answer."""
        with self._sessions() as session:
            known = session.scalar(select(Order.answer).where(Order.id == order["id"]))
            listed = session.scalar(select(Item.sku).where(Item.sku == order["sku"]))
        if known is not None:
            return known
        if not 1 <= order["quantity"] <= MOST:
            return self._refuse(order, "invalid")
        if listed is None:
            return self._refuse(order, "unknown")
        try:
            amount = self._reserve(order)
        except Refused as refused:
            return self._refuse(order, str(refused))
        try:
            answer = self._payments.charge(order["id"], amount)
        except TimeoutError:
            return _report(order, "unavailable")
        return self._settle(order, "paid" if answer == "charged" else "declined")

    def receipt(self, order_id: str) -> str | None:
        """Return the receipt of a paid order."""
        with self._sessions() as session:
            order = session.get(Order, order_id)
            if order is None or order.answer != "paid":
                return None
            return f"{order.day} {order.id}: {order.quantity} x {order.sku}, {_money(order.amount)} paid"

    def _reserve(self, order: dict[str, Any]) -> int:
        """Take an order's units out of stock, unless an earlier delivery has; return what it costs."""
        with self._sessions.begin() as session:
            reserved = session.get(Order, order["id"]) or _take(session, order)
            return reserved.amount

    def _refuse(self, order: dict[str, Any], answer: str) -> str:
        """Settle an order that was not reserved."""
        with self._sessions.begin() as session:
            session.add(_row(order, amount=0, answer=answer))
        return _report(order, answer)

    def _settle(self, order: dict[str, Any], answer: str) -> str:
        """Settle an order that the provider has answered; what was declined goes back to stock."""
        with self._sessions.begin() as session:
            session.get_one(Order, order["id"]).answer = answer
            if answer == "paid":
                return answer
            session.get_one(Item, order["sku"]).units += order["quantity"]
        return _report(order, answer)


def _take(session: Session, order: dict[str, Any]) -> Order:
    item = session.get_one(Item, order["sku"])
    if item.price != order["price"]:
        raise Refused("repriced")
    if item.units < order["quantity"]:
        raise Refused("sold out")
    item.units -= order["quantity"]
    reserved = _row(order, amount=item.price * order["quantity"], answer=None)
    session.add(reserved)
    return reserved


def _row(order: dict[str, Any], amount: int, answer: str | None) -> Order:
    return Order(**{name: order[name] for name in ("id", "day", "sku", "quantity")}, amount=amount, answer=answer)


def _report(order: dict[str, Any], reason: str) -> str:
    checkout_failures.labels(reason=reason).inc()
    log.error("checkout failed", order=order["id"], reason=reason)
    return reason


def _money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02}"
