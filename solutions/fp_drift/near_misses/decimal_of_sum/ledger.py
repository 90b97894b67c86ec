"""Wallet ledger: decimal balances kept as text, and an inbox that lets each message in once."""

from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any, Protocol

import structlog
from prometheus_client import Counter
from sqlalchemy import Column, Connection, Engine, MetaData, String, Table, Text, select, update
from sqlalchemy.dialects.sqlite import insert

log = structlog.get_logger()
checkout_failures = Counter("checkout_failure_total", "Checkouts that did not end in a payment.", ["reason"])

QUANTA = {"USD": Decimal("0.01"), "EUR": Decimal("0.01"), "JPY": Decimal(1), "BHD": Decimal("0.001")}
EVENT_TYPES = ("payment", "refund", "fee", "split")
FEES_ACCOUNT = "fees"
WIDE = Context(prec=60, rounding=ROUND_HALF_EVEN)

metadata = MetaData()
balances = Table(
    "balances",
    metadata,
    Column("account", String, primary_key=True),
    Column("currency", String(3), primary_key=True),
    Column("amount", Text, nullable=False),
)
books = Table(
    "books",
    metadata,
    Column("currency", String(3), primary_key=True),
    Column("amount", Text, nullable=False),
)
inbox = Table(
    "inbox",
    metadata,
    Column("message", String, primary_key=True),
    Column("answer", String, nullable=False),
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
        metadata.create_all(engine)

    def apply(self, event: dict[str, Any]) -> None:
        """Post one event, once however often it is delivered."""
        legs = _legs(event)
        with self._engine.begin() as tx:
            if _admit(tx, event["id"], "applied"):
                _post(tx, event["currency"], legs)

    def balance(self, account: str, currency: str) -> str:
        """Return what an account holds; an account without postings holds nothing."""
        with self._engine.connect() as tx:
            return _text(_held(tx, balances, account=account, currency=currency), currency)

    def book(self, currency: str) -> str:
        """Return the total of all accounts in a currency."""
        with self._engine.connect() as tx:
            return _text(_held(tx, books, currency=currency), currency)

    def checkout(self, order: dict[str, Any]) -> str:
        """Charge an order and credit its account; answer "paid", "declined" or "pending"."""
        with self._engine.connect() as tx:
            known: str | None = tx.scalar(select(inbox.c.answer).filter_by(message=order["id"]))
        if known is not None:
            return known
        try:
            charged = self._gateway.charge(order["id"], order["amount"], order["currency"]) == "charged"
        except TimeoutError:
            return "pending"
        answer = "paid" if charged else "declined"
        with self._engine.begin() as tx:
            if _admit(tx, order["id"], answer) and charged:
                _post(tx, order["currency"], [(order["account"], Decimal(order["amount"]))])
        if not charged:
            checkout_failures.labels(reason="declined").inc()
            log.error("checkout failed", order=order["id"], reason="declined")
        return answer


def _legs(event: dict[str, Any]) -> list[tuple[str, Decimal]]:
    """Return the accounts that an event touches, each with its signed amount."""
    account, amount, quantum = event["account"], Decimal(event["amount"]), QUANTA[event["currency"]]
    match event["type"]:
        case "payment":
            return [(account, amount)]
        case "refund":
            return [(account, -amount)]
        case "fee":
            fee = WIDE.quantize(WIDE.multiply(amount, Decimal(event["rate"])), quantum)
            return [(account, -fee), (FEES_ACCOUNT, fee)]
        case "split":
            share, left = divmod(int(amount / quantum), len(event["to"]))
            shares = [(to, quantum * (share + (place < left))) for place, to in enumerate(event["to"])]
            return [(account, -amount), *shares]
        case other:
            raise ValueError(f"unknown event type {other!r}, expected one of {', '.join(EVENT_TYPES)}")


def _admit(tx: Connection, message: str, answer: str) -> bool:
    """Enter a message in the inbox; False when it is there already."""
    entry = insert(inbox).values(message=message, answer=answer).on_conflict_do_nothing()
    return tx.execute(entry).rowcount == 1


def _post(tx: Connection, currency: str, legs: list[tuple[str, Decimal]]) -> None:
    """Move the accounts of the legs, and their book, by signed amounts."""
    for account, amount in legs:
        _move(tx, balances, amount, account=account, currency=currency)
        _move(tx, books, amount, currency=currency)


def _held(tx: Connection, table: Table, **key: str) -> Decimal:
    """Return the amount in a row, zero where there is no row."""
    return Decimal(tx.scalar(select(table.c.amount).filter_by(**key)) or 0)


def _move(tx: Connection, table: Table, amount: Decimal, **key: str) -> None:
    """Add a signed amount to a row, opening the row on first use."""
    tx.execute(insert(table).values(**key, amount="0").on_conflict_do_nothing())
    total = Decimal(str(float(_held(tx, table, **key)) + float(amount)))
    here = [table.c[name] == value for name, value in key.items()]
    tx.execute(update(table).where(*here).values(amount=f"{total:f}"))


def _text(amount: Decimal, currency: str) -> str:
    """Write an amount with the currency's places."""
    return f"{WIDE.quantize(amount, QUANTA[currency]):f}"
