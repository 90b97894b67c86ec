"""Statements that a request repeats, and how their number grows."""

from __future__ import annotations

import pytest

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
def told(toy):
    """Judge a check of how a call's statements grow, and return what it says."""

    def judge(call: str, body: str) -> str:
        toy.module(MODULE)
        toy.checks(f'''
            @pytest.mark.stage("symptom")
            def test_go(sut):
                """It goes."""
                database, recorded = kit.database(), {{}}
                with sut.open("Thing", database) as thing:
                    for size in (1, 5, 10):
                        with database.recorded() as recorded[size]:
                            thing.{call}(list(range(size)))
                growth = kit.Growth(recorded, "user")
                assert False, {body}
        ''')
        return " ".join(toy.check().message.split())

    return judge


def test_growth_is_the_slope_and_the_statement_that_grows(told):
    assert told("load", "str(growth)") == (
        "1 user: 2 statements, 5 users: 6, 10 users: 11; 1.0 more per user. The statement that grows most: "
        "SELECT id FROM (SELECT 1 AS id) WHERE id = ? × 10"
    )


def test_growth_names_nothing_where_nothing_grows(told):
    """Nor a slope; one that is small is not rounded to 0."""
    assert told("load_together", "str(growth)") == "1 user: 1 statement, 5 users: 1, 10 users: 1"
    few, many = [statement("SELECT 1")] * 2, [statement("SELECT 1")] * 3
    assert "; 0.004 more per order. The statement that grows most:\nSELECT 1 × 3" in str(
        Growth({2: few, 250: many}, "order")
    )


def statement(sql):
    return Statement(sql=sql, rows=0, size=0, work=0, connection=1)


def test_one_statement_for_all_does_not_grow_however_long_its_list(told):
    text = told("load_together", "(growth.slope, kit.repeated(recorded[5] + recorded[10]))")
    assert text == "(0.0, [('SELECT id FROM (SELECT 1 AS id) WHERE id IN (?, ...)', 2)])"


def test_what_is_repeated_most_comes_first(told):
    assert told("load", "kit.repeated(recorded[5])") == (
        "[('SELECT id FROM (SELECT 1 AS id) WHERE id = ?', 5), ('SELECT 1', 1)]"
    )


@pytest.mark.parametrize(
    ("sql", "short"),
    [
        ("SELECT a\nFROM t  WHERE a IN (?,?, ?)", "SELECT a FROM t WHERE a IN (?, ...)"),
        ("SELECT a FROM t WHERE a IN (?)", "SELECT a FROM t WHERE a IN (?, ...)"),
        ("INSERT INTO t (a, b) VALUES (?, ?), (?, ?)", "INSERT INTO t (a, b) VALUES (?, ...), ..."),
        ("SELECT max(?) + ? FROM t", "SELECT max(?, ...) + ? FROM t"),
    ],
)
def test_a_statement_has_one_shape_however_many_values_it_is_given(sql, short):
    from drill_katas.kit.sql import shape

    assert shape(sql) == short


def test_of_a_long_statement_what_it_reads_from_is_kept():
    from drill_katas.kit.sql import SHOWN, cut

    columns = ", ".join(f"lines.column_{number}" for number in range(40))
    text = cut(f"SELECT {columns} FROM lines WHERE lines.order_id = ?")
    assert len(text) <= SHOWN
    assert text.endswith("... FROM lines WHERE lines.order_id = ?")
