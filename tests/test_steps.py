"""Kills and failures at a step: who is killed on purpose finds its database again."""

from __future__ import annotations

import pytest

from drill_katas.verdict import Outcome
from tests.conftest import CHECK

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
        with pytest.raises(kit.Killed, match="with this object was killed"):
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
    insert, back = "INSERT INTO notes VALUES (?)", "the ROLLBACK as the connection returns to its pool"
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
    insert, back = "INSERT INTO notes VALUES (?)", "the ROLLBACK as the connection returns to its pool"
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
    insert, back = "INSERT INTO notes VALUES (?)", "the ROLLBACK as the connection returns to its pool"
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
    insert, back = "INSERT INTO notes VALUES (?)", "the ROLLBACK as the connection returns to its pool"
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


def test_somebody_else_comes_between_two_steps(notebook):
    """Before the fourth step the first note is there, and the second is not."""
    notebook.checks('''
@pytest.mark.stage("stress")
def test_steps(sut):
    """Somebody looks in between."""
    database, seen = kit.database(), []
    inserts = lambda: sum("INSERT" in each.sql for each in database.statements)
    with sut.open("Notebook", database) as book:
        with sut.meanwhile_at_step(4, lambda: seen.append(inserts())) as met:
            book.write("first", "second")
        assert (met.step, met.request) == (4, "INSERT INTO notes VALUES (?)"), met
        assert (seen, inserts(), book.read()) == ([1], 2, ["first", "second"])
        with sut.meanwhile_at_step(20, lambda: seen.append(inserts())) as met:
            book.write("third")
        assert (met.request, len(seen)) == (None, 1), "it did not come to that"
''')
    check = notebook.check()
    assert check.passed, check.message


def test_a_ping_of_the_pool_is_no_step(notebook):
    """A pool that pings its connections loses none of them to a failure that a check has prepared."""
    notebook.write("world.py", "class Server:\n    def __init__(self, connect):\n        self.engine = connect\n")
    notebook.module(
        NOTEBOOK.replace("self._engine = engine", "self._engine = engine = engine.engine(pool_pre_ping=True)")
    )
    notebook.checks('''
@pytest.mark.stage("stress")
def test_steps(sut):
    """Every other step fails."""
    database, met = kit.database(client="Server"), []
    with sut.open("Notebook", database) as book:
        for step in range(1, 4):
            try:
                with sut.failing_at_step(step) as failure:
                    book.write("first")
            except kit.SutError:
                pass
            met.append(failure.request)
    assert met == ["INSERT INTO notes VALUES (?)", "COMMIT", "the ROLLBACK as the connection returns to its pool"], met
    assert any(each.sql == "SELECT 1" for each in database.statements), "it does ping"
''')
    check = notebook.check()
    assert check.passed, check.message
