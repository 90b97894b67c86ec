"""SQL that attacks the grader costs one server process; the judge and the next check continue."""

from __future__ import annotations

import contextlib
import os
import queue
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import psutil
import pytest

from drill_katas.failures import LimitExceeded, NotJudged
from drill_katas.services.sql_nursery import NURSERY
from drill_katas.sql.ends import End
from drill_katas.sql.sqlite_limits import MOST_REQUEST
from drill_katas.sut import driver
from drill_katas.verdict import Outcome
from tests.support.database_bench import Bench
from tests.support.waiting import wait_until

NUMBERS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 1000000)"
NEEDLE = "instr(hex(zeroblob(120000)), hex(zeroblob(60000)) || '1')"
DOUBLED = ", ".join(f"a{k} AS (SELECT x FROM a{k - 1} UNION ALL SELECT x FROM a{k - 1})" for k in range(1, 26))
TIME, MEMORY = "took more than the 1 s of processor time", "took more than the 512 MiB of memory"
EITHER = f"{TIME}|{MEMORY}"  # whichever is used up first: a machine may be slow at giving out memory
ATTACKS = {
    "a search is one instruction": (f"SELECT {' + '.join([NEEDLE] * 16)}", TIME),
    "a statement compiles for minutes": (f"WITH a0(x) AS (SELECT 1), {DOUBLED} SELECT count(*) FROM a25", EITHER),
    "a temporary table has no end": (f"CREATE TEMP TABLE x AS {NUMBERS} SELECT zeroblob(200000) FROM n", EITHER),
    "rows are sorted in memory": (f"{NUMBERS} SELECT i, zeroblob(200000) AS z FROM n ORDER BY z DESC", EITHER),
}
ORDINARY = {
    "a table grows without end": (f"CREATE TABLE x AS {NUMBERS} SELECT zeroblob(200000) FROM n", "disk is full"),
    "a value is long": ("SELECT zeroblob(300000)", "too big"),
    "a value to trim is long": ("SELECT trim(hex(zeroblob(150000)), 'x')", "too big"),
    "a statement is long": (f"SELECT 1 --{'x' * 300_000}", "too large|too long|too big"),
    "parentheses are deep": (f"SELECT {'(' * 20_000}1{')' * 20_000}", "overflow"),
    "selects are deep": (f"SELECT {'(SELECT ' * 900}1{')' * 900}", "overflow"),
}


def forked():
    """All that the nursery has forked."""
    return psutil.Process(NURSERY._popen.pid).children()


def servers():
    """The SQL servers of this judge that run now; the spare one waits on the one thread it has."""
    return [each for each in forked() if each.num_threads() > 1]


def cpu_of_ended_servers():
    times = psutil.Process(NURSERY._popen.pid).cpu_times()
    return times.children_user + times.children_system


def attack(connection, sql):
    with pytest.raises(driver.Disconnected):
        connection.execute(sql).fetchall()


def end_of(bench):
    """The exception that ends the check."""
    with pytest.raises((LimitExceeded, NotJudged)) as caught:
        bench.services.raise_end()
    return caught.value


@pytest.mark.parametrize(("sql", "output"), ATTACKS.values(), ids=ATTACKS)
def test_statement_beyond_bound_ends_only_its_check(bench, served, connection, sql, output):
    """The judge continues, and the next check has a new server."""
    before = cpu_of_ended_servers()
    attack(connection, sql)
    end = end_of(bench)
    assert isinstance(end, LimitExceeded), end
    assert sql[:40] in str(end)
    assert f" {output}" in str(end) or any(f" {each}" in str(end) for each in output.split("|"))
    assert cpu_of_ended_servers() - before < 2.0  # with its start, and the clean-up of its memory
    with pytest.raises(LimitExceeded):
        served[0].checked_out()
    bench.services.clear()
    database, address = bench.database()
    with contextlib.closing(driver.connect(**address)) as fresh:
        assert fresh.execute("SELECT 1").fetchall() == [(1,)]
    assert len(database.statements) == 1


