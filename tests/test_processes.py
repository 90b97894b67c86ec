"""No process outlives its check or its run, however that ends; who is killed on purpose finds its database again."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from drill_katas.verdict import Outcome, Report
from tests.conftest import CHECK

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

FUSE = 20_000  # forks after which a process that keeps moving gives up by itself
SOON = 20.0  # seconds; what must happen has happened long before, on any machine

PROGRAM = '''
import multiprocessing, os, signal, subprocess, threading, time


def started(pid):
    """Return when a process was started, in clock ticks: with it, a process id names one process for ever."""
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[19]


def note(name, pid):
    with open(NOTES, "a") as notes:
        notes.write(f"{name} {pid} {started(pid)}" + chr(10))


note("program", os.getpid())
note("zygote", os.getppid())


class Thing:
    def starts_a_program(self):
        note("child", subprocess.Popen(["sleep", "1000"]).pid)

    def starts_a_daemon(self):
        ready, tell = os.pipe()
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
                    signal.signal(number, signal.SIG_IGN)
                note("daemon", os.getpid())
                os.write(tell, b".")
                os.execvp("sleep", ["sleep", "1000"])
            os._exit(0)
        os.wait()
        os.read(ready, 1)

    def starts_a_worker(self):
        worker = multiprocessing.get_context("fork").Process(target=time.sleep, args=(1000,))
        worker.start()
        note("worker", worker.pid)

    def starts_a_thread(self):
        threading.Thread(target=time.sleep, args=(1000,)).start()

    def starts_what_keeps_moving(self):
        if os.fork() == 0:
            os.setsid()
            hops = os.open(HOPS, os.O_WRONLY | os.O_APPEND)
            while os.fstat(hops).st_size < FUSE:
                if os.fork():
                    os._exit(0)
                os.write(hops, b".")
            os._exit(0)
        while not os.stat(HOPS).st_size:
            time.sleep(0.01)

    def hangs(self):
        self.starts_a_program()
        self.starts_a_daemon()
        note("call", os.getpid())
        time.sleep(1000)

    def fine(self):
        return "fine"

    def left_behind(self):
        """Return which of the noted processes still run, but for this one and the zygotes."""
        left = []
        with open(NOTES) as notes:
            for line in notes:
                name, pid, ticks = line.split()
                if name != "zygote" and int(pid) != os.getpid() and os.path.exists(f"/proc/{pid}"):
                    left += [name] if started(pid) == ticks else []
        return left
'''
ONE_BY_ONE = '''
@pytest.mark.stage("symptom")
@pytest.mark.parametrize("method", [
    "starts_a_program", "starts_a_daemon", "starts_a_worker", "starts_a_thread", "starts_what_keeps_moving", "fine",
])
def test_call(sut, method):
    """It answers, and nothing of the checks before is there any more."""
    with sut.open("Thing") as thing:
        assert thing.left_behind() == []
        getattr(thing, method)()
'''
HANGS = '''
@pytest.mark.stage("symptom")
def test_go(sut):
    """It goes."""
    with sut.open("Thing") as thing:
        thing.hangs()

@pytest.mark.stage("symptom")
def test_next(sut):
    """The next one is judged as ever."""
    with sut.open("Thing") as thing:
        assert thing.fine() == "fine"
'''


def touched(path: Path) -> Path:
    """Return a file that the program may append to, whatever user it runs as."""
    path.touch()
    path.chmod(0o666)
    return path


@pytest.fixture
def notes(toy) -> Path:
    """Give the toy a program that notes its processes, and return the file with the notes."""
    notes, hops = touched(toy.root / "notes"), touched(toy.root / "hops")
    toy.module(f"NOTES, HOPS, FUSE = {str(notes)!r}, {str(hops)!r}, {FUSE}\n{PROGRAM}")
    return notes


def noted(notes: Path) -> list[tuple[str, int, str]]:
    """Return the noted processes: name, process id, and when it was started."""
    whole_lines = [line.split() for line in notes.read_text().split("\n")[:-1]]
    return [(name, int(pid), started) for name, pid, started in whole_lines]


def runs(pid: int, started: str) -> bool:
    """Whether the process that had this id when it was noted still runs."""
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return fields[18] == started and state != "Z"


def eventually(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + SOON
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def left_behind(notes: Path) -> list[str]:
    """Return the noted processes that still run, after giving them the time to end."""

    def left() -> list[str]:
        return [f"{name} {pid}" for name, pid, started in noted(notes) if runs(pid, started)]

    eventually(lambda: not left())
    return left()


@contextlib.contextmanager
def hanging(toy, notes: Path, *args: str) -> Iterator[subprocess.Popen[str]]:
    """Run pytest as a shell would, in a process group of its own, up to the middle of a call that hangs."""
    toy.limits(call_seconds=600, check_seconds=600)
    toy.checks(HANGS)
    temporary = toy.root / "tmp"
    temporary.mkdir()
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--kata", "toy", *args]
    environment = {**os.environ, "TMPDIR": str(temporary)}
    with subprocess.Popen(
        command, cwd=toy.root, env=environment, start_new_session=True, stdout=subprocess.PIPE, text=True
    ) as pytest_run:
        try:
            assert eventually(lambda: "call" in [name for name, *_ in noted(notes)])
            yield pytest_run
        finally:
            pytest_run.kill()
            for _, pid, started in noted(notes):  # only what this test has started, and only if the product failed
                if runs(pid, started):
                    os.kill(pid, signal.SIGKILL)


def test_what_a_program_started_is_gone_before_the_next_check_and_after_the_run(toy, notes):
    toy.checks(ONE_BY_ONE)
    verdict = toy.verdict()
    assert {check.name: check.message for check in verdict.checks if not check.passed} == {}
    names = {name for name, *_ in noted(notes)}
    assert names == {"program", "zygote", "child", "daemon", "worker"}
    assert left_behind(notes) == []


def test_a_process_that_keeps_forking_and_ending_does_not_get_away(toy, notes):
    toy.checks(ONE_BY_ONE)
    toy.pytest("--kata", "toy", "-k", "keeps_moving")
    hops = (toy.root / "hops").stat().st_size
    assert 0 < hops < FUSE
    time.sleep(0.5)
    assert (toy.root / "hops").stat().st_size == hops


def test_ctrl_c_in_the_middle_of_a_call_leaves_no_process_and_no_file_behind(toy, notes):
    with hanging(toy, notes) as run:
        os.killpg(run.pid, signal.SIGINT)
        assert run.wait(timeout=SOON) == pytest.ExitCode.INTERRUPTED
        assert left_behind(notes) == []
        assert list((toy.root / "tmp").iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_run_that_is_killed_in_the_middle_of_a_call_leaves_no_process_behind(toy, notes, number):
    with hanging(toy, notes) as run:
        run.send_signal(number)
        assert run.wait(timeout=SOON) == -number
        assert left_behind(notes) == []


def test_a_zygote_that_is_killed_takes_all_with_it_and_the_next_check_gets_another(toy, notes):
    report = toy.root / "report.json"
    with hanging(toy, notes, "--kata-report", str(report)) as run:
        (zygote,) = {pid for name, pid, _ in noted(notes) if name == "zygote"}
        os.kill(zygote, signal.SIGKILL)
        run.communicate(timeout=60)
        assert left_behind(notes) == []
    (verdict,) = msgspec.json.decode(report.read_bytes(), type=Report).katas
    assert [check.outcome for check in verdict.checks] == [Outcome.CRASH, Outcome.PASS]


NOTEBOOK = """
from sqlalchemy import text

