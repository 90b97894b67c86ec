"""The message names a connection that stays checked out during a call to another service, and the call."""

from __future__ import annotations

import pytest

from drill_katas import kit
from tests.support.worlds import BANK_WORLD

MODULE = """
class Thing:
    def __init__(self, bank, engine):
        self.line, self.engine = bank.line, engine

    def over_the_call(self):
        with self.engine.connect() as connection:
            connection.exec_driver_sql("SELECT 42")
            self.line.ask("charge")

    def ahead_of_the_call(self):
        with self.engine.connect() as connection:
            connection.exec_driver_sql("SELECT 42")
        self.line.ask("charge")
"""


class Service:
    """An upstream that looks for connections while it is called."""

    def __init__(self, database):
        self.holding = kit.Holding(database)

    def charge(self):
        self.holding.note("charge")


@pytest.mark.parametrize(
    ("method", "message"),
    [
        (
            "over_the_call",
            (
                "1 connection was checked out while charge was open, the first: connection 1 since "
                "thing.over_the_call() -> no answer, last statement SELECT 42"
            ),
        ),
        ("ahead_of_the_call", ""),
    ],
)
def test_connection_kept_during_call_is_named(sut_bench, method, message):
    """One that went back to its pool ahead of the call is not."""
    sut, database = sut_bench.start(MODULE, world=BANK_WORLD), kit.database()
    service = Service(database)
    with sut.open("Thing", kit.upstream(service, client="Bank"), database) as thing:
        getattr(thing, method)()
    assert str(service.holding) == message
