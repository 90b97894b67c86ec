"""The shop's tables, as far as the dashboard reads and writes them."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Engine, ForeignKey, insert, select
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
    lines: list[Line] = field(default_factory=list)


@dataclass
class Customer:
    """A customer with addresses and orders."""

    id: int
    name: str
    addresses: list[Address] = field(default_factory=list)
    orders: list[Placed] = field(default_factory=list)


def load_users(engine: Engine, ids: Iterable[int]) -> dict[int, Customer]:
    """Return the customers that exist by their ids, with their addresses, orders and lines."""
    wanted = set(ids)
    with Session(engine) as session:
        found = session.scalars(select(User).where(User.id.in_(wanted)))
        users = {user.id: Customer(user.id, user.name) for user in found}
        for address in session.scalars(select(Address).where(Address.user_id.in_(wanted)).order_by(Address.id)):
            if address.user_id in users:  # or the user was added between two statements
                users[address.user_id].addresses.append(address)
        orders = {}
        for order in session.scalars(select(Order).where(Order.user_id.in_(wanted)).order_by(Order.id)):
            if order.user_id in users:
                orders[order.id] = Placed(order.id)
                users[order.user_id].orders.append(orders[order.id])
        for line in session.scalars(select(Line).where(Line.order_id.in_(orders)).order_by(Line.id)):
            orders[line.order_id].lines.append(line)
    return users