def test_memory_taken_by_many_statements_ends_check(bench, connection):
    """Each takes 20 MB and little time, so that only the bound on memory can end it, on the slowest machine too."""
    connection.execute("CREATE TEMP TABLE x (z)")
    with pytest.raises(driver.Disconnected):
        for _ in range(40):
            connection.execute(f"INSERT INTO x {NUMBERS} SELECT zeroblob(200000) FROM n LIMIT 100")
    end = end_of(bench)
    assert isinstance(end, LimitExceeded), end
    assert MEMORY in str(end)


@pytest.mark.parametrize(("sql", "output"), ORDINARY.values(), ids=ORDINARY)
def test_ordinary_mistake_is_a_sql_error(bench, connection, sql, output):
    with pytest.raises(driver.Error, match=output):
        connection.execute(sql)
    assert connection.execute("SELECT 1").fetchall() == [(1,)]
    bench.services.raise_end()


def test_server_memory_stays_below_its_bound(served, connection):
    """It was 7.75 GB, in the judge."""
    [server] = servers()
    attacker = subprocess.Popen(
        [sys.executable, "-c", ATTACKER, served[1]["address"], ATTACKS["a temporary table has no end"][0]]
    )
    most = 0
    with contextlib.suppress(psutil.NoSuchProcess):
        while server.status() != psutil.STATUS_ZOMBIE:
            most = max(most, server.memory_info().rss)
    attacker.wait(timeout=30)
    assert 100 << 20 < most < 512 << 20


ATTACKER = """
import sys
from drill_katas.sql.sqlite_limits import MOST_REQUEST
from drill_katas.sql.ends import End
from drill_katas.sut import driver
connection = driver.connect(sys.argv[1], "1")
try:
    connection.execute(sys.argv[2])
except driver.Error:
    pass
"""


def test_statements_of_a_check_have_a_total(bench):
    bench.services.most_statements = 50
    database, address = bench.database()
    with contextlib.closing(driver.connect(**address)) as connection:
        for _ in range(50):
            connection.execute("SELECT 1")
        assert len(database.statements) == 50
        attack(connection, "SELECT 2")
    assert "the statement SELECT 2 exceeded the number of statements" in str(end_of(bench))


def test_texts_of_a_check_have_a_total(bench, connection):
    with contextlib.suppress(driver.Disconnected):
        for number in range(200):
            connection.execute(f"SELECT {number} --{'x' * 200_000}")
    assert number == 159
    assert "exceeded the number of statements" in str(end_of(bench))


def test_request_beyond_its_bound_is_refused(bench, served, connection):
    assert connection.execute("SELECT length(?)", ["x" * 200_000]).fetchone() == (200_000,)
    with pytest.raises(driver.Disconnected):
        connection.execute("SELECT length(?)", ["x" * (MOST_REQUEST + 1)])
    with contextlib.closing(driver.connect(**served[1])) as another:
        assert another.execute("SELECT 'still here'").fetchone() == ("still here",)


def test_running_statement_does_not_outlive_its_check(bench, served):
    """On a thread of the judge's, it ran on for minutes."""
    [server] = servers()
    attacker = subprocess.Popen([sys.executable, "-c", ATTACKER, served[1]["address"], f"SELECT {NEEDLE}"])
    database, _ = served
    wait_until(lambda: database.open_connections == 2 and server.cpu_times().user >= 0.2)
    assert attacker.poll() is None
    bench.services.clear()
    assert servers() == []
    attacker.wait(timeout=30)


