"""Kills and failures at a step of the SUT."""

from __future__ import annotations

import contextlib
import itertools

import pytest

from drill_katas import kit
from drill_katas.failures import CheckEnded, Killed, SutError

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


BANK_CLIENT = """
class Bank:
    def __init__(self, line):
        self.line = line

    def charge(self, amount):
        return self.line.ask("charge", amount=amount)

    def pay(self, amount):
        return self.line.ask("charge", sum=amount)
"""
SHOPS = """
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
"""


@pytest.fixture
def sut(sut_bench):
    """A program with a database that keeps notes."""
    return sut_bench.start(NOTEBOOK)


def test_a_killed_program_finds_its_database_again(sut):
    """Committed data persists."""
    database = kit.database()
    with sut.open("Notebook", database) as book:
        book.write("first")
        sut.kill()
        with pytest.raises(Killed, match="with this object was killed"):
            book.read()
    with sut.open("Notebook", database) as book:
        book.write("second")
        assert book.read() == ["first", "second"]
    with sut.open("Notebook", kit.database()) as book:
        assert book.read() == [], "another database is another"


def test_a_kill_comes_before_its_step(sut):
    """A note is there or it is not."""
    kept = []
    for step in range(1, 8):
        database = kit.database()
        book = sut.open("Notebook", database)
        with contextlib.suppress(Killed), sut.killed_before_step(step) as kill:
            book.write("first", "second")
        with sut.open("Notebook", database) as book:
            kept.append((kill.request, book.read()))
            book.write("third")
            assert book.read()[-1] == "third", "the program that was killed holds no lock"
        sut.kill()
    insert, back = "INSERT INTO notes VALUES (?)", "the ROLLBACK as the connection returns to its pool"
    assert kept == [
        (insert, []),
        ("COMMIT", []),
        (back, ["first"]),
        (insert, ["first"]),
        ("COMMIT", ["first"]),
        (back, ["first", "second"]),
        (None, ["first", "second"]),
    ], kept


def test_an_unreached_kill_ends_with_its_block(sut):
    """It goes on."""
    with sut.open("Notebook", kit.database()) as book:
        with sut.killed_before_step(20):
            book.write("first")
        book.write(*"abcdefgh")
        assert len(book.read()) == 9


def test_a_failing_step_is_not_carried_out(sut):
    """A note is there or it is not."""
    kept = []
    for step in range(1, 8):
        with sut.open("Notebook", kit.database()) as book:
            said = ""
            try:
                with sut.failing_at_step(step) as failure:
                    book.write("first", "second")
            except SutError as error:
                said = str(error)
            assert ("OperationalError" in said and "database is locked" in said) == bool(said), said
            kept.append((failure.request, bool(said), book.read()))
            book.write("third")
            assert book.read()[-1] == "third", "the step that failed holds no lock"
    insert, back = "INSERT INTO notes VALUES (?)", "the ROLLBACK as the connection returns to its pool"
    assert kept == [  # a connection whose rollback fails on return to the pool is replaced silently
        (insert, True, []),
        ("COMMIT", True, []),
        (back, False, ["first", "second"]),
        (insert, True, ["first"]),
        ("COMMIT", True, ["first"]),
        (back, False, ["first", "second"]),
        (None, False, ["first", "second"]),
    ], kept


@pytest.mark.parametrize("ending", ["COMMIT", "ROLLBACK"])
def test_a_failing_end_of_a_transaction_rolls_it_back(sut_bench, ending):
    """The connection is not checked out afterwards, although SQLAlchemy gives up on it without another ROLLBACK."""
    sut = sut_bench.start(NOTEBOOK.replace("(note TEXT)", "(note TEXT UNIQUE)"))
    database = kit.database()
    with sut.open("Notebook", database) as book:
        book.write("first")
        with contextlib.suppress(SutError), sut.failing_at_step(2) as failure:
            book.write("first" if ending == "ROLLBACK" else "second")
        assert failure.request == ending
        assert database.checked_out() == []
        assert book.read() == ["first"]


@pytest.mark.parametrize(
    ("answer", "problem"),
    [("[0.5]", "at [0] a float (0.5)"), ("functools.reduce(lambda inner, _: [inner], range(90), 7)", "nesting deeper")],
)
def test_the_judge_refuses_unplain_data_too(sut_bench, answer, problem):
    """The program's own host has been made to let it pass."""
    sut = sut_bench.start(f"""
        import functools

        from drill_katas.sut import host

        host.find_unplain = lambda value, *_: None


        class Thing:
            def go(self):
                return {answer}
    """)
    with pytest.raises(CheckEnded, match="the contract asks for plain data") as ended, sut.open("Thing") as thing:
        thing.go()
    assert problem in str(ended.value)


