"""The judge's records of a database: statements, rows, bytes, and checked-out connections."""

from __future__ import annotations

import contextlib
import time

import pytest
import sqlalchemy as sa
from structlog.contextvars import bound_contextvars

from drill_katas import kit
from drill_katas.services.calls import Call
from drill_katas.services.connections import Usage
from drill_katas.services.injected_errors import StepRefused
from drill_katas.sut import driver
from tests.support.database_bench import EVERYTHING, INSERT_A, ITEMS, insert, names

# Records of the judge


def test_transaction_and_pragma_statements_are_not_counted(database, engine):
    with engine.connect() as connection:
        insert(connection, "a")
        connection.commit()
        with connection.begin_nested():
            connection.execute(sa.update(ITEMS).values(amount=1))
        connection.rollback()
        connection.exec_driver_sql("PRAGMA foreign_keys = ON")
        connection.exec_driver_sql("  begin")
        connection.exec_driver_sql("\nCOMMIT")
        connection.execute(EVERYTHING)
    assert [statement.sql.split()[0] for statement in database.statements] == ["INSERT", "UPDATE", "SELECT"]


def test_a_pragma_that_reads_rows_is_counted(database, connection):
    """Keys that lead nowhere are listed with their row ids, in which a program can keep what it likes."""
    connection.execute("CREATE TABLE parts (item REFERENCES items (id))")
    connection.execute("INSERT INTO parts (rowid, item) VALUES (7, 77), (8, 88)")
    for sql in ("PRAGMA foreign_keys", "PRAGMA table_info(nowhere)", "PRAGMA foreign_key_check"):
        connection.execute(sql)
    assert [(each.sql, each.rows) for each in database.statements[2:]] == [("PRAGMA foreign_key_check", 2)]


def test_statement_counts_the_rows_it_fetched(database, engine):
    with engine.begin() as connection:
        insert(connection, *"abcde")
        connection.execute(EVERYTHING).first()  # the first is looked at; all were fetched
        connection.execute(EVERYTHING.limit(2)).all()
        connection.execute(sa.select(ITEMS).where(ITEMS.c.id == 99)).all()
    assert [statement.rows for statement in database.statements[1:]] == [5, 2, 0]


def test_statements_count_bytes_in_both_directions(served, database):
    connection = driver.connect(**served[1])
    with contextlib.closing(connection):
        connection.execute(INSERT_A)
        connection.execute("UPDATE items SET name = ? WHERE amount = ?", ["x" * 100, 0])
        connection.execute("SELECT name, amount FROM items").fetchone()
        connection.cursor().executemany("INSERT INTO items (name, amount) VALUES (?, 1)", [["y" * 10], ["z" * 20]])
    assert [statement.size for statement in database.statements] == [0, 108, 108, 30]


def test_recorded_block_has_only_its_own_statements(database, engine):
    with engine.begin() as connection:
        insert(connection, "a")
    with database.recorded() as seen:
        names(engine)
        names(engine)
    names(engine)
    assert len(seen) == 2
    assert all(statement.sql.startswith("SELECT") for statement in seen)
    assert len(database.statements) == 4


def test_a_statement_is_counted_with_its_connection(bench, served, database):
    one, other = (driver.connect(**served[1]) for _ in range(2))
    for connection in (one, other, one):
        connection.execute("SELECT 1")
    first, second, third = (statement.connection for statement in database.statements)
    assert first == third != second
    one.close()
    other.close()


def test_round_trip_is_added_to_every_statement(bench):
    _, address = bench.database(round_trip=0.05)
    connection = driver.connect(**address)
    began = time.monotonic()
    for _ in range(4):
        connection.execute("SELECT 1")
    assert time.monotonic() - began >= 4 * 0.05
    connection.close()


# Checked-out connections


def test_connections_are_held_until_their_return(database, engine):
    """They are held from the first statement on."""
    assert database.checked_out() == []
    connection = engine.connect()
    connection.execute(sa.text("SELECT  1"))
    connection.execute(EVERYTHING)
    [held] = database.checked_out()
    assert held.sql == "SELECT items.id, items.name, items.amount FROM items ORDER BY items.id"
    assert (held.in_transaction, held.call, held.trace_id) == (False, "", None)
    assert 0 <= held.seconds < 5
    connection.close()
    assert database.checked_out() == []
    assert database.open_connections == 2  # idle in its pool, beside the connection that made the table


def test_closing_ends_the_hold_commit_does_not(database, engine):
    with engine.connect() as connection:
        insert(connection, "a")
        [held] = database.checked_out()
        assert held.in_transaction
        assert str(held).endswith("VALUES (?, ?), in an open transaction")
        connection.commit()
        [held] = database.checked_out()
        assert not held.in_transaction
    assert database.checked_out() == []