def test_server_does_not_outlive_killed_judge(tmp_path):
    code = f"""
        import os, signal, sys
        sys.path.insert(0, {str(Path(__file__).parents[2])!r})
        import psutil
        from drill_katas.services.sql_nursery import NURSERY
        from drill_katas.sut import driver
        from tests.support.database_bench import Bench
        bench = Bench()
        connection = driver.connect(**bench.database()[1])
        connection.execute("SELECT 1")
        nursery = psutil.Process(NURSERY._popen.pid)
        print(nursery.pid, *(each.pid for each in nursery.children()), flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == -signal.SIGKILL, done.stderr
    wait_until(lambda: not any(map(lives, map(int, done.stdout.split()))))


def lives(pid):
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def test_a_nursery_that_is_killed_is_replaced(bench, connection):
    NURSERY._popen.kill()
    NURSERY._popen.wait()
    assert connection.execute("SELECT 1").fetchall() == [(1,)], "a server lives on"
    other = Bench()
    with contextlib.closing(driver.connect(**other.database()[1])) as fresh:
        assert fresh.execute("SELECT 1").fetchall() == [(1,)]
    other.close()


def test_killed_spare_server_is_replaced(bench, connection):
    spare = [each for each in forked() if each not in servers()]
    for each in spare:
        each.kill()
    psutil.wait_procs(spare, timeout=30)
    other = Bench()
    with contextlib.closing(driver.connect(**other.database()[1])) as fresh:
        assert fresh.execute("SELECT 1").fetchall() == [(1,)]
    other.close()
    assert connection.execute("SELECT 1").fetchall() == [(1,)]


def test_server_killed_from_outside_is_not_judged(bench, connection):
    """No statement can do that, so that it is no fault of the learner's."""
    [server] = servers()
    os.kill(server.pid, signal.SIGKILL)
    end = end_of(bench)
    assert isinstance(end, NotJudged)
    assert "SIGKILL" in str(end)


@pytest.mark.parametrize(
    ("status", "outcome", "output"),
    [
        (End.TIME << 8, Outcome.LIMIT, "1 s of processor time"),
        (signal.SIGXCPU, Outcome.LIMIT, "1 s of processor time"),
        (End.MEMORY << 8, Outcome.LIMIT, "512 MiB"),
        (signal.SIGSEGV, Outcome.LIMIT, "512 MiB"),
        (End.KEPT << 8, Outcome.LIMIT, "number of statements"),
        (End.WAIT << 8, Outcome.NOT_JUDGED, "the machine is too busy"),
        (End.FAULT << 8, Outcome.NOT_JUDGED, "exit status 75"),
        (signal.SIGKILL, Outcome.NOT_JUDGED, "SIGKILL"),
        (None, Outcome.NOT_JUDGED, "with its parent"),
    ],
)
def test_every_end_of_a_server_is_somebodys(bench, served, status, outcome, output):
    """Of a statement, or of the judge or the machine; none is ever a pass."""
    end = bench.services.sql._explain(status)
    assert (end.outcome, output in str(end)) == (outcome, True), end


CHECKS = """
@pytest.mark.stage("symptom")
def test_attack(sut):
    '''It is attacked.'''
    with sut.open("Thing", kit.database()) as thing:
        thing.go()


@pytest.mark.stage("symptom")
def test_next(sut):
    '''The next one goes.'''
    with sut.open("Thing", kit.database()) as thing:
        assert thing.rest() == "rested"
"""


@pytest.mark.long
@pytest.mark.parametrize("swallowed", ["pass", "raise"])
def test_check_with_stopped_database_ends_with_limit(toy, swallowed):
    """Even if the program makes nothing of it, and the check would pass."""
    toy.module(f"""
        import sqlalchemy


        class Thing:
            def __init__(self, engine):
                self.engine = engine

            def go(self):
                try:
                    with self.engine.connect() as connection:
                        connection.exec_driver_sql({ATTACKS["a search is one instruction"][0]!r})
                except sqlalchemy.exc.OperationalError:
                    {swallowed}

            def rest(self):
                with self.engine.connect() as connection:
                    connection.exec_driver_sql("SELECT 1")
                return "rested"
    """)
    toy.checks(CHECKS)
    toy.limits(call_seconds=20)
    attacked, other = sorted(toy.verdict("--kata-all-stages").checks, key=lambda check: check.name)
    assert (attacked.outcome, other.outcome) == (Outcome.LIMIT, Outcome.PASS), attacked.message + other.message
    assert "in the database the statement SELECT instr(" in attacked.message
    assert "1 s of processor time" in attacked.message


def test_judge_knows_its_sql_server_processes(bench):
    """Its work is the check's own, and its waiting for a processor is not: budgets are of own time."""
    known = queue.SimpleQueue()
    bench.services.note_server = known.put
    _, address = bench.database()
    with contextlib.closing(driver.connect(**address)) as connection:
        connection.execute("SELECT 1")
        assert [known.get(timeout=30)] == [server.pid for server in servers()]
