"""The judge's database returns every value as SQLite itself does."""

from __future__ import annotations

import math
import sqlite3

import pytest
import sqlalchemy as sa
from hypothesis import example, given
from hypothesis import strategies as st

from drill_katas.sut import driver
from tests.support.database_bench import Bench

INTEGERS = st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES = st.none() | INTEGERS | st.floats() | TEXT | st.binary() | st.booleans()


@pytest.fixture(scope="module")
def both():
    """A connection to the judge's database, and one straight to SQLite."""
    bench = Bench()
    database, address = bench.database()
    connection, real = driver.connect(**address), sqlite3.connect(":memory:")
    yield connection, real
    assert database.statements
    connection.close()
    real.close()
    bench.close()


@given(st.lists(VALUES, min_size=1, max_size=5))
@example([None, 0.1, -0.0, 1e308, 5e-324, 1e22])
@example([math.nan, math.inf, -math.inf])
@example([2**63 - 1, -(2**63), 2**53 + 1])
@example(["", "a\x00b", "\U0001f600", "'", "\n", b"", b"\x00\xff", True])
def test_every_value_returns_as_from_sqlite(both, values):
    sql = f"SELECT {', '.join('?' * len(values))}"
    ours, theirs = (each.execute(sql, values).fetchone() for each in both)
    assert list(map(repr, ours)) == list(map(repr, theirs))


@given(VALUES)
def test_values_are_stored_with_sqlites_types(both, value):
    kinds = [each.execute("SELECT typeof(?)", (value,)).fetchone() for each in both]
    assert kinds[0] == kinds[1]


@pytest.mark.parametrize(
    "value", [2**63, -(2**63) - 1, 2**64, 10**30, 10**5000], ids=["2^63", "-2^63-1", "2^64", "10^30", "10^5000"]
)
def test_too_large_integers_are_refused(connection, value):
    with pytest.raises(driver.Error):
        connection.execute("SELECT ?", (value,))
    assert connection.execute("SELECT 1").fetchall() == [(1,)]


@pytest.mark.parametrize("value", [object(), {"a": 1}, [1], 1j], ids=lambda value: type(value).__name__)
def test_unsupported_value_type_is_refused_by_name(connection, value):
    with pytest.raises(driver.ProgrammingError, match=f"type '{type(value).__name__}' is not supported"):
        connection.execute("SELECT ?", (value,))


class Cents(int):
    pass


class Name(str):
    __slots__ = ()


@pytest.mark.parametrize(
    "value", [Cents(5), Name("x"), sa.sql.quoted_name("x", quote=True)], ids=lambda value: type(value).__name__
)
def test_subclasses_of_int_and_str_are_taken(both, value):
    rows = [each.execute("SELECT ?", (value,)).fetchone() for each in both]
    assert rows[0] == rows[1] == (value,)


@pytest.mark.parametrize("value", ["\ud800", "caf\udce9"])
def test_text_without_unicode_is_refused(both, value):
    """The connection can be used afterwards."""
    for each in both:
        with pytest.raises((driver.Error, UnicodeEncodeError)):
            each.execute("SELECT ?", (value,))
        assert each.execute("SELECT 1").fetchall() == [(1,)]


def test_a_large_value_comes_back_whole(connection):
    text, raw = "é" * 100_000, bytes(range(256)) * 300
    assert connection.execute("SELECT ?, ?", (text, raw)).fetchone() == (text, raw)


def test_typed_sqlalchemy_columns_return_unchanged(bench):
    _, address = bench.database()
    engine = bench.engine(address)
    metadata = sa.MetaData()
    table = sa.Table(
        "t",
        metadata,
        sa.Column("raw", sa.LargeBinary),
        sa.Column("number", sa.Float),
        sa.Column("large", sa.BigInteger),
        sa.Column("flag", sa.Boolean),
        sa.Column("data", sa.JSON),
        sa.Column("day", sa.Date),
    )
    metadata.create_all(engine)
    day = sa.func.date("2026-01-31")
    values = {"raw": b"\x00\xff", "number": 0.1 + 0.2, "large": 2**63 - 1, "flag": True, "data": {"a": [1, None]}}
    with engine.begin() as connection:
        connection.execute(sa.insert(table).values(**values, day=day))
        row = connection.execute(sa.select(table)).mappings().one()
    assert {name: row[name] for name in values} == values
    assert row["day"].isoformat() == "2026-01-31"