class Notebook:
    def __init__(self, engine):
        self._engine = engine
        with engine.begin() as tx:
            tx.execute(text("CREATE TABLE IF NOT EXISTS notes (note TEXT)"))

    def write(self, *notes):
        for note in notes:
            with self._engine.begin() as tx:
                tx.execute(text("INSERT INTO notes VALUES (:note)"), {"note": note})

    def read(self):
        with self._engine.connect() as tx:
            return list(tx.scalars(text("SELECT note FROM notes ORDER BY rowid")))
"""


@pytest.fixture
def notebook(toy):
    """Make the toy one with a database, that keeps notes."""
    manifest = (toy.folder / "kata.toml").read_text()
    toy.write("kata.toml", f'{manifest}preload = ["sqlalchemy.dialects.sqlite"]\n')
    toy.module(NOTEBOOK)
    return toy


def test_a_killed_program_finds_its_database_as_it_left_it(notebook):
    notebook.checks('''
@pytest.mark.stage("stress")
def test_kill(sut):
    """What is written stays written."""
    database = kit.database()
    with sut.open("Notebook", database) as book:
        book.write("first")
        sut.kill()
        with pytest.raises(kit.Killed, match="this object lived in was killed"):
            book.read()
    with sut.open("Notebook", database) as book:
        book.write("second")
        assert book.read() == ["first", "second"]
    with sut.open("Notebook", kit.database()) as book:
        assert book.read() == [], "another database is another"
''')
    check = notebook.check()
    assert check.passed, check.message


def test_a_program_killed_before_a_step_has_done_the_steps_before_and_no_other(notebook):
    notebook.checks('''
@pytest.mark.stage("stress")
def test_steps(sut):
    """A note is there or it is not."""
    kept = []
    for step in range(1, 8):
        database = kit.database()
        book = sut.open("Notebook", database)
        try:
            with sut.killed_before_step(step) as kill:
                book.write("first", "second")
        except kit.Killed:
            pass
        with sut.open("Notebook", database) as book:
            kept.append((kill.request, book.read()))
            book.write("third")
            assert book.read()[-1] == "third", "the program that was killed holds no lock"
        sut.kill()
    insert, back = "INSERT INTO notes VALUES (?)", "the connection's return to its pool"
    assert kept == [
        (insert, []), ("COMMIT", []), (back, ["first"]),
        (insert, ["first"]), ("COMMIT", ["first"]), (back, ["first", "second"]),
        (None, ["first", "second"]),
    ], kept
''')
    check = notebook.check()
    assert check.passed, check.message


def test_a_kill_that_is_not_reached_is_forgotten_after_its_block(notebook):
    notebook.checks('''
@pytest.mark.stage("stress")
def test_forgotten(sut):
    """It goes on."""
    with sut.open("Notebook", kit.database()) as book:
        with sut.killed_before_step(20):
            book.write("first")
        book.write(*"abcdefgh")
        assert len(book.read()) == 9
''')
    check = notebook.check()
    assert check.passed, check.message


def test_a_step_that_fails_is_not_carried_out_and_the_program_goes_on(notebook):
    notebook.checks('''
@pytest.mark.stage("stress")
def test_steps(sut):
    """A note is there or it is not."""
    kept = []
    for step in range(1, 8):
        with sut.open("Notebook", kit.database()) as book:
            said = ""
            try:
                with sut.failing_at_step(step) as failure:
                    book.write("first", "second")
            except kit.SutError as error:
                said = str(error)
            assert ("OperationalError" in said and "database is locked" in said) == bool(said), said
            kept.append((failure.request, bool(said), book.read()))
            book.write("third")
            assert book.read()[-1] == "third", "the step that failed holds no lock"
    insert, back = "INSERT INTO notes VALUES (?)", "the connection's return to its pool"
    assert kept == [  # a connection that cannot be rolled back on its way to the pool is replaced: nobody notices
        (insert, True, []), ("COMMIT", True, []), (back, False, ["first", "second"]),
        (insert, True, ["first"]), ("COMMIT", True, ["first"]), (back, False, ["first", "second"]),
        (None, False, ["first", "second"]),
    ], kept
''')
    check = notebook.check()
    assert check.passed, check.message


@pytest.mark.parametrize(
    ("answer", "problem"),
    [("[0.5]", "at [0] a float (0.5)"), ("functools.reduce(lambda inner, _: [inner], range(90), 7)", "nesting deeper")],
)
def test_what_is_no_plain_data_is_refused_by_the_judge_too(toy, answer, problem):
    toy.module(f"""
        import functools

        from drill_katas.sut import host

        host.find_unplain = lambda value, *_: None


        class Thing:
            def go(self):
                return {answer}
    """)
    toy.checks(CHECK)
    check = toy.check()
    assert check.outcome is Outcome.FAIL
    assert problem in check.message
    assert "the contract asks for plain data" in check.message


def test_a_step_that_is_not_answered_is_carried_out_and_the_program_goes_on(notebook):
    notebook.checks('''
@pytest.mark.stage("stress")
def test_steps(sut):
    """A note is there or it is not."""
    kept = []
    for step in range(1, 6):
        with sut.open("Notebook", kit.database()) as book:
            said = ""
            try:
                with sut.unanswered_at_step(step) as failure:
                    book.write("first", "second")
            except kit.SutError as error:
                said = str(error)
            assert ("OperationalError" in said and "no answer from the server" in said) == bool(said), said
            kept.append((failure.request, bool(said), book.read()))
            book.write("third")
            assert book.read()[-1] == "third", "the step that was not answered holds no lock"
    insert, back = "INSERT INTO notes VALUES (?)", "the connection's return to its pool"
    assert kept == [  # a statement without an answer is rolled back by who asked; a commit is beyond that
        (insert, True, []), ("COMMIT", True, ["first"]), (back, False, ["first", "second"]),
        (insert, True, ["first"]), ("COMMIT", True, ["first", "second"]),
    ], kept
''')
    check = notebook.check()
    assert check.passed, check.message


def test_from_a_step_on_everything_fails_until_the_block_ends(notebook):
    notebook.checks('''
@pytest.mark.stage("stress")
def test_steps(sut):
    """A note is there or it is not."""
    kept = []
    for step in range(1, 8):
        with sut.open("Notebook", kit.database()) as book:
            said = []
            with sut.failing_from_step(step) as failure:
                for _ in range(2):
                    try:
                        book.write("first", "second")
                        said.append("")
                    except kit.SutError as error:
                        said.append(error.raised)
            assert all("disk I/O error" in each for each in said if each), said
            kept.append((failure.request, [bool(each) for each in said], book.read()))
            book.write("third")
            assert book.read()[-1] == "third", "what failed holds no lock"
    insert, back = "INSERT INTO notes VALUES (?)", "the connection's return to its pool"
    assert kept == [
        (insert, [True, True], []), ("COMMIT", [True, True], []), (back, [True, True], ["first"]),
        (insert, [True, True], ["first"]), ("COMMIT", [True, True], ["first"]),
        (back, [False, True], ["first", "second"]), (insert, [False, True], ["first", "second"]),
    ], kept
''')
    check = notebook.check()
    assert check.passed, check.message


def test_after_a_restart_texts_have_other_hashes(toy):
    """Or a program that stores them would seem to work."""
    toy.body("return str(hash('evt-7'))")
    toy.checks('''
@pytest.mark.stage("stress")
def test_hashes(sut):
    """A hash is another one after a restart."""
    seen = []
    for _ in range(4):
        with sut.open("Thing") as thing:
            seen.append(thing.go())
        sut.kill()
    assert all(one != other for one, other in zip(seen, seen[1:])), seen
''')
    check = toy.check()
    assert check.passed, check.message


def test_a_call_to_an_upstream_that_fails_as_a_step_is_a_timeout(toy):
    toy.write(
        "world.py",
        """
        class Bank:
            def __init__(self, line):
                self.line = line

            def charge(self, amount):
                return self.line.ask("charge", amount=amount)

            def pay(self, amount):
                return self.line.ask("charge", sum=amount)
    """,
    )
    toy.module("""
        class Shop:
            def __init__(self, bank):
                self.bank = bank

            def buy(self):
                try:
                    return self.bank.charge("10.00")
                except TimeoutError as error:
                    return str(error)

        class Till:
            def __init__(self, bank):
                self.bank = bank

            def buy(self):
                return self.bank.pay("1E+1")
    """)
    toy.checks('''
class Bank:
    def charge(self, amount):
        return "charged"


@pytest.mark.stage("stress")
def test_steps(sut):
    """One call gets no answer."""
    bank = kit.upstream(Bank(), client="Bank")
    with sut.open("Shop", bank) as shop:
        with sut.failing_at_step(2) as failure:
            answers = [shop.buy() for _ in range(3)]
        assert answers == ["charged", "no answer from charge", "charged"], answers
        assert failure.request == "Bank.charge"
        assert len(bank.received) == 2, "what fails as a step has not reached the bank"
        with sut.unanswered_at_step(1) as failure:
            assert shop.buy() == "no answer from charge"
        assert failure.request == "Bank.charge"
        assert len(bank.received) == 3, "what is not answered has reached the bank"
    with sut.open("Till", bank) as till:
        with pytest.raises(kit.SutError, match="ValueError: charge refuses {'sum': '1E.1'}: .*'sum'"):
            till.buy()
    other = kit.upstream(Bank(), client="Bank")
    with sut.open("Shop", bank) as shop, sut.open("Shop", other) as next_door:
        with sut.failing_from_step(2):
            answers = [each.buy() for each in (shop, next_door) * 3]
        assert answers == ["charged", "no answer from charge"] * 3, "of two services the one that has failed goes on to"
''')
    check = toy.check()
    assert check.passed, check.message
