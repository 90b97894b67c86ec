"""Connections that are lost, databases that are not there, and kills before a step."""

from __future__ import annotations

import contextlib
import socket

import pytest
import sqlalchemy as sa

from drill_katas.services.injected_errors import SutKilled
from drill_katas.sut import driver
from tests.support.database_bench import EVERYTHING, INSERT_A, INSERT_B, insert, names


def test_a_lost_connection_is_an_operational_error(bench, served, engine):
    """The next connection works."""
    with engine.connect() as connection:
        insert(connection, "a")
        cut(connection.connection.driver_connection)
        with pytest.raises(sa.exc.OperationalError, match="the connection to the database was lost") as caught:
            connection.execute(EVERYTHING)
        assert caught.value.connection_invalidated
    assert names(bench.engine(served[1])) == []


def test_pools_drop_lost_connections(engine):
    with engine.connect() as connection:
        cut(connection.connection.driver_connection)
        with pytest.raises(sa.exc.OperationalError):
            connection.execute(EVERYTHING)
    assert names(engine) == []


def cut(connection):
    """End a connection of the driver's from below, as a network would."""
    connection._channel.socket.shutdown(socket.SHUT_RDWR)


def test_end_of_check_drops_its_connections(bench, connection):
    bench.services.clear()
    with pytest.raises(driver.OperationalError, match="lost"):
        connection.execute("SELECT 1")


@pytest.mark.parametrize("what", ["service", "server"])
def test_missing_database_is_an_operational_error(bench, served, what):
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


NIGHT = [INSERT_A, "COMMIT", INSERT_B, "COMMIT", "SELECT 2"]


@pytest.mark.parametrize(("step", "left"), [(1, []), (2, []), (3, ["a"]), (4, ["a"]), (5, ["a", "b"]), (9, ["a", "b"])])
def test_a_kill_comes_before_its_statement(bench, served, database, step, left):
    """Steps are statements, commits and rollbacks; in place of the one that is killed nothing happens."""
    connection = driver.connect(**served[1])
    killed = []

    def kill(request, _):
        killed.append(request)
        cut(connection)
        raise SutKilled

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
