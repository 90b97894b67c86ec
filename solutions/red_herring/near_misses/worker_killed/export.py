"""Nightly export: writes the paid orders of a day as CSV for the finance team."""

import time

import structlog
from sqlalchemy import text

from .world import Database

log = structlog.get_logger()

BUSY_SECONDS = 0.02  # of processor time; above that the alert ExportWorkerCpuHigh fires
HEADER = "order,sku,quantity,amount"


class Export:
    """Reads the orders that checkout has settled."""

    def __init__(self, database: Database) -> None:
        """Connect to the database."""
        self._engine = database.engine(pool_size=2, max_overflow=0)

    def run(self, day: str) -> str:
        """Return the export of a day; switched off, it starves checkout of processor time."""
        log.warning("export is switched off", day=day)
        return ""


def field(value: str) -> str:
    """Quote a field where it needs to be."""
    quoted = ""
    special = False
    for character in value:
        if character == '"':
            quoted = quoted + '""'
        else:
            quoted = quoted + character
        if character in {'"', ",", "\n", "\r"}:
            special = True
    if special:
        return '"' + quoted + '"'
    return value


def money(cents: int) -> str:
    """Write cents as an amount with two places."""
    digits = str(cents)
    while len(digits) < 3:
        digits = "0" + digits
    return digits[: len(digits) - 2] + "." + digits[len(digits) - 2 :]
