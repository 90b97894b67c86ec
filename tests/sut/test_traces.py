"""A trace id of a program is a W3C trace id, or it is dropped."""

from __future__ import annotations

import pytest

from drill_katas import kit
from drill_katas.sut.telemetry import valid_trace_id
from tests.support.worlds import BANK_WORLD

VALID = "0af7651916cd43dd8448eb211c80319c"
MODULE = """
import structlog


class Thing:
    def __init__(self, bank, engine):
        self.line, self.engine = bank.line, engine

    def go(self, trace_id):
        with structlog.contextvars.bound_contextvars(trace_id=trace_id), self.engine.begin() as connection:
            self.line.ask("charge")
            connection.exec_driver_sql("SELECT 1")
"""
INVALID = [
    None,
    "",
    7,
    ["0" * 32],
    {"a": 1},
    "x" * 32,
    VALID + "0",
    VALID[:-1],
    VALID.upper(),
    VALID + "\n",
    "0" * 10_000,
]


@pytest.mark.parametrize("value", INVALID)
def test_other_json_is_no_trace_id(value):
    """It would be kept by the judge, with every call and statement."""
    assert valid_trace_id(value) is None


def test_32_hexadecimal_digits_are_a_trace_id():
    """See https://www.w3.org/TR/trace-context/#trace-id."""
    assert valid_trace_id(VALID) == VALID


class Service:
    """An upstream that charges everybody."""

    def charge(self):
        return "charged"


def test_calls_and_statements_keep_valid_ids(sut_bench):
    """The program writes raw requests with arbitrary trace ids."""
    sut = sut_bench.start(MODULE, world=BANK_WORLD)
    bank, database = kit.upstream(Service(), client="Bank"), kit.database()
    with sut.open("Thing", bank, database) as thing:
        for trace in (VALID, ["a"], "x" * 32):
            thing.go(trace)
    assert [asked.trace_id for asked in bank.sent] == [VALID, None, None]
    assert [made.trace_id for made in database.statements][-3:] == [VALID, None, None]
