"""The SQL server and its PEP 249 driver, in one process: SQLAlchemy on it does what SQLAlchemy on SQLite does."""

from __future__ import annotations

import contextlib
import math
import socket
import sqlite3
import threading
import time

import pytest
import sqlalchemy as sa
from hypothesis import example, given
from hypothesis import strategies as st
from sqlalchemy import orm
from structlog.contextvars import bound_contextvars

from drill_katas.judge.database import Database
from drill_katas.judge.probe import Usage
from drill_katas.judge.services import Services
from drill_katas.judge.trial import Call
from drill_katas.judge.trouble import Fatal, Refused
from drill_katas.sut import driver

METADATA = sa.MetaData()
ITEMS = sa.Table(
    "items",
    METADATA,
    sa.Column("id", sa.Integer, primary_key=True),
    sa.Column("name", sa.String, unique=True),
    sa.Column("amount", sa.Integer, sa.CheckConstraint("amount >= 0"), nullable=False, default=0),
)
EVERYTHING = sa.select(ITEMS).order_by(ITEMS.c.id)


class Base(orm.DeclarativeBase):
    pass


class Owner(Base):
    __tablename__ = "owners"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    name: orm.Mapped[str]
    pets: orm.Mapped[list[Pet]] = orm.relationship(back_populates="owner", order_by="Pet.id")


class Pet(Base):
    __tablename__ = "pets"
    id: orm.Mapped[int] = orm.mapped_column(primary_key=True)
    name: orm.Mapped[str]
    owner_id: orm.Mapped[int] = orm.mapped_column(sa.ForeignKey("owners.id"))
    owner: orm.Mapped[Owner] = orm.relationship(back_populates="pets")


class Bench:
    """What a check gives a SUT: databases behind a socket, and engines and raw connections to them."""

    def __init__(self):
        self.services = Services()
        self.engines = []

    def database(self, **options):
        database = Database(**options)
        return database, database.attach(self.services)["$database"]

    def engine(self, address, **options):
        engine = driver.make_engine(**address, **options)
        self.engines.append(engine)
        return engine

    def close(self):
        for engine in self.engines:
            engine.dispose()
        self.services.close()


@pytest.fixture
def bench():
    bench = Bench()
    yield bench
    bench.close()


@pytest.fixture
def served(bench):
    """A database with the table `items`, and its address."""
    database, address = bench.database()
    METADATA.create_all(bench.engine(address))
    database.statements.clear()
    return database, address


@pytest.fixture
def database(served):
    return served[0]


@pytest.fixture
def engine(bench, served):
    return bench.engine(served[1])


@pytest.fixture
def connection(served):
    connection = driver.connect(**served[1])
    yield connection
    connection.close()


def insert(connection, *names):
    connection.execute(sa.insert(ITEMS), [{"name": name} for name in names])


def names(engine):
    with engine.connect() as connection:
        return list(connection.scalars(sa.select(ITEMS.c.name).order_by(ITEMS.c.id)))


# SQLAlchemy


def test_rows_are_created_read_updated_and_deleted(engine):
    with engine.begin() as connection:
        made = connection.execute(sa.insert(ITEMS).values(name="a", amount=1))
        assert made.inserted_primary_key == (1,)
        insert(connection, "b", "c")
    with engine.begin() as connection:
        assert connection.execute(sa.update(ITEMS).where(ITEMS.c.id > 1).values(amount=5)).rowcount == 2
        assert connection.execute(sa.delete(ITEMS).where(ITEMS.c.name == "b")).rowcount == 1
    with engine.connect() as connection:
        assert connection.execute(EVERYTHING).all() == [(1, "a", 1), (3, "c", 5)]
        assert connection.scalar(sa.select(sa.func.sum(ITEMS.c.amount))) == 6


def test_the_schema_can_be_made_looked_at_and_dropped(engine):
    inspector = sa.inspect(engine)
    assert inspector.get_table_names() == ["items"]
    assert [column["name"] for column in inspector.get_columns("items")] == ["id", "name", "amount"]
    METADATA.drop_all(engine)
    assert sa.inspect(engine).get_table_names() == []


