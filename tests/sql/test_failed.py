"""Statements that fail: recorded like any other, and without data in their messages."""

from __future__ import annotations

import sqlite3

import pytest

from drill_katas.sut import driver

ROWS = ["anna", "boris"]
CARRIERS = {
    "a path": "SELECT json_extract('{}', group_concat(name)) FROM items",
    "a path of a table": "SELECT * FROM json_each('{}', (SELECT name FROM items))",
    "a text that is no UTF-8": "SELECT CAST(x'ff' || name AS TEXT) FROM items",
    "a full-text search": "SELECT * FROM words WHERE words MATCH (SELECT name || ' : x' FROM items)",
    "a column of a full-text search": "SELECT * FROM words WHERE words MATCH (SELECT '{' || name || '}: x' FROM items)",
}


@pytest.fixture
def filled(connection):
    """A connection to a table with two rows, and to an index of words."""
    connection.cursor().executemany("INSERT INTO items (name, amount) VALUES (?, 1)", [[name] for name in ROWS])
    connection.execute("CREATE VIRTUAL TABLE words USING fts5 (word)")
    connection.commit()
    return connection


def message_of(connection, sql, parameters=()):
    with pytest.raises(driver.Error) as caught:
        connection.execute(sql, parameters)
    return str(caught.value)


@pytest.mark.parametrize("sql", CARRIERS.values(), ids=CARRIERS)
def test_an_error_message_carries_no_row(filled, database, sql):
    """It carried names out of the table, past every count of rows; the statement did not even count."""
    message = message_of(filled, sql)
    assert not any(name in message for name in ROWS)
    assert "its message is withheld" in message
    statement = database.statements[-1]
    assert (statement.sql, statement.rows, statement.failed) == (sql, 0, "OperationalError")
    assert statement.size == len(message)


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT amnt FROM items", "no such column: amnt"),
        ("SELEC 1", 'near "SELEC": syntax error'),
        ("INSERT INTO items (name, amount) VALUES ('anna', 1)", "UNIQUE constraint failed: items.name"),
        ("INSERT INTO items (name, amount) VALUES ('carl', -1)", "CHECK constraint failed: amount >= 0"),
        ("INSERT INTO items (amount) VALUES (NULL)", "NOT NULL constraint failed: items.amount"),
        ("INSERT INTO items (id, amount) VALUES ('x', 1)", "datatype mismatch"),
        ("DELETE FROM items", "items' are kept"),
        ("SELECT json_extract(name, '$') FROM items", "malformed JSON"),
        ("SELECT 1; SELECT 2", "You can only execute one statement at a time."),
    ],
)
def test_message_that_names_fault_is_kept(filled, sql, message):
    filled.execute("CREATE TRIGGER t BEFORE DELETE ON items BEGIN SELECT RAISE(ABORT, 'items'' are kept'); END")
    assert message in message_of(filled, sql)


def test_a_long_message_is_cut(filled):
    assert len(message_of(filled, f"SELECT {'x' * 10_000}")) < 600


def test_failed_statement_is_recorded_with_its_cost(filled, database):
    """A failed statement was not counted, and its work went to the next one, which hid an N+1."""
    before = len(database.statements)
    for number in range(3):
        message_of(filled, "SELECT json_extract('{}', name || ?) FROM items ORDER BY name", [f"{number}" * 10])
    filled.execute("SELECT 1")
    *failed, last = database.statements[before:]
    assert [each.failed for each in failed] == ["OperationalError"] * 3
    assert all(each.work > last.work for each in failed)
    assert all(each.size > 10 for each in failed)


def test_an_insert_that_fails_began_the_transaction(filled, database):
    with pytest.raises(driver.IntegrityError):
        filled.execute("INSERT INTO items (name, amount) VALUES ('anna', 1)")
    filled.execute("SELECT 1")
    assert [(each.failed, each.began) for each in database.statements[-2:]] == [("IntegrityError", True), ("", False)]


def test_every_constraint_result_code_is_known():
    """The one number without a name in sqlite3 is that of a strict table's column."""
    real = sqlite3.connect(":memory:")
    real.execute("CREATE TABLE strict_one (a INT) STRICT")
    with pytest.raises(sqlite3.IntegrityError) as caught:
        real.execute("INSERT INTO strict_one VALUES ('anna')")
    real.close()
    from drill_katas.sql.messages import CONSTRAINTS

    assert caught.value.sqlite_errorcode in CONSTRAINTS
