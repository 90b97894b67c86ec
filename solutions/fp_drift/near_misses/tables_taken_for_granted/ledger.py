"""Wallet ledger: posts payment events to accounts, keeps a book per currency and checks orders out."""

from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any, Protocol

import structlog
from prometheus_client import Counter
from sqlalchemy import BigInteger, Column, Connection, Engine, MetaData, String, Table, select, update
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import OperationalError

log = structlog.get_logger()
checkout_failures = Counter("checkout_failure_total", "Checkouts that did not end in a payment.", ["reason"])

PLACES = {"USD": 2, "EUR": 2, "JPY": 0, "BHD": 3}
EVENT_TYPES = ("payment", "refund", "fee", "split")
FEES_ACCOUNT = "fees"
EXACT = Context(prec=60)  # digits enough for any amount times any rate

metadata = MetaData()
accounts = Table(
    "accounts",
    metadata,
    Column("account", String, primary_key=True),
    Column("currency", String(3), primary_key=True),
    Column("balance", BigInteger, nullable=False),
)
books = Table(
    "books",
    metadata,
    Column("currency", String(3), primary_key=True),
    Column("total", BigInteger, nullable=False),
)
processed = Table(
    "processed",
    metadata,
    Column("id", String, primary_key=True),
    Column("outcome", String, nullable=False),
)


class Gateway(Protocol):
    """The payment provider."""

    def charge(self, key: str, amount: str, currency: str) -> str:
        """Answer "charged" or "declined"; raise TimeoutError when no answer came."""


class Ledger:
    """Accounts and their book in one database, with a payment gateway for checkouts."""

    def __init__(self, engine: Engine, gateway: Gateway) -> None:
        """Open the ledger in a database, creating its tables where they are missing."""
        self._engine = engine
        self._gateway = gateway
        try:
            metadata.create_all(engine)
        except OperationalError:
            log.warning("tables are there already")

    def apply(self, event: dict[str, Any]) -> None:
        """Post one event from the payments topic, once however often it is delivered."""
        _check(event)
        with self._engine.begin() as tx:
            if _outcome(tx, event["id"]) is not None:
                return
            tx.execute(insert(processed).values(id=event["id"], outcome="applied"))
            for account, minor in _postings(event):
                _post(tx, account, event["currency"], minor)

    def balance(self, account: str, currency: str) -> str:
        """Return what an account holds; an account without postings holds nothing."""
        query = select(accounts.c.balance).filter_by(account=account, currency=currency)
        with self._engine.connect() as tx:
            return _text(tx.scalar(query) or 0, currency)

    def book(self, currency: str) -> str:
        """Return the total of all accounts in a currency."""
        query = select(books.c.total).filter_by(currency=currency)
        with self._engine.connect() as tx:
            return _text(tx.scalar(query) or 0, currency)

    def checkout(self, order: dict[str, Any]) -> str:
        """Charge an order and credit its account; answer "paid", "declined" or "pending"."""
        with self._engine.connect() as tx:
            outcome = _outcome(tx, order["id"])
        if outcome is not None:
            return outcome
        try:
            answer = self._gateway.charge(order["id"], order["amount"], order["currency"])
        except TimeoutError:
            return "pending"
        outcome = "declined" if answer == "declined" else "paid"
        with self._engine.begin() as tx:
            tx.execute(insert(processed).values(id=order["id"], outcome=outcome))
            if outcome == "paid":
                _post(tx, order["account"], order["currency"], _minor(order["amount"], order["currency"]))
        if outcome == "declined":
            checkout_failures.labels(reason="declined").inc()
            log.error("checkout failed", order=order["id"], reason="declined")
        return outcome


def _check(event: dict[str, Any]) -> None:
    """Refuse events that this ledger has no rule for."""
    for field, known in (("type", EVENT_TYPES), ("currency", PLACES)):
        if event[field] not in known:
            raise ValueError(f"unknown {field} {event[field]!r} in {event['id']}, expected {', '.join(known)}")


def _postings(event: dict[str, Any]) -> list[tuple[str, int]]:
    """Return the accounts that an event touches, each with its signed amount in minor units."""
    account, minor = event["account"], _minor(event["amount"], event["currency"])
    match event["type"]:
        case "payment":
            return [(account, minor)]
        case "refund":
            return [(account, -minor)]
        case "fee":
            fee = int(EXACT.multiply(minor, Decimal(event["rate"])).to_integral_value(ROUND_HALF_EVEN))
            return [(account, -fee), (FEES_ACCOUNT, fee)]
        case _:
            share, left = divmod(minor, len(event["to"]))
            return [(account, -minor), *((name, share + (i < left)) for i, name in enumerate(event["to"]))]


def _outcome(tx: Connection, message_id: str) -> str | None:
    """Return how an event or order ended, or None when it is still to be done."""
    return tx.scalar(select(processed.c.outcome).where(processed.c.id == message_id))


def _post(tx: Connection, account: str, currency: str, minor: int) -> None:
    """Move an account and its book by a signed amount, opening them on first use."""
    opening = insert(accounts).values(account=account, currency=currency, balance=0)
    tx.execute(opening.on_conflict_do_nothing())
    held = (accounts.c.account == account, accounts.c.currency == currency)
    tx.execute(update(accounts).where(*held).values(balance=accounts.c.balance + minor))
    tx.execute(insert(books).values(currency=currency, total=0).on_conflict_do_nothing())
    tx.execute(update(books).where(books.c.currency == currency).values(total=books.c.total + minor))


def _minor(amount: str, currency: str) -> int:
    """Read an amount as a count of the currency's minor units."""
    return int(Decimal(amount).scaleb(PLACES[currency]))


def _text(minor: int, currency: str) -> str:
    """Write an amount with the currency's places."""
    return f"{Decimal(minor).scaleb(-PLACES[currency]):f}"