def test_objects_are_stored_and_loaded_by_the_orm(bench):
    _, address = bench.database()
    engine = bench.engine(address)
    Base.metadata.create_all(engine)
    with orm.Session(engine) as session:
        session.add_all([Owner(name="Ada", pets=[Pet(name="Rex"), Pet(name="Tom")]), Owner(name="Bob")])
        session.commit()
    with orm.Session(engine) as session:
        ada = session.scalars(sa.select(Owner).where(Owner.name == "Ada")).one()
        assert [pet.name for pet in ada.pets] == ["Rex", "Tom"]
        ada.pets[0].name = "Max"
        session.commit()
        assert session.scalars(sa.select(Pet.name).order_by(Pet.id)).all() == ["Max", "Tom"]
        session.delete(ada.pets[1])
        session.flush()
        session.rollback()
        assert session.scalar(sa.select(sa.func.count()).select_from(Pet)) == 2


def test_what_is_committed_stays_and_what_is_rolled_back_is_gone(engine):
    with engine.connect() as connection:
        insert(connection, "kept")
        connection.commit()
        insert(connection, "dropped")
        connection.rollback()
        insert(connection, "left open")
    assert names(engine) == ["kept"]


def test_an_exception_in_a_transaction_rolls_it_back(engine):
    with contextlib.suppress(ZeroDivisionError), engine.begin() as connection:
        insert(connection, "a")
        raise ZeroDivisionError
    assert names(engine) == []


def test_a_savepoint_is_rolled_back_without_its_transaction(engine):
    with engine.begin() as connection:
        insert(connection, "outer")
        inner = connection.begin_nested()
        insert(connection, "inner")
        inner.rollback()
        with connection.begin_nested():
            insert(connection, "second")
    assert names(engine) == ["outer", "second"]


def test_under_autocommit_every_statement_stays_at_once(engine):
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        insert(connection, "a")
        assert names(engine) == ["a"]


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"name": "a"}, "UNIQUE constraint failed: items.name"),
        ({"name": "b", "amount": -1}, "CHECK constraint failed"),
        ({"name": "b", "amount": None}, "NOT NULL constraint failed: items.amount"),
    ],
)
def test_a_violated_constraint_is_an_integrity_error_and_the_connection_goes_on(engine, values, said):
    with engine.begin() as connection:
        insert(connection, "a")
    with engine.connect() as connection:
        with pytest.raises(sa.exc.IntegrityError, match=said) as caught:
            connection.execute(sa.insert(ITEMS).values(**values))
        assert isinstance(caught.value.orig, driver.IntegrityError)
        connection.rollback()
        insert(connection, "c")
        connection.commit()
    assert names(engine) == ["a", "c"]


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("SELEKT 1", sa.exc.OperationalError),
        ("SELECT * FROM nowhere", sa.exc.OperationalError),
    ],
)
def test_a_wrong_statement_gets_the_error_that_sqlite_gives(engine, sql, error):
    real = sa.create_engine("sqlite://")
    said = []
    for each in (engine, real):
        with each.connect() as connection, pytest.raises(sa.exc.DBAPIError) as caught:
            connection.exec_driver_sql(sql)
        said.append((type(caught.value), str(caught.value.orig)))
    real.dispose()
    assert said[0] == said[1]
    assert said[0][0] is error


def test_two_statements_in_one_are_refused_and_the_connection_goes_on(connection):
    with pytest.raises(driver.Error, match="You can only execute one statement at a time"):
        connection.execute("SELECT 1; SELECT 2")
    assert connection.execute("SELECT 1").fetchall() == [(1,)]


def test_many_rows_go_in_with_one_statement_and_come_back_with_their_keys(database, engine):
    with engine.begin() as connection:
        rows = [{"name": f"item {number}", "amount": number} for number in range(50)]
        made = connection.scalars(sa.insert(ITEMS).returning(ITEMS.c.id), rows)
        assert sorted(made) == list(range(1, 51))
    inserts = [statement for statement in database.statements if statement.sql.startswith("INSERT")]
    assert [statement.rows for statement in inserts] == [50]


def test_an_update_and_a_delete_can_return_their_rows(engine):
    with engine.begin() as connection:
        insert(connection, "a", "b")
        changed = connection.execute(sa.update(ITEMS).values(amount=7).returning(ITEMS.c.name, ITEMS.c.amount))
        assert sorted(changed) == [("a", 7), ("b", 7)]
        gone = connection.execute(sa.delete(ITEMS).where(ITEMS.c.name == "a").returning(ITEMS.c.id))
        assert gone.all() == [(1,)]


