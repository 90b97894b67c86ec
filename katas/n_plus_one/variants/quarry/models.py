"""The shop's tables, as far as the dashboard reads and writes them."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from sqlalchemy import Engine, ForeignKey, insert
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, object_session, relationship


class Base(DeclarativeBase):
    """All tables of the shop."""


class User(Base):
    """A customer."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    addresses: Mapped[list["Address"]] = relationship(order_by="Address.id")
    orders: Mapped[list["Order"]] = relationship(order_by="Order.id")

    @property
    def spent(self) -> Decimal | None:
        """The total of all orders at today's prices; None when a price is missing."""
        return _sum(order.total for order in self.orders)


class Address(Base):
    """Where a customer has things sent."""

    __tablename__ = "addresses"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    text: Mapped[str]


class Order(Base):
    """An order of a customer."""

    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    lines: Mapped[list["Line"]] = relationship(order_by="Line.id")

    @property
    def total(self) -> Decimal | None:
        """The total of all lines at today's prices; None when a price is missing."""
        return _sum(line.total for line in self.lines)


class Line(Base):
    """One article of an order."""

    __tablename__ = "lines"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    sku: Mapped[str]
    quantity: Mapped[int]

    @property
    def price(self) -> str | None:
        """Today's price; None when the price service does not know it."""
        session = object_session(self)
        assert session is not None
        known: dict[int, str | None] = session.info["known"]
        if self.id not in known:
            known[self.id] = session.info["prices"].get(self.sku)
        return known[self.id]

    @property
    def total(self) -> Decimal | None:
        """The total of the line at today's price; None when that is missing."""
        return None if self.price is None else Decimal(self.price) * self.quantity


def _sum(amounts: Iterable[Decimal | None]) -> Decimal | None:
    total = Decimal(0)
    for amount in amounts:
        if amount is None:
            return None
        total += amount
    return total


def create_tables(engine: Engine) -> None:
    """Create the tables that are missing."""
    Base.metadata.create_all(engine)


def add_users(engine: Engine, users: list[dict[str, Any]]) -> None:
    """Add customers with their addresses."""
    addresses = [{"user_id": user["id"], "text": text} for user in users for text in user["addresses"]]
    with Session(engine) as session, session.begin():
        session.execute(insert(User), [{"id": user["id"], "name": user["name"]} for user in users])
        if addresses:
            session.execute(insert(Address), addresses)


def add_orders(engine: Engine, orders: list[dict[str, Any]]) -> list[int]:
    """Add orders and return their ids, which rise."""
    with Session(engine) as session, session.begin():
        added = [Order(user_id=order["user"]) for order in orders]
        session.add_all(added)
        session.flush()
        ids = [order.id for order in added]
        lines = [line | {"order_id": id_} for id_, order in zip(ids, orders, strict=True) for line in order["lines"]]
        if lines:
            session.execute(insert(Line), lines)
    return ids
