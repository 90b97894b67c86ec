"""Nightly export: writes the paid orders of a day as CSV for the finance team."""

import csv
import io
import time

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

    def run(self, day: str) -> str:
        """Return the export of a day."""
        began = time.process_time()
        with self._engine.connect() as connection:
            query = text("SELECT id, sku, quantity, amount FROM orders WHERE day = :day AND answer = 'paid'")
            orders = list(connection.execute(query, {"day": day}))
        file = io.StringIO()
        writer = csv.writer(file)
        writer.writerow(HEADER.split(","))
        for order in sorted(orders, key=lambda order: (-order.amount, order.id)):
            writer.writerow([order.id, order.sku, order.quantity, money(order.amount)])
        writer.writerow(["total", "", sum(order.quantity for order in orders), money(sum(o.amount for o in orders))])
        out = file.getvalue()
        busy = time.process_time() - began
        if busy > BUSY_SECONDS:
            log.warning("export is busy", day=day, orders=len(orders), busy=f"{busy:.3f}")
        return out


def money(cents: int) -> str:
    """Write cents as an amount with two places."""
    digits = str(cents)
    while len(digits) <= PLACES:
        digits = "0" + digits
    return digits[: len(digits) - PLACES] + "." + digits[len(digits) - PLACES :]