def test_there_are_no_regular_expressions_in_sql(engine):
    """One that backtracks would stop the judge."""
    with engine.begin() as connection, pytest.raises(sa.exc.OperationalError, match="no such function: REGEXP"):
        connection.scalars(sa.select(ITEMS.c.name).where(ITEMS.c.name.regexp_match("^a.c$")))


@pytest.mark.parametrize(
    "sql",
    [
        "ATTACH DATABASE '{}' AS other", "ATTACH DATABASE ':memory:' AS other", "VACUUM INTO '{}'",
        "ATTACH DATABASE 'file:/kata-1?vfs=memdb' AS other", "PRAGMA temp_store_directory = '{}'",
        "PRAGMA writable_schema = 1", "pragma main.Writable_Schema = 1", "PRAGMA hard_heap_limit = 1000",
        "SELECT load_extension('{}')", "SELECT fts3_tokenizer('simple')",
    ],
)  # fmt: skip
def test_a_statement_reaches_no_file_and_nothing_of_the_judges(connection, tmp_path, sql):
    with pytest.raises(driver.Error, match="authoriz"):
        connection.execute(sql.format(tmp_path / "file"))
    assert list(tmp_path.iterdir()) == []
    assert connection.execute("PRAGMA user_version").fetchall() == [(0,)]


@pytest.mark.parametrize(
    ("sql", "told"),
    [
        ("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n", "larger than 32 MB"),
        ("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n", "interrupted"),
        ("SELECT zeroblob(1000000000)", "too big"),
    ],
)
def test_a_statement_without_end_is_ended_and_the_connection_goes_on(connection, sql, told):
    with pytest.raises(driver.Error, match=told):
        connection.execute(sql)
    assert connection.execute("SELECT 1").fetchall() == [(1,)]


# Two connections


def test_two_engines_see_each_others_commits_and_nothing_before(bench, served):
    one, other = bench.engine(served[1]), bench.engine(served[1])
    with one.connect() as connection:
        insert(connection, "a")
        connection.commit()
        assert names(other) == ["a"]
        connection.execute(sa.update(ITEMS).values(amount=3))
        connection.commit()
    with other.begin() as connection:
        assert connection.scalar(sa.select(ITEMS.c.amount)) == 3


def test_what_is_not_committed_is_not_seen_by_others(bench, served):
    one, other = bench.engine(served[1]), bench.engine(served[1])
    with one.connect() as connection:
        insert(connection, "a")
        with contextlib.suppress(sa.exc.OperationalError):  # SQLite may also refuse to read while another writes
            assert names(other) == []
        connection.rollback()
    assert names(other) == []


def test_a_second_writer_waits_for_the_first_and_then_is_told(bench, served):
    one, other = bench.engine(served[1]), bench.engine(served[1])
    with one.connect() as first, other.connect() as second:
        insert(first, "a")
        with pytest.raises(sa.exc.OperationalError, match="locked"):
            insert(second, "b")
        second.rollback()
        first.commit()
        insert(second, "b")
        second.commit()
    assert names(one) == ["a", "b"]


def test_threads_each_with_a_connection_lose_no_update(engine):
    with engine.begin() as connection:
        insert(connection, "counter")

    def count():
        for _ in range(20):
            with engine.begin() as connection:
                connection.execute(sa.update(ITEMS).values(amount=ITEMS.c.amount + 1))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    with engine.connect() as connection:
        assert connection.scalar(sa.select(ITEMS.c.amount)) == 80


def test_two_databases_have_nothing_in_common(bench, served, engine):
    _, address = bench.database()
    other = bench.engine(address)
    METADATA.create_all(other)
    with engine.begin() as connection:
        insert(connection, "a")
    assert names(other) == []


def test_what_was_committed_outlives_every_connection(bench, served, engine):
    with engine.begin() as connection:
        insert(connection, "a")
    engine.dispose()
    assert names(bench.engine(served[1])) == ["a"]


def test_what_a_lost_connection_had_not_committed_is_gone(bench, served, connection):
    connection.execute("INSERT INTO items (name, amount) VALUES ('a', 0)")
    connection.close()
    other = bench.engine(served[1])
    with other.begin() as writer:  # nor does it hold its lock any longer
        insert(writer, "b")
    assert names(other) == ["b"]


# Values

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
    connection.close()
    real.close()
    bench.close()
    assert database.statements


