"""Harbour wallets: turns payment messages into movements and keeps holdings and totals current."""

import decimal
from decimal import Decimal
from typing import Any, Protocol

import sqlalchemy as sa
import structlog
from prometheus_client import Counter
from sqlalchemy.dialects.sqlite import insert

logger = structlog.get_logger("harbour")
FAILED = Counter("checkout_failure_total", "Failed checkouts by reason.", ["reason"])

STEP = {"USD": Decimal("0.01"), "EUR": Decimal("0.01"), "JPY": Decimal(1), "BHD": Decimal("0.001")}

Message = dict[str, Any]
Movements = list[tuple[str, Decimal]]

db = sa.MetaData()
holding = sa.Table(
    "holding",
    db,
    sa.Column("owner", sa.Text, primary_key=True),
    sa.Column("currency", sa.CHAR(3), primary_key=True),
    sa.Column("value", sa.Float, nullable=False),
)
totals = sa.Table(
    "totals",
    db,
    sa.Column("currency", sa.CHAR(3), primary_key=True),
    sa.Column("value", sa.Float, nullable=False),
)
inbox = sa.Table(
    "inbox",
    db,
    sa.Column("message_id", sa.Text, primary_key=True),
    sa.Column("result", sa.Text, nullable=False),
)


def pay_in(message: Message) -> Movements:
    """Credit the account."""
    return [(message["account"], Decimal(message["amount"]))]


def pay_back(message: Message) -> Movements:
    """Debit the account."""
    return [(message["account"], -Decimal(message["amount"]))]


def take_fee(message: Message) -> Movements:
    """Move the fee to the house, rounded as banks do."""
    with decimal.localcontext(prec=60, rounding=decimal.ROUND_HALF_EVEN):
        fee = (Decimal(message["amount"]) * Decimal(message["rate"])).quantize(STEP[message["currency"]])
    return [(message["account"], -fee), ("fees", fee)]


def share_out(message: Message) -> Movements:
    """Move the amount to the recipients; the first ones get a step more where it does not divide."""
    step, recipients = STEP[message["currency"]], message["to"]
    each, spare = divmod(int(Decimal(message["amount"]) / step), len(recipients))
    movements = pay_back(message)
    for position, recipient in enumerate(recipients):
        movements.append((recipient, step * (each + 1 if position < spare else each)))
    return movements


RULES = {"payment": pay_in, "refund": pay_back, "fee": take_fee, "split": share_out}


class Gateway(Protocol):
    """The payment provider."""

    def charge(self, key: str, amount: str, currency: str) -> str:
        """Return "charged" or "declined"; a TimeoutError means that the outcome is unknown."""


class Ledger:
    """What every owner holds, and what the house holds for all of them."""

    def __init__(self, engine: sa.Engine, gateway: Gateway) -> None:
        """Set up the tables."""
        db.create_all(engine)
        self.engine = engine
        self.gateway = gateway

    def apply(self, event: Message) -> None:
        """Book an event's movements."""
        movements = RULES[event["type"]](event)
        with self.engine.begin() as connection:
            if self._accept(connection, event["id"], "booked"):
                self._book(connection, event["currency"], movements)

    def balance(self, account: str, currency: str) -> str:
        """Answer with the holding of one owner."""
        return self._show(currency, sa.select(holding.c.value).filter_by(owner=account, currency=currency))

    def book(self, currency: str) -> str:
        """Answer with the total of all holdings."""
        return self._show(currency, sa.select(totals.c.value).filter_by(currency=currency))

    def checkout(self, order: Message) -> str:
        """Charge the customer, then book the payment."""
        with self.engine.connect() as connection:
            result: str | None = connection.scalar(sa.select(inbox.c.result).filter_by(message_id=order["id"]))
        if result:
            return result
        try:
            answer = self.gateway.charge(order["id"], order["amount"], order["currency"])
        except TimeoutError:
            return "pending"
        result = {"charged": "paid", "declined": "declined"}[answer]
        with self.engine.begin() as connection:
            if self._accept(connection, order["id"], result) and result == "paid":
                self._book(connection, order["currency"], pay_in(order))
        if result == "declined":
            FAILED.labels("declined").inc()
            logger.error("checkout failed", order=order["id"], reason="declined")
        return result

    def _accept(self, connection: sa.Connection, message_id: str, result: str) -> bool:
        entry = insert(inbox).values(message_id=message_id, result=result).on_conflict_do_nothing()
        return connection.execute(entry).rowcount > 0

    def _book(self, connection: sa.Connection, currency: str, movements: Movements) -> None:
        for owner, amount in movements:
            self._add(connection, holding, {"owner": owner, "currency": currency}, amount)
            self._add(connection, totals, {"currency": currency}, amount)

    def _add(self, connection: sa.Connection, table: sa.Table, key: dict[str, str], amount: Decimal) -> None:
        row = connection.execute(sa.select(table.c.value).filter_by(**key)).first()
        if row is None:
            connection.execute(sa.insert(table).values(value=amount, **key))
            return
        where = (table.c[column] == value for column, value in key.items())
        connection.execute(sa.update(table).where(*where).values(value=Decimal(row.value) + amount))

    def _show(self, currency: str, query: sa.Select[Any]) -> str:
        with self.engine.connect() as connection:
            value = Decimal(connection.scalar(query) or 0)
        padded = value.quantize(STEP[currency])
        return f"{padded if padded == value else value:f}"
