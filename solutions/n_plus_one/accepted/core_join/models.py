"""The shop's tables, as far as the dashboard reads and writes them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from sqlalchemy import Engine, ForeignKey, Row, insert, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column


class Base(DeclarativeBase):
    """All tables of the shop."""


class User(Base):
    """A customer."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]


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


class Line(Base):
    """One article of an order."""

    __tablename__ = "lines"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    sku: Mapped[str]
    quantity: Mapped[int]


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


@dataclass
class Placed:
    """An order with its lines."""

    id: int
    lines: list[Row[Any]] = field(default_factory=list)


@dataclass
class Customer:
    """A customer with addresses and orders."""

    id: int
    name: str
    addresses: list[Row[Any]] = field(default_factory=list)
    orders: list[Placed] = field(default_factory=list)


def load_users(engine: Engine, ids: Iterable[int]) -> dict[int, Customer]:
    """Return the customers that exist by their ids, with their addresses, orders and lines."""
    wanted = set(ids)
    addresses = (
        select(User.id, User.name, Address.text).outerjoin(Address).where(User.id.in_(wanted)).order_by(Address.id)
    )
    lines = (
        select(Order.user_id, Order.id, Line.sku, Line.quantity)
        .outerjoin(Line)
        .where(Order.user_id.in_(wanted))
        .order_by(Order.id, Line.id)
    )
    users: dict[int, Customer] = {}
    with engine.connect() as connection:
        for row in connection.execute(addresses):
            user = users.setdefault(row.id, Customer(row.id, row.name))
            user.addresses += [row] if row.text is not None else []
        for (user_id, order_id), rows in groupby(connection.execute(lines), key=lambda row: (row.user_id, row.id)):
            if user_id in users:  # or it was added between the two statements
                users[user_id].orders.append(Placed(order_id, [row for row in rows if row.sku is not None]))
    return users
