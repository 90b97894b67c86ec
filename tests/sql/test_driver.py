"""The driver keeps PEP 249."""

from __future__ import annotations

import sqlite3

import pytest

from drill_katas.sut import driver


def test_the_module_says_what_it_is():
    assert (driver.apilevel, driver.threadsafety, driver.paramstyle) == ("2.0", 1, "qmark")
    real = [int(part) for part in sqlite3.sqlite_version.split(".")]
    assert list(driver.sqlite_version_info) <= real


def test_rows_are_fetched_one_some_and_all(connection):
    def numbers():
        return connection.execute("WITH n(i) AS (VALUES (1), (2), (3), (4), (5), (6)) SELECT i FROM n")

    cursor = numbers()
    assert cursor.fetchone() == (1,)
    assert cursor.fetchmany() == [(2,)]
    assert cursor.fetchmany(2) == [(3,), (4,)]
    assert cursor.fetchall() == [(5,), (6,)]
    assert cursor.fetchone() is None
    assert cursor.fetchmany(3) == []
    assert cursor.fetchall() == []
    assert list(numbers()) == [(1,), (2,), (3,), (4,), (5,), (6,)]
    assert numbers().fetchmany(99) == [(1,), (2,), (3,), (4,), (5,), (6,)]


def test_a_cursor_describes_what_its_statement_did(connection):
    cursor = connection.cursor()
    assert cursor.description is None
    cursor.execute("INSERT INTO items (name, amount) VALUES (?, ?), (?, ?)", ("a", 1, "b", 2))
    assert (cursor.rowcount, cursor.lastrowid, cursor.description) == (2, 2, None)
    cursor.execute("SELECT id, name AS called FROM items")
    assert [column[0] for column in cursor.description] == ["id", "called"]
    assert all(len(column) == 7 for column in cursor.description)
    assert cursor.rowcount == -1


def test_executemany_runs_every_row_as_one_statement(database, connection):
    cursor = connection.cursor()
    cursor.executemany("INSERT INTO items (name, amount) VALUES (?, ?)", [("a", 1), ("b", 2), ("c", 3)])
    assert cursor.rowcount == 3
    assert connection.execute("SELECT name FROM items ORDER BY id").fetchall() == [("a",), ("b",), ("c",)]
    assert [statement.sql[:6] for statement in database.statements] == ["INSERT", "SELECT"]


def test_values_may_be_bound_by_their_names(database, connection):
    cursor = connection.cursor()
    cursor.executemany(
        "INSERT INTO items (name, amount) VALUES (:name, :n)", [{"name": "a", "n": 1}, {"name": "b", "n": 2}]
    )
    assert [statement.size for statement in database.statements] == [18]
    cursor.execute("SELECT amount, :amount FROM items WHERE name = :name", {"name": "b", "amount": 3.5})
    assert cursor.fetchall() == [(2, 3.5)]
    assert isinstance(cursor.description, tuple)
    with pytest.raises(driver.ProgrammingError, match="parameter :name"):
        cursor.execute("SELECT :name", {"amount": 1})


def test_a_failed_executemany_can_be_rolled_back(connection):
    with pytest.raises(driver.IntegrityError):
        connection.cursor().executemany("INSERT INTO items (name, amount) VALUES (?, 0)", [("a",), ("b",), ("a",)])
    connection.rollback()
    assert connection.execute("SELECT count(*) FROM items").fetchone() == (0,)


def test_returning_gives_the_rows_of_an_insert(connection):
    cursor = connection.execute("INSERT INTO items (name, amount) VALUES ('a', 1), ('b', 2) RETURNING id, name")
    assert cursor.fetchall() == [(1, "a"), (2, "b")]


@pytest.mark.parametrize("parameters", [(), (1,), (1, 2, 3)])
def test_wrong_parameter_count_is_a_programming_error(connection, parameters):
    with pytest.raises(driver.ProgrammingError, match="Incorrect number of bindings"):
        connection.execute("SELECT ?, ?", parameters)


def test_a_closed_connection_says_so(connection):
    connection.close()
    connection.close()
    for use in (connection.cursor, connection.commit, connection.rollback):
        with pytest.raises(driver.ProgrammingError, match="closed"):
            use()


def test_functions_of_ones_own_cannot_be_brought(connection):
    with pytest.raises(driver.NotSupportedError, match="mine"):
        connection.create_function("mine", 1, len)
