"""A connection that is kept checked out over a call to another service is named, and so is the call."""

from __future__ import annotations

MODULE = """
class Thing:
    def __init__(self, bank, engine):
        self.line, self.engine = bank.line, engine

    def over_the_call(self):
        with self.engine.connect() as connection:
            connection.exec_driver_sql("SELECT 42")
            self.line.ask("charge")

    def ahead_of_the_call(self):
        with self.engine.connect() as connection:
            connection.exec_driver_sql("SELECT 42")
        self.line.ask("charge")
"""
CHECKS = '''
class Service:
    def charge(self):
        self.holding.note("charge")


@pytest.mark.stage("symptom")
@pytest.mark.parametrize(("method", "says"), [
    ("over_the_call", "1 connection was checked out while charge was open, the first: connection 1 since "
     "thing.over_the_call() -> no answer, last statement SELECT 42"),
    ("ahead_of_the_call", ""),
])
def test_go(sut, method, says):
    """It goes."""
    service, database = Service(), kit.database()
    service.holding = kit.Holding(database)
    with sut.open("Thing", kit.upstream(service, client="Bank"), database) as thing:
        getattr(thing, method)()
    assert str(service.holding) == says, str(service.holding)
'''


def test_a_connection_kept_over_a_call_is_named(toy):
    """One that went back to its pool ahead of the call is not."""
    toy.write("world.py", "class Bank:\n    def __init__(self, line):\n        self.line = line\n")
    toy.module(MODULE)
    toy.checks(CHECKS)
    results = toy.verdict().checks
    assert len(results) == 2
    for check in results:
        assert check.passed, check.message