@given(st.lists(VALUES, min_size=1, max_size=5))
@example([None, 0.1, -0.0, 1e308, 5e-324, 1e22])
@example([math.nan, math.inf, -math.inf])
@example([2**63 - 1, -(2**63), 2**53 + 1])
@example(["", "a\x00b", "\U0001f600", "'", "\n", b"", b"\x00\xff", True])
def test_every_value_comes_back_as_it_does_from_sqlite_itself(both, values):
    sql = f"SELECT {', '.join('?' * len(values))}"
    ours, theirs = (each.execute(sql, values).fetchone() for each in both)
    assert list(map(repr, ours)) == list(map(repr, theirs))


@given(VALUES)
def test_every_value_is_stored_as_the_type_that_sqlite_gives_it(both, value):
    kinds = [each.execute("SELECT typeof(?)", (value,)).fetchone() for each in both]
    assert kinds[0] == kinds[1]


@pytest.mark.parametrize(
    "value", [2**63, -(2**63) - 1, 2**64, 10**30, 10**5000], ids=["2^63", "-2^63-1", "2^64", "10^30", "10^5000"]
)
def test_an_integer_that_sqlite_cannot_hold_is_refused_and_never_rounded(connection, value):
    with pytest.raises(driver.Error):
        connection.execute("SELECT ?", (value,))
    assert connection.execute("SELECT 1").fetchall() == [(1,)]


@pytest.mark.parametrize("value", [object(), {"a": 1}, [1], 1j], ids=lambda value: type(value).__name__)
def test_a_value_of_another_type_is_refused_by_name(connection, value):
    with pytest.raises(driver.ProgrammingError, match=f"type '{type(value).__name__}' is not supported"):
        connection.execute("SELECT ?", (value,))


class Cents(int):
    pass


class Name(str):
    __slots__ = ()


@pytest.mark.parametrize(
    "value", [Cents(5), Name("x"), sa.sql.quoted_name("x", quote=True)], ids=lambda value: type(value).__name__
)
def test_a_value_of_a_class_derived_from_int_or_str_goes_in_as_one(both, value):
    rows = [each.execute("SELECT ?", (value,)).fetchone() for each in both]
    assert rows[0] == rows[1] == (value,)


@pytest.mark.parametrize("value", ["\ud800", "caf\udce9"])
def test_a_text_that_is_no_unicode_is_refused_and_the_connection_goes_on(both, value):
    for each in both:
        with pytest.raises((driver.Error, UnicodeEncodeError)):
            each.execute("SELECT ?", (value,))
        assert each.execute("SELECT 1").fetchall() == [(1,)]


def test_a_large_value_comes_back_whole(connection):
    text, raw = "é" * 500_000, bytes(range(256)) * 4000
    assert connection.execute("SELECT ?, ?", (text, raw)).fetchone() == (text, raw)


def test_typed_columns_of_sqlalchemy_come_back_as_they_went_in(bench):
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


# PEP 249


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


def test_executemany_executes_once_for_each_row_and_is_one_statement(database, connection):
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


def test_an_executemany_that_fails_half_way_can_be_rolled_back_whole(connection):
    with pytest.raises(driver.IntegrityError):
        connection.cursor().executemany("INSERT INTO items (name, amount) VALUES (?, 0)", [("a",), ("b",), ("a",)])
    connection.rollback()
    assert connection.execute("SELECT count(*) FROM items").fetchone() == (0,)


def test_returning_gives_the_rows_of_an_insert(connection):
    cursor = connection.execute("INSERT INTO items (name, amount) VALUES ('a', 1), ('b', 2) RETURNING id, name")
    assert cursor.fetchall() == [(1, "a"), (2, "b")]


@pytest.mark.parametrize("parameters", [(), (1,), (1, 2, 3)])
def test_a_wrong_number_of_parameters_is_a_programming_error(connection, parameters):
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


# What the judge sees


def test_statements_are_counted_without_what_only_frames_them(database, engine):
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


def test_a_statement_is_counted_with_the_rows_it_fetched(database, engine):
    with engine.begin() as connection:
        insert(connection, *"abcde")
        connection.execute(EVERYTHING).first()  # the first is looked at; all were fetched
        connection.execute(EVERYTHING.limit(2)).all()
        connection.execute(sa.select(ITEMS).where(ITEMS.c.id == 99)).all()
    assert [statement.rows for statement in database.statements[1:]] == [5, 2, 0]