def test_an_unanswered_step_is_carried_out(sut):
    """A note is there or it is not."""
    kept = []
    for step in range(1, 6):
        with sut.open("Notebook", kit.database()) as book:
            said = ""
            try:
                with sut.unanswered_at_step(step) as failure:
                    book.write("first", "second")
            except SutError as error:
                said = str(error)
            assert ("OperationalError" in said and "no answer from the server" in said) == bool(said), said
            kept.append((failure.request, bool(said), book.read()))
            book.write("third")
            assert book.read()[-1] == "third", "the step that was not answered holds no lock"
    insert, back = "INSERT INTO notes VALUES (?)", "the ROLLBACK as the connection returns to its pool"
    assert kept == [  # a statement without an answer is rolled back by its client; a commit cannot be
        (insert, True, []),
        ("COMMIT", True, ["first"]),
        (back, False, ["first", "second"]),
        (insert, True, ["first"]),
        ("COMMIT", True, ["first", "second"]),
    ], kept


def test_all_steps_fail_until_the_block_ends(sut):
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
                    except SutError as error:
                        said.append(error.raised)
            assert all("disk I/O error" in each for each in said if each), said
            kept.append((failure.request, [bool(each) for each in said], book.read()))
            book.write("third")
            assert book.read()[-1] == "third", "what failed holds no lock"
    insert, back = "INSERT INTO notes VALUES (?)", "the ROLLBACK as the connection returns to its pool"
    assert kept == [
        (insert, [True, True], []),
        ("COMMIT", [True, True], []),
        (back, [True, True], ["first"]),
        (insert, [True, True], ["first"]),
        ("COMMIT", [True, True], ["first"]),
        (back, [False, True], ["first", "second"]),
        (insert, [False, True], ["first", "second"]),
    ], kept


def test_text_hashes_differ_after_a_restart(sut_bench):
    """Or a program that stores them would seem to work."""
    sut = sut_bench.start("class Thing:\n    def go(self):\n        return str(hash('evt-7'))\n")
    seen = []
    for _ in range(4):
        with sut.open("Thing") as thing:
            seen.append(thing.go())
        sut.kill()
    assert all(one != other for one, other in itertools.pairwise(seen)), seen


class Bank:
    """An upstream that charges everybody."""

    def charge(self, amount):
        return "charged"


@pytest.fixture
def shops(sut_bench):
    return sut_bench.start(SHOPS, world=BANK_CLIENT)


def test_failing_upstream_call_times_out(shops):
    bank = kit.upstream(Bank(), client="Bank")
    with shops.open("Shop", bank) as shop:
        with shops.failing_at_step(2) as failure:
            answers = [shop.buy() for _ in range(3)]
        assert answers == ["charged", "no answer from charge", "charged"]
        assert failure.request == "Bank.charge"
        assert len(bank.received) == 2, "what fails as a step has not reached the bank"
        with shops.unanswered_at_step(1) as failure:
            assert shop.buy() == "no answer from charge"
        assert failure.request == "Bank.charge"
        assert len(bank.received) == 3, "what is not answered has reached the bank"


def test_an_upstream_refuses_unknown_arguments(shops):
    refusal = r"ValueError: charge refuses {'sum': '1E.1'}: .*'sum'"
    with shops.open("Till", kit.upstream(Bank(), client="Bank")) as till, pytest.raises(SutError, match=refusal):
        till.buy()


def test_only_one_upstream_keeps_failing(shops):
    bank, other = (kit.upstream(Bank(), client="Bank") for _ in range(2))
    with shops.open("Shop", bank) as shop, shops.open("Shop", other) as next_door, shops.failing_from_step(2):
        answers = [each.buy() for each in (shop, next_door) * 3]
    assert answers == ["charged", "no answer from charge"] * 3


def test_a_check_acts_between_two_steps(sut):
    """Before the fourth step the first note is there, and the second is not."""
    database, seen = kit.database(), []

    def inserts():
        return sum("INSERT" in each.sql for each in database.statements)

    with sut.open("Notebook", database) as book:
        with sut.meanwhile_at_step(4, lambda: seen.append(inserts())) as met:
            book.write("first", "second")
        assert (met.step, met.request) == (4, "INSERT INTO notes VALUES (?)"), met
        assert (seen, inserts(), book.read()) == ([1], 2, ["first", "second"])
        with sut.meanwhile_at_step(20, lambda: seen.append(inserts())) as met:
            book.write("third")
        assert (met.request, len(seen)) == (None, 1), "it did not come to that"


def test_pool_ping_is_not_a_step(sut_bench):
    """A pool that pings its connections loses none of them to a failure that a check has prepared."""
    pinging = NOTEBOOK.replace("self._engine = engine", "self._engine = engine = engine.engine(pool_pre_ping=True)")
    sut = sut_bench.start(
        pinging, world="class Server:\n    def __init__(self, connect):\n        self.engine = connect\n"
    )
    database, met = kit.database(client="Server"), []
    with sut.open("Notebook", database) as book:
        for step in range(1, 4):
            with contextlib.suppress(SutError), sut.failing_at_step(step) as failure:
                book.write("first")
            met.append(failure.request)
    assert met == ["INSERT INTO notes VALUES (?)", "COMMIT", "the ROLLBACK as the connection returns to its pool"]
    assert any(each.sql == "SELECT 1" for each in database.statements), "it does ping"
