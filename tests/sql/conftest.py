"""Fixtures: a bench, a database on it with a table, an engine and a connection to it."""

from __future__ import annotations

import pytest

from drill_katas.sut import driver
from tests.support.database_bench import METADATA, Bench


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
