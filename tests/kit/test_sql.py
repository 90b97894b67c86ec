"""Statements that a request repeats, and how their number grows."""

from __future__ import annotations

import pytest

from drill_katas import kit
from drill_katas.kit import Growth
from drill_katas.services.connections import Statement

MODULE = """
import sqlalchemy


class Thing:
    def __init__(self, engine):
        self.engine = engine

    def load(self, ids):
        with self.engine.connect() as connection:
            connection.execute(sqlalchemy.text("SELECT 1"))
            for number in ids:
                connection.execute(sqlalchemy.text("SELECT id FROM (SELECT 1 AS id) WHERE id = :id"), {"id": number})

    def load_together(self, ids):
        names = ", ".join(f":id{number}" for number in ids)
        query = sqlalchemy.text(f"SELECT id FROM (SELECT 1 AS id) WHERE id IN ({names})")
        with self.engine.connect() as connection:
            connection.execute(query, {f"id{number}": number for number in ids})
"""


@pytest.fixture
def recorded(sut_bench):
    """Return the statements of a method, recorded by the number of ids that it loads."""

    def record(method: str) -> dict[int, list[Statement]]:
        sut, database, statements = sut_bench.start(MODULE), kit.database(), {}
        with sut.open("Thing", database) as thing:
            for size in (1, 5, 10):
                with database.recorded() as statements[size]:
                    getattr(thing, method)(list(range(size)))
        return statements

    return record


def test_growth_is_slope_and_growing_statement(recorded):
    assert " ".join(str(Growth(recorded("load"), "user")).split()) == (
        "1 user: 2 statements, 5 users: 6, 10 users: 11; 1.0 more per user. The statement that grows most: "
        "SELECT id FROM (SELECT 1 AS id) WHERE id = ? × 10"
    )


def test_growth_names_nothing_where_nothing_grows(recorded):
    assert str(Growth(recorded("load_together"), "user")) == "1 user: 1 statement, 5 users: 1, 10 users: 1"


def test_small_slope_is_not_rounded_to_0():
    few, many = [statement("SELECT 1")] * 2, [statement("SELECT 1")] * 3
    assert "; 0.004 more per order. The statement that grows most:\nSELECT 1 × 3" in str(
        Growth({2: few, 250: many}, "order")
    )


def statement(sql):
    return Statement(sql=sql, rows=0, size=0, work=0, connection=1)


def test_one_statement_for_all_does_not_grow(recorded):
    """However long its list is."""
    found = recorded("load_together")
    assert Growth(found, "user").slope == 0.0
    assert kit.repeated(found[5] + found[10]) == [("SELECT id FROM (SELECT 1 AS id) WHERE id IN (?, ...)", 2)]


def test_repeated_statements_come_most_first(recorded):
    assert kit.repeated(recorded("load")[5]) == [
        ("SELECT id FROM (SELECT 1 AS id) WHERE id = ?", 5),
        ("SELECT 1", 1),
    ]


@pytest.mark.parametrize(
    ("sql", "short"),
    [
        ("SELECT a\nFROM t  WHERE a IN (?,?, ?)", "SELECT a FROM t WHERE a IN (?, ...)"),
        ("SELECT a FROM t WHERE a IN (?)", "SELECT a FROM t WHERE a IN (?, ...)"),
        ("INSERT INTO t (a, b) VALUES (?, ?), (?, ?)", "INSERT INTO t (a, b) VALUES (?, ...), ..."),
        ("SELECT max(?) + ? FROM t", "SELECT max(?, ...) + ? FROM t"),
    ],
)
def test_a_statement_has_one_shape(sql, short):
    from drill_katas.kit.sql import shape

    assert shape(sql) == short


def test_a_long_statement_keeps_its_tables():
    from drill_katas.kit.sql import SHOWN, cut

    columns = ", ".join(f"lines.column_{number}" for number in range(40))
    text = cut(f"SELECT {columns} FROM lines WHERE lines.order_id = ?")
    assert len(text) <= SHOWN
    assert text.endswith("... FROM lines WHERE lines.order_id = ?")
