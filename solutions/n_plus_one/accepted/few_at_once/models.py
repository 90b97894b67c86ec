"""The shop's tables, as far as the dashboard reads and writes them."""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Engine, ForeignKey, insert, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship


class Base(DeclarativeBase):
    """All tables of the shop."""


class User(Base):
    """A customer."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    addresses: Mapped[list["Address"]] = relationship(order_by="Address.id", lazy="selectin")
    orders: Mapped[list["Order"]] = relationship(order_by="Order.id", lazy="selectin")


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
    lines: Mapped[list["Line"]] = relationship(order_by="Line.id", lazy="selectin")


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
    with Session(engine) as session:
        session.execute(insert(User), [{"id": user["id"], "name": user["name"]} for user in users])
        if addresses:
            session.execute(insert(Address), addresses)
        session.commit()


def add_orders(engine: Engine, orders: list[dict[str, Any]]) -> list[int]:
    """Add orders and return their ids, which rise."""
    with Session(engine) as session:
        added = [Order(user_id=order["user"]) for order in orders]
        session.add_all(added)
        session.flush()
        ids = [order.id for order in added]
        lines = [line | {"order_id": id_} for id_, order in zip(ids, orders, strict=True) for line in order["lines"]]
        if lines:
            session.execute(insert(Line), lines)
        session.commit()
    return ids


def load_users(engine: Engine, ids: Iterable[int]) -> dict[int, User]:
    """Return the customers that exist by their ids, with their addresses, orders and lines."""
    query = select(User).where(User.id.in_(set(ids)))
    with Session(engine) as session:
        return {user.id: user for user in session.scalars(query)}
