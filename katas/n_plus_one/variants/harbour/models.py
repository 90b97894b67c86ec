"""The shop's tables, as far as the dashboard reads and writes them."""

from typing import Any

from sqlalchemy import Engine, ForeignKey, insert, select
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship, selectinload


class Base(DeclarativeBase):
    """All tables of the shop."""


class User(Base):
    """A customer."""

    __tablename__ = "users"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str]
    addresses: Mapped[list["Address"]] = relationship(order_by="Address.id")
    orders: Mapped[list["Order"]] = relationship(order_by="Order.id")

    def to_dict(self) -> dict[str, Any]:
        """Return the customer as JSON, still without prices."""
        return {
            "id": self.id,
            "name": self.name,
            "addresses": [address.text for address in self.addresses],
            "orders": [order.to_dict() for order in self.orders],
        }


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

    def to_dict(self) -> dict[str, Any]:
        """Return the order as JSON, still without prices."""
        return {"id": self.id, "lines": [line.to_dict() for line in self.lines]}


class Line(Base):
    """One article of an order."""

    __tablename__ = "lines"

    id: Mapped[int] = mapped_column(primary_key=True)
    order_id: Mapped[int] = mapped_column(ForeignKey("orders.id"), index=True)
    sku: Mapped[str]
    quantity: Mapped[int]

    def to_dict(self) -> dict[str, Any]:
        """Return the line as JSON, still without its price."""
        return {"sku": self.sku, "quantity": self.quantity}


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


def find_users(session: Session, ids: list[int]) -> list[User]:
    """Return the customers that exist, with their orders."""
    query = select(User).where(User.id.in_(ids)).options(selectinload(User.orders))
    return list(session.scalars(query))
