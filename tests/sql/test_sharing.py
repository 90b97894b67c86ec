"""Several connections, engines, and databases, and the data they share."""

from __future__ import annotations

import contextlib
import threading

import pytest
import sqlalchemy as sa

from tests.support.database_bench import ITEMS, METADATA, insert, names


def test_engines_see_only_each_others_commits(bench, served):
    one, other = bench.engine(served[1]), bench.engine(served[1])
    with one.connect() as connection:
        insert(connection, "a")
        connection.commit()
        assert names(other) == ["a"]
        connection.execute(sa.update(ITEMS).values(amount=3))
        connection.commit()
    with other.begin() as connection:
        assert connection.scalar(sa.select(ITEMS.c.amount)) == 3


def test_uncommitted_changes_are_invisible_to_others(bench, served):
    one, other = bench.engine(served[1]), bench.engine(served[1])
    with one.connect() as connection:
        insert(connection, "a")
        with contextlib.suppress(sa.exc.OperationalError):  # SQLite may also refuse to read while another writes
            assert names(other) == []
        connection.rollback()
    assert names(other) == []


def test_a_second_writer_waits_then_fails(bench, served):
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


def test_threads_with_own_connections_lose_no_update(engine):
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


def test_lost_connection_drops_its_uncommitted_changes(bench, served, connection):
    connection.execute("INSERT INTO items (name, amount) VALUES ('a', 0)")
    connection.close()
    other = bench.engine(served[1])
    with other.begin() as writer:  # and its lock is released
        insert(writer, "b")
    assert names(other) == ["b"]