def test_a_refused_statement_holds_its_connection(bench, database, engine):
    """The hold ends when the connection is closed."""
    connection = engine.connect()
    bench.services.arm(1, refuse)
    with pytest.raises(sa.exc.OperationalError, match="it is tired"):
        connection.execute(EVERYTHING)
    bench.services.disarm()
    assert len(database.checked_out()) == 1
    connection.close()
    assert database.checked_out() == []


def test_restoring_settings_checks_out_no_connection(database, engine):
    """SQLAlchemy does so after the rollback with which the pool has taken it back."""
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(EVERYTHING)
        assert len(database.checked_out()) == 1
    assert database.checked_out() == []


def refuse(*_):
    raise StepRefused("it is tired")


def test_a_failed_rollback_ends_the_hold(bench, database, connection):
    """The server ends the transaction of a client that cannot."""
    connection.execute(INSERT_A)
    bench.services.arm(1, refuse)
    with pytest.raises(driver.OperationalError):
        connection.rollback()
    bench.services.disarm()
    assert database.checked_out() == []
    assert connection.execute("SELECT * FROM items").fetchall() == []


def test_a_closed_connection_is_not_held(database, served):
    connections = [driver.connect(**served[1]) for _ in range(20)]
    for connection in connections:
        connection.execute("SELECT 1")
    assert (len(database.checked_out()), database.open_connections) == (20, 21)
    for connection in connections:
        connection.close()
    assert (database.checked_out(), database.open_connections, database.peak_connections) == ([], 1, 21)


def test_one_connection_too_many_is_refused(bench):
    database, address = bench.database(connections=3)
    engine = bench.engine(address, poolclass=sa.NullPool)
    held = [engine.connect() for _ in range(3)]
    for _ in range(2):
        with pytest.raises(sa.exc.OperationalError, match="too many connections: the server takes 3"):
            engine.connect()
    assert (database.open_connections, database.peak_connections) == (3, 3)
    held.pop().close()
    with engine.connect() as connection:
        assert connection.scalar(sa.text("SELECT 1")) == 1
    for connection in held:
        connection.close()


def test_engine_has_the_requested_options(bench):
    database, address = bench.database()
    engine = bench.engine(address, pool_size=2, max_overflow=0, pool_timeout=0.05)
    too_many = pytest.raises(sa.exc.TimeoutError, match="QueuePool limit of size 2 overflow 0")
    with engine.connect(), engine.connect(), too_many:
        engine.connect()
    with engine.connect():
        assert database.peak_connections == 2


def test_work_is_summed_for_each_call(bench, database, engine):
    bench.services.begin(Call("thing.fill()"), None)
    with engine.begin() as connection, engine.connect() as other:
        other.execute(EVERYTHING)
        insert(connection, "a")
        insert(connection, "b")
    bench.services.begin(Call("thing.read()"), None)
    names(engine)
    bench.services.begin(None, None)
    assert database.usage() == [
        Usage(call="thing.fill()", statements=3, rows=0, transactions=1, connections=2),
        Usage(call="thing.read()", statements=1, rows=2, transactions=0, connections=1),
    ]


def test_work_is_added_up_by_trace(bench, database, engine):
    """Requests at the same time are kept apart."""
    with bound_contextvars(trace_id="a" * 32), engine.begin() as one:
        one.execute(EVERYTHING)
        with bound_contextvars(trace_id="b" * 32):
            names(engine)
        one.execute(EVERYTHING)
    assert [(usage.call, usage.statements) for usage in database.usage()] == [("a" * 32, 2), ("b" * 32, 1)]


def test_trace_id_must_be_32_hex_digits(database, engine):
    """It is kept with each statement, and was any JSON of any length."""
    for trace_id in ("a" * 32, "A" * 32, "a" * 100_000, {"a": 1}, 7):
        with bound_contextvars(trace_id=trace_id):
            names(engine)
    assert [each.trace_id for each in database.statements] == ["a" * 32, None, None, None, None]


PROBE_MODULE = """
import sqlalchemy


class Thing:
    def __init__(self, server):
        self.engine = server.engine(pool_size=2)
        with self.engine.connect(), self.engine.connect():
            pass

    def go(self, number):
        global kept
        kept = self.engine.connect()
        return kept.scalar(sqlalchemy.text(f"SELECT {number}")) + 1

    def rest(self):
        pass
"""
PROBE_WORLD = """
class Server:
    def __init__(self, connect):
        self.engine = connect
"""


def test_a_held_connection_names_its_call(sut_bench):
    sut, database = sut_bench.start(PROBE_MODULE, world=PROBE_WORLD), kit.database(connections=4, client="Server")
    with sut.open("Thing", database) as thing:
        with sut.observe() as seen:
            thing.go("7")
        thing.rest()
        [held] = database.checked_out()
        assert held.trace_id == seen.trace_id
        assert [usage.call for usage in database.usage()] == ['thing.go("7")']
        assert str(held) == 'connection 2 since thing.go("7") -> 8, last statement SELECT 7'
        assert database.open_connections == 2
    assert database.open_connections == 1, "of an object that is let go, what is idle is closed"
