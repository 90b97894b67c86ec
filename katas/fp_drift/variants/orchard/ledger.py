"""Orchard purses: integer purses per account and currency, moved by events and paid orders."""

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from itertools import pairwise
from typing import Any, Literal, Protocol

import structlog
from prometheus_client import Counter
from sqlalchemy import BigInteger, Column, Connection, Engine, MetaData, String, Table, insert, select, update

_log = structlog.get_logger()
_failures = Counter("checkout_failure_total", "Checkouts the provider turned down.", ["reason"])

_metadata = MetaData()
_purses = Table(
    "purses",
    _metadata,
    Column("kind", String(8), primary_key=True),
    Column("name", String, primary_key=True),
    Column("currency", String(3), primary_key=True),
    Column("units", BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Currency:
    """A currency and the number of places its minor unit has."""

    code: str
    places: int

    def units(self, amount: str) -> int:
        """Read an amount as minor units."""
        return int(Decimal(amount).scaleb(self.places))

    def amount(self, units: int) -> str:
        """Write minor units as an amount."""
        return f"{Decimal(units).scaleb(-self.places):f}"


CURRENCIES = {c.code: c for c in (Currency("USD", 2), Currency("EUR", 2), Currency("JPY", 0), Currency("BHD", 3))}


@dataclass(frozen=True, slots=True)
class Move:
    """A signed number of units for one account."""

    account: str
    units: int


def fee_of(units: int, rate: str) -> int:
    """Return the fee on an amount, in whole units."""
    with localcontext(prec=60):
        return int((units * Decimal(rate)).quantize(Decimal(1), ROUND_HALF_EVEN))


def moves(event: dict[str, Any]) -> list[Move]:
    """Translate an event into moves."""
    account, units = event["account"], CURRENCIES[event["currency"]].units(event["amount"])
    if event["type"] == "payment":
        return [Move(account, units)]
    if event["type"] == "refund":
        return [Move(account, -units)]
    if event["type"] == "fee":
        fee = fee_of(units, event["rate"])
        return [Move(account, -fee), Move("fees", fee)]
    if event["type"] == "split":
        heads = len(event["to"])
        bounds = [units * head // heads for head in range(heads + 1)]
        parts = [upper - lower for lower, upper in pairwise(bounds)]
        return [Move(account, -units), *map(Move, event["to"], parts)]
    raise ValueError(f"event {event['id']} has the unknown type {event['type']!r}")


class PaymentGateway(Protocol):
    """Charges orders."""

    def charge(self, key: str, amount: str, currency: str) -> Literal["charged", "declined"]:
        """Charge a customer; TimeoutError when the answer is not known."""


class Ledger:
    """The purses of all accounts and the sum of them, per currency."""

    def __init__(self, engine: Engine, gateway: PaymentGateway) -> None:
        """Prepare the purses in a database."""
        self._engine = engine
        self._gateway = gateway
        self._results: dict[str, str] = {}
        _metadata.create_all(engine)

    def apply(self, event: dict[str, Any]) -> None:
        """Move purses as an event says."""
        if event["id"] not in self._results:
            self._commit(event["currency"], moves(event))
            self._results[event["id"]] = "moved"

    def balance(self, account: str, currency: str) -> str:
        """Return the contents of an account's purse."""
        return self._contents("account", account, currency)

    def book(self, currency: str) -> str:
        """Return what all purses of a currency contain."""
        return self._contents("book", "all", currency)

    def checkout(self, order: dict[str, Any]) -> str:
        """Have an order charged and its account credited."""
        if order["id"] not in self._results:
            result = self._charge(order)
            if result == "pending":
                return result
            if result == "paid":
                units = CURRENCIES[order["currency"]].units(order["amount"])
                self._commit(order["currency"], [Move(order["account"], units)])
            self._results[order["id"]] = result
        return self._results[order["id"]]

    def _charge(self, order: dict[str, Any]) -> Literal["paid", "declined", "pending"]:
        try:
            answer = self._gateway.charge(order["id"], order["amount"], order["currency"])
        except TimeoutError:
            return "pending"
        if answer == "charged":
            return "paid"
        _failures.labels(reason="declined").inc()
        _log.error("checkout failed", order=order["id"], reason="declined")
        return "declined"

    def _commit(self, currency: str, entries: list[Move]) -> None:
        with self._engine.begin() as connection:
            for entry in entries:
                _shift(connection, "account", entry.account, currency, entry.units)
            _shift(connection, "book", "all", currency, sum(entry.units for entry in entries))

    def _contents(self, kind: str, name: str, currency: str) -> str:
        query = select(_purses.c.units).filter_by(kind=kind, name=name, currency=currency)
        with self._engine.connect() as connection:
            return CURRENCIES[currency].amount(connection.scalar(query) or 0)


def _shift(connection: Connection, kind: str, name: str, currency: str, units: int) -> None:
    """Change a purse by some units, or open it with them."""
    purse = (_purses.c.kind == kind, _purses.c.name == name, _purses.c.currency == currency)
    shifted = connection.execute(update(_purses).where(*purse).values(units=_purses.c.units + units))
    if not shifted.rowcount:
        connection.execute(insert(_purses).values(kind=kind, name=name, currency=currency, units=units))
