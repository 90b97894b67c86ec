"""The shop's tables, as far as the dashboard reads and writes them."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Engine, ForeignKey, insert, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload
from sqlalchemy.orm.attributes import set_committed_value

MOST_LINES = 2_000  # of a dashboard


class Base(DeclarativeBase):
    """All tables of the shop."""


class User(Base):
    """A customer."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    addresses: Mapped[list["Address"]] = relationship(order_by="Address.id")
    orders: Mapped[list["Order"]] = relationship(order_by="Order.id")


class Address(Base):
    """Where a customer has things sent."""

    __tablename__ = "addresses"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    text: Mapped[str]


class Order(Base):
    """What a customer has ordered at one time."""

    __tablename__ = "orders"

    id: Mapped[int] = mapped_column(primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"), index=True)
    lines: Mapped[list["Line"]] = relationship(order_by="Line.id")


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


def load_users(engine: Engine, ids: Iterable[int]) -> dict[int, User]:
    """Return the customers that exist by their ids, with their addresses, orders and lines."""
    query = select(User).where(User.id.in_(set(ids))).options(selectinload(User.addresses), selectinload(User.orders))
    wanted = select(Line).join(Order, Line.order_id == Order.id).where(Order.user_id.in_(set(ids))).order_by(Line.id)
    with Session(engine) as session:
        users = {user.id: user for user in session.scalars(query)}
        orders = {order.id: order for user in users.values() for order in user.orders}
        lines: dict[int, list[Line]] = {order_id: [] for order_id in orders}
        for line in session.scalars(wanted.limit(MOST_LINES)):
            if line.order_id in lines:
                lines[line.order_id].append(line)
        for order_id, order in orders.items():
            set_committed_value(order, "lines", lines[order_id])
    return users