def test_a_statement_is_counted_with_the_bytes_that_went_to_and_fro(served, database):
    connection = driver.connect(**served[1])
    with contextlib.closing(connection):
        connection.execute(INSERT_A)
        connection.execute("UPDATE items SET name = ? WHERE amount = ?", ["x" * 100, 0])
        connection.execute("SELECT name, amount FROM items").fetchone()
        connection.cursor().executemany("INSERT INTO items (name, amount) VALUES (?, 1)", [["y" * 10], ["z" * 20]])
    assert [statement.size for statement in database.statements] == [0, 108, 108, 30]


def test_a_recorded_block_has_the_statements_of_that_block_alone(database, engine):
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


def test_a_round_trip_is_added_to_every_statement(bench):
    _, address = bench.database(round_trip=0.05)
    connection = driver.connect(**address)
    began = time.monotonic()
    for _ in range(4):
        connection.execute("SELECT 1")
    assert time.monotonic() - began >= 4 * 0.05
    connection.close()


# Who holds a connection


def test_a_connection_is_held_from_its_first_statement_to_its_return_to_the_pool(database, engine):
    assert database.held() == []
    connection = engine.connect()
    connection.execute(sa.text("SELECT  1"))
    connection.execute(EVERYTHING)
    [held] = database.held()
    assert held.sql == "SELECT items.id, items.name, items.amount FROM items ORDER BY items.id"
    assert (held.in_transaction, held.call, held.trace_id) == (False, "", None)
    assert 0 <= held.seconds < 5
    connection.close()
    assert database.held() == []
    assert database.open_connections == 2  # it is idle in its pool, beside the one that made the table


def test_a_connection_is_held_after_a_commit_and_no_more_after_its_close(database, engine):
    with engine.connect() as connection:
        insert(connection, "a")
        [held] = database.held()
        assert held.in_transaction
        assert str(held).endswith("VALUES (?, ?), in an open transaction")
        connection.commit()
        [held] = database.held()
        assert not held.in_transaction
    assert database.held() == []


def test_a_connection_whose_statement_was_refused_is_held_until_it_is_closed(bench, database, engine):
    connection = engine.connect()
    bench.services.arm(1, refuse)
    with pytest.raises(sa.exc.OperationalError, match="it is tired"):
        connection.execute(EVERYTHING)
    bench.services.disarm()
    assert len(database.held()) == 1
    connection.close()
    assert database.held() == []


def refuse(*_):
    raise Refused("it is tired")


def test_an_open_transaction_is_held_even_after_a_rollback_of_which_nothing_came(bench, database, connection):
    connection.execute(INSERT_A)
    bench.services.arm(1, refuse)
    with pytest.raises(driver.OperationalError):
        connection.rollback()
    bench.services.disarm()
    [held] = database.held()
    assert held.in_transaction
    connection.rollback()
    assert database.held() == []


def test_a_closed_connection_is_neither_open_nor_held_from_that_moment_on(database, served):
    connections = [driver.connect(**served[1]) for _ in range(20)]
    for connection in connections:
        connection.execute("SELECT 1")
    assert (len(database.held()), database.open_connections) == (20, 21)
    for connection in connections:
        connection.close()
    assert (database.held(), database.open_connections, database.peak_connections) == ([], 1, 21)


def test_a_server_takes_as_many_connections_as_it_is_told_and_refuses_one_more(bench):
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


def test_an_engine_has_the_options_that_it_was_asked_for(bench):
    database, address = bench.database()
    engine = bench.engine(address, pool_size=2, max_overflow=0, pool_timeout=0.05)
    too_many = pytest.raises(sa.exc.TimeoutError, match="QueuePool limit of size 2 overflow 0")
    with engine.connect(), engine.connect(), too_many:
        engine.connect()
    with engine.connect():
        assert database.peak_connections == 2


def test_the_work_of_each_call_is_added_up(bench, database, engine):
    bench.services.call = Call("thing.fill()")
    with engine.begin() as connection, engine.connect() as other:
        other.execute(EVERYTHING)
        insert(connection, "a")
        insert(connection, "b")
    bench.services.call = Call("thing.read()")
    names(engine)
    bench.services.call = None
    assert database.usage() == [
        Usage(call="thing.fill()", statements=3, rows=0, transactions=1, connections=2),
        Usage(call="thing.read()", statements=1, rows=2, transactions=0, connections=1),
    ]


def test_the_work_of_requests_at_the_same_time_is_added_up_by_their_traces(bench, database, engine):
    with bound_contextvars(trace_id="a" * 32), engine.begin() as one:
        one.execute(EVERYTHING)
        with bound_contextvars(trace_id="b" * 32):
            names(engine)
        one.execute(EVERYTHING)
    assert [(usage.call, usage.statements) for usage in database.usage()] == [("a" * 32, 2), ("b" * 32, 1)]


