"""Fixtures for database tests: databases behind a socket, and a table in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import sqlalchemy as sa

from drill_katas.services.broker import Services
from drill_katas.services.database import Database
from drill_katas.sut import driver

if TYPE_CHECKING:
    from collections.abc import Mapping

METADATA = sa.MetaData()
ITEMS = sa.Table(
    "items",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String, unique=True),
    sa.Column("amount", sa.Integer, sa.CheckConstraint("amount >= 0"), nullable=False, default=0),
)
EVERYTHING = sa.select(ITEMS).order_by(ITEMS.c.id)


class Bench:
    """The databases of a check behind a socket, with engines and raw connections to them."""

    def __init__(self) -> None:
        self.services = Services()
        self.engines: list[sa.Engine] = []

    def database(self, **options: Any) -> tuple[Database, dict[str, Any]]:
        database = Database(**options)
        address: dict[str, Any] = database.attach(self.services)["$database"]
        return database, address

    def engine(self, address: Mapping[str, Any], **options: Any) -> sa.Engine:
        engine = driver.make_engine(**address, **options)
        self.engines.append(engine)
        return engine

    def close(self) -> None:
        for engine in self.engines:
            engine.dispose()
        self.services.close()


def insert(connection: sa.Connection, *names: str) -> None:
    connection.execute(sa.insert(ITEMS), [{"name": name} for name in names])


def names(engine: sa.Engine) -> list[str]:
    with engine.connect() as connection:
        return list(connection.scalars(sa.select(ITEMS.c.name).order_by(ITEMS.c.id)))


INSERT_A, INSERT_B = (f"INSERT INTO items (name, amount) VALUES ('{name}', 0)" for name in "ab")
