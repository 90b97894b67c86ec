"""Wallet ledger: an append-only journal of postings that balances and books are summed from."""

import math
from typing import Any, Protocol

import sqlalchemy as sa
import structlog
from prometheus_client import Counter
from sqlalchemy.dialects.sqlite import insert

log = structlog.get_logger()
checkout_failures = Counter("checkout_failure_total", "Checkouts that did not end in a payment.", ["reason"])

PLACES = {"USD": 2, "EUR": 2, "JPY": 0, "BHD": 3}

metadata = sa.MetaData()
journal = sa.Table(
    "journal",
    metadata,
    sa.Column("event_id", sa.String, primary_key=True),
    sa.Column("leg", sa.Integer, primary_key=True),
    sa.Column("account", sa.String, nullable=False),
    sa.Column("currency", sa.String(3), nullable=False),
    sa.Column("amount", sa.Float, nullable=False),
    sa.Index("journal_by_account", "account", "currency"),
)
orders = sa.Table(
    "orders",
    metadata,
    sa.Column("order_id", sa.String, primary_key=True),
    sa.Column("state", sa.String, nullable=False),
)

Leg = tuple[str, float]


class Gateway(Protocol):
    """The payment provider."""

    def charge(self, key: str, amount: str, currency: str) -> str:
        """Answer "charged" or "declined"; raise TimeoutError when no answer came."""


class Ledger:
    """A journal in one database, with a payment gateway for checkouts."""

    def __init__(self, engine: sa.Engine, gateway: Gateway) -> None:
        """Open the journal in a database, creating its tables where they are missing."""
        self._engine = engine
        self._gateway = gateway
        metadata.create_all(engine)

    def apply(self, event: dict[str, Any]) -> None:
        """Enter the legs of one event; legs that are in the journal stay as they are."""
        with self._engine.begin() as tx:
            _enter(tx, event, LEGS[event["type"]](event))

    def balance(self, account: str, currency: str) -> str:
        """Return what an account holds; an account without postings holds nothing."""
        return self._sum(currency, journal.c.account == account)

    def book(self, currency: str) -> str:
        """Return the total of all accounts in a currency."""
        return self._sum(currency)

    def checkout(self, order: dict[str, Any]) -> str:
        """Charge an order and credit its account; answer "paid", "declined" or "pending"."""
        with self._engine.connect() as tx:
            state: str | None = tx.scalar(sa.select(orders.c.state).filter_by(order_id=order["id"]))
        if state is not None:
            return state
        try:
            answer = self._gateway.charge(order["id"], order["amount"], order["currency"])
        except TimeoutError:
            return "pending"
        if answer == "declined":
            self._close(order, "declined", [])
            checkout_failures.labels(reason="declined").inc()
            log.error("checkout failed", order=order["id"], reason="declined")
            return "declined"
        self._close(order, "paid", credit(order))
        return "paid"

    def _close(self, order: dict[str, Any], state: str, legs: list[Leg]) -> None:
        """Settle an order's state together with its legs."""
        with self._engine.begin() as tx:
            tx.execute(insert(orders).values(order_id=order["id"], state=state))
            if legs:
                _enter(tx, order, legs)

    def _sum(self, currency: str, *conditions: sa.ColumnElement[bool]) -> str:
        """Add up postings in a currency and write them with its places."""
        postings = sa.select(journal.c.amount).where(journal.c.currency == currency, *conditions)
        with self._engine.connect() as tx:
            total = math.fsum(tx.scalars(postings))
        places = PLACES[currency]
        return f"{round(total, places) + 0.0:.{places}f}"


def _enter(tx: sa.Connection, message: dict[str, Any], legs: list[Leg]) -> None:
    """Append the legs of an event or order under its id."""
    rows = [(message["id"], n, account, message["currency"], amount) for n, (account, amount) in enumerate(legs)]
    tx.execute(insert(journal).values(rows).on_conflict_do_nothing())


def credit(message: dict[str, Any]) -> list[Leg]:
    """Put the amount in the account."""
    return [(message["account"], float(message["amount"]))]


def debit(message: dict[str, Any]) -> list[Leg]:
    """Take the amount from the account."""
    return [(message["account"], -float(message["amount"]))]


def fee(message: dict[str, Any]) -> list[Leg]:
    """Move amount x rate to the fees."""
    charge = round(float(message["amount"]) * float(message["rate"]), PLACES[message["currency"]])
    return [(message["account"], -charge), ("fees", charge)]


def split(message: dict[str, Any]) -> list[Leg]:
    """Deal the amount out to the recipients; the first ones get the odd units."""
    scale = 10 ** PLACES[message["currency"]]
    share, odd = divmod(round(float(message["amount"]) * scale), len(message["to"]))
    shares = [(to, (share + (place < odd)) / scale) for place, to in enumerate(message["to"])]
    return [*debit(message), *shares]


LEGS = {"payment": credit, "refund": debit, "fee": fee, "split": split}
