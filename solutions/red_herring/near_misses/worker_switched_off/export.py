"""Nightly export: writes the paid orders of a day as CSV for the finance team."""

from typing import Any

import structlog

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

    def run(self, day: str) -> str:
        """Return the export of a day; switched off until the alert is understood."""
        log.warning("export is switched off", day=day)
        return ""


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
