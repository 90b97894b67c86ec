"""SQLAlchemy on the judge's database does what SQLAlchemy on SQLite does."""

from __future__ import annotations

import contextlib

import pytest
import sqlalchemy as sa
from sqlalchemy import orm

from drill_katas.sut import driver
from tests.support.database_bench import EVERYTHING, ITEMS, METADATA, insert, names


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


def test_schema_can_be_created_inspected_and_dropped(engine):
    inspector = sa.inspect(engine)
    assert inspector.get_table_names() == ["items"]
    assert [column["name"] for column in inspector.get_columns("items")] == ["id", "name", "amount"]
    METADATA.drop_all(engine)
    assert sa.inspect(engine).get_table_names() == []


def test_orm_stores_and_loads_objects(bench):
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


def test_commits_stay_and_rollbacks_undo(engine):
    with engine.connect() as connection:
        insert(connection, "kept")
        connection.commit()
        insert(connection, "dropped")
        connection.rollback()
        insert(connection, "left open")
    assert names(engine) == ["kept"]


def test_exception_in_transaction_rolls_it_back(engine):
    with contextlib.suppress(ZeroDivisionError), engine.begin() as connection:
        insert(connection, "a")
        raise ZeroDivisionError
    assert names(engine) == []


def test_savepoint_rolls_back_without_its_transaction(engine):
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
def test_violated_constraints_raise_an_integrity_error(engine, values, said):
    """The connection can be used afterwards."""
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
def test_wrong_statement_gets_the_sqlite_error(engine, sql, error):
    real = sa.create_engine("sqlite://")
    said = []
    for each in (engine, real):
        with each.connect() as connection, pytest.raises(sa.exc.DBAPIError) as caught:
            connection.exec_driver_sql(sql)
        said.append((type(caught.value), str(caught.value.orig)))
    real.dispose()
    assert said[0] == said[1]
    assert said[0][0] is error


def test_two_statements_at_once_are_refused(connection):
    """The connection can be used afterwards."""
    with pytest.raises(driver.Error, match="You can only execute one statement at a time"):
        connection.execute("SELECT 1; SELECT 2")
    assert connection.execute("SELECT 1").fetchall() == [(1,)]


def test_many_rows_are_inserted_with_their_keys(database, engine):
    """One statement inserts them."""
    with engine.begin() as connection:
        rows = [{"name": f"item {number}", "amount": number} for number in range(50)]
        made = connection.scalars(sa.insert(ITEMS).returning(ITEMS.c.id), rows)
        assert sorted(made) == list(range(1, 51))
    inserts = [statement for statement in database.statements if statement.sql.startswith("INSERT")]
    assert [statement.rows for statement in inserts] == [50]


def test_update_and_delete_can_return_rows(engine):
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
def test_statement_cannot_reach_files_or_judge(connection, tmp_path, sql):
    with pytest.raises(driver.Error, match="authoriz"):
        connection.execute(sql.format(tmp_path / "file"))
    assert list(tmp_path.iterdir()) == []
    assert connection.execute("PRAGMA user_version").fetchall() == [(0,)]


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n", "larger than 32 MB"),
        ("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n", "interrupted"),
        ("SELECT zeroblob(1000000000)", "too big"),
    ],
)
def test_endless_statements_are_interrupted(connection, sql, message):
    """The connection can be used afterwards."""
    with pytest.raises(driver.Error, match=message):
        connection.execute(sql)
    assert connection.execute("SELECT 1").fetchall() == [(1,)]
