"""Nightly export: writes the paid orders of a day as CSV for the finance team."""

import time
from typing import Any

import structlog
from sqlalchemy import text

from .world import Database

log = structlog.get_logger()

BUSY_SECONDS = 0.02  # of processor time; a run that takes more is logged
PLACES = 2
HEADER = "order,sku,quantity,amount"


class Export:
    """Reads the orders that checkout has settled."""

    def __init__(self, database: Database) -> None:
        """Connect to the database."""
        self._engine = database.engine(pool_size=2, max_overflow=0)
        self._rows: dict[str, dict[int, dict[str, Any]]] = {}  # of each day: what has been read, by its place

    def run(self, day: str) -> str:
        """Return the export of a day."""
        began = time.process_time()
        with self._engine.connect() as connection:
            read = self._rows.setdefault(day, {})
            new = text("SELECT rowid AS place, * FROM orders WHERE day = :day AND answer = 'paid' AND rowid > :last")
            for row in connection.execute(new, {"day": day, "last": max(read, default=0)}).mappings():
                read[row["place"]] = dict(row)
        todays = list(read.values())
        out = HEADER + "\n" + lines(todays)
        units = 0
        cents = 0
        for line in range(len(todays)):
            units = units + todays[line]["quantity"]
            cents = cents + todays[line]["amount"]
        out = out + "total,," + str(units) + "," + money(cents) + "\n"
        busy = time.process_time() - began
        if busy > BUSY_SECONDS:
            log.warning("export is busy", day=day, orders=len(todays), busy=f"{busy:.3f}")
        return out


def lines(orders: list[dict[str, Any]]) -> str:
    """Write the most expensive order first; slow, but it was fine when we had 40 orders a day."""
    out = ""
    for place in range(len(orders)):
        for order in orders:
            before = 0
            for other in orders:
                if other["amount"] > order["amount"]:
                    before = before + 1
                if other["amount"] == order["amount"] and other["id"] < order["id"]:
                    before = before + 1
            if before == place:
                out = out + field(order["id"]) + "," + field(order["sku"]) + ","
                out = out + str(order["quantity"]) + "," + money(order["amount"]) + "\n"
    return out


def field(value: str) -> str:
    """Quote a field where it needs to be."""
    quoted = ""
    special = False
    for character in value:
        quoted = quoted + character
        if character == '"':
            quoted = quoted + character
        if character in {'"', ",", "\n", "\r"}:
            special = True
    if special:
        return '"' + quoted + '"'
    return value


def money(cents: int) -> str:
    """Write cents as an amount with two places."""
    digits = str(cents)
    while len(digits) <= PLACES:
        digits = "0" + digits
    return digits[: len(digits) - PLACES] + "." + digits[len(digits) - PLACES :]
