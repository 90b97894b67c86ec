"""The control of benchmarks/run.py: the fixture `sut` without a separate process, a judge, or limits.

Hypothesis does the same work as under the judge: the same profile, examples, and shrinking.
"""

from __future__ import annotations

import importlib
import sys
from pathlib import Path

import hypothesis
import pytest
import sqlalchemy
from sqlalchemy.pool import StaticPool

from drill_katas.catalog.katas import Limits
from drill_katas.judge.check_context import CheckContext
from drill_katas.runner.checks import seeded, watched
from drill_katas.services.broker import Services
from drill_katas.services.database import Statement

hypothesis.settings.register_profile(
    "control",
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=30,
    phases=set(hypothesis.Phase) - {hypothesis.Phase.explain},
    report_multiple_bugs=False,
    print_blob=False,
    suppress_health_check=list(hypothesis.HealthCheck),
)
hypothesis.settings.load_profile("control")
sys.path.insert(0, str(Path(__file__).parent))


class Handle:
    """The learner's object itself."""

    def __init__(self, thing):
        self._thing = thing

    def __getattr__(self, name):
        return getattr(self._thing, name)

    def __enter__(self):
        return self

    def __exit__(self, *_exc):
        self._thing._engine.dispose()


class Direct:
    """Calls the upstream's service directly."""

    def __init__(self, upstream):
        self._upstream = upstream

    def ask(self, method, **arguments):
        reply = self._upstream._answer(method, arguments)
        if reply.timeout:
            raise TimeoutError(reply.timeout)
        return reply.ok


class InProcess:
    """The part of the judge's `Sut` that works in one process."""

    seed = 0
    check: CheckContext

    def __init__(self):
        self._services = Services()  # only counts the steps; nothing connects to it

    def open(self, _target, database, gateway):
        ledger = importlib.import_module("fp_drift.ledger")
        world = importlib.import_module("fp_drift.world")
        engine = sqlalchemy.create_engine("sqlite://", poolclass=StaticPool, connect_args={"check_same_thread": False})
        sqlalchemy.event.listen(engine, "before_cursor_execute", lambda *args: _record(database, args[2]))
        gateway.attach(self._services)
        return Handle(ledger.Ledger(engine, world.Gateway(Direct(gateway))))

    def close(self):
        self._services.close()


CONTROL = InProcess()


def _record(database, sql):
    database.statements.append(Statement(sql, rows=0, size=0, work=0, connection=0))


@pytest.fixture(scope="session")
def sut():
    yield CONTROL
    CONTROL.close()


def pytest_configure(config):
    config.addinivalue_line("markers", "stage(name): the stage of a check")


def pytest_collection_modifyitems(items):
    for item in items:
        seeded(item, CONTROL.seed)
        watched(item, CONTROL)


def pytest_runtest_setup():
    CONTROL.check = CheckContext(program=None, limits=Limits(), budget=600)