PROBE_CHECK = """
@pytest.mark.stage("symptom")
def test_go(sut):
    '''It goes.'''
    database = kit.database(connections=4, client="Server")
    with sut.open("Thing", database) as thing:
        with sut.observe() as seen:
            thing.go("7")
        thing.rest()
        [held] = database.held()
        assert held.trace_id == seen.trace_id
        assert [usage.call for usage in database.usage()] == ['thing.go("7")'], database.usage()
        assert str(held) == 'connection 2 since thing.go("7") -> 8, last statement SELECT 7', str(held)
        assert database.open_connections == 2
    assert database.open_connections == 1, "of an object that is let go, what is idle is closed"
"""
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


def test_a_held_connection_is_told_with_the_call_that_took_it(toy):
    toy.write("world.py", PROBE_WORLD)
    toy.module(PROBE_MODULE)
    toy.checks(PROBE_CHECK)
    check = toy.check()
    assert check.passed, check.message


# What goes wrong


def test_a_connection_that_is_lost_is_an_operational_error_and_the_next_one_works(bench, served, engine):
    with engine.connect() as connection:
        insert(connection, "a")
        cut(connection.connection.driver_connection)
        with pytest.raises(sa.exc.OperationalError, match="the connection to the database was lost") as caught:
            connection.execute(EVERYTHING)
        assert caught.value.connection_invalidated
    assert names(bench.engine(served[1])) == []


def test_a_lost_connection_is_not_handed_out_again_by_the_pool(engine):
    with engine.connect() as connection:
        cut(connection.connection.driver_connection)
        with pytest.raises(sa.exc.OperationalError):
            connection.execute(EVERYTHING)
    assert names(engine) == []


def cut(connection):
    """End a connection of the driver's from below, as a network would."""
    connection._channel.socket.shutdown(socket.SHUT_RDWR)


def test_when_the_check_is_over_its_connections_are_gone(bench, connection):
    bench.services.clear()
    with pytest.raises(driver.OperationalError, match="lost"):
        connection.execute("SELECT 1")


@pytest.mark.parametrize("what", ["service", "server"])
def test_a_database_that_is_not_there_is_an_operational_error(bench, served, what):
    address = dict(served[1])
    if what == "service":
        address["service"] = "nobody"
    else:
        bench.services.close()
    with pytest.raises(driver.OperationalError):
        driver.connect(**address)


def until_killed(connection, *statements):
    """Execute statements until the connection is lost, and return those that were answered."""
    done = []
    with contextlib.suppress(driver.OperationalError):
        for sql in statements:
            connection.commit() if sql == "COMMIT" else connection.execute(sql)
            done.append(sql)
    return done


INSERT_A, INSERT_B = (f"INSERT INTO items (name, amount) VALUES ('{name}', 0)" for name in "ab")
NIGHT = [INSERT_A, "COMMIT", INSERT_B, "COMMIT", "SELECT 1"]


@pytest.mark.parametrize(("step", "left"), [(1, []), (2, []), (3, ["a"]), (4, ["a"]), (5, ["a", "b"]), (9, ["a", "b"])])
def test_the_step_before_which_the_program_is_killed_is_not_carried_out(bench, served, database, step, left):
    """Steps are statements, commits and rollbacks; in place of the one that is killed nothing happens."""
    connection = driver.connect(**served[1])
    killed = []

    def kill(request, _):
        killed.append(request)
        cut(connection)
        raise Fatal

    bench.services.arm(step, kill)
    with contextlib.closing(connection):
        assert until_killed(connection, *NIGHT) == NIGHT[: step - 1]
    bench.services.disarm()
    assert [request.upper() for request in killed] == [sql.upper() for sql in NIGHT[step - 1 : step]]
    assert [statement.sql for statement in database.statements] == [sql for sql in NIGHT[: step - 1] if sql != "COMMIT"]
    assert names(bench.engine(served[1])) == left


def test_steps_that_are_not_armed_kill_nobody(bench, connection):
    bench.services.arm(2, lambda *_: pytest.fail("it was disarmed"))
    connection.execute("SELECT 1")
    bench.services.disarm()
    assert connection.execute("SELECT 1").fetchall() == [(1,)]
    assert connection.execute("SELECT 1").fetchall() == [(1,)]
