"""Cost of grading: warm against cold, strong tier against none, two jobs against one, and 10,000 submissions.

The subject is a small kata: 100 examples of a property and one check of statements. Its control runs the same checks in
a cold `python -m pytest`, in one process with the tested module. `fp_drift` represents katas with long checks.
"""

from __future__ import annotations

import itertools
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psutil
from pairs import PAIRS, cost

from drill_katas.batch.pool import Pool
from drill_katas.batch.tasks import Task
from drill_katas.catalog.katas import Library, shipped
from drill_katas.grading.tiers import strongest_policy
from drill_katas.sandbox.tier import PRACTICE

MANY = 10_000
FIRST = 2_000  # throughput and memory are printed here, too
MANIFEST = """
format = 1
title = "An account"
level = 1
minutes = 5
contract = "calls"
editable = ["account.py"]
preload = ["sqlalchemy.dialects.sqlite"]
"""
CHECKS = '''
import pytest
from hypothesis import given, settings, strategies as st
{head}

@pytest.mark.stage("symptom")
@settings(max_examples=100)
@given(amounts=st.lists(st.integers(-10_000, 10_000), max_size=8))
def test_the_balance_is_the_sum({sut}{comma}amounts):
    """The balance is the sum of what was paid."""
    account = {account}
    for amount in amounts:
        account.pay(amount)
    assert account.balance() == sum(amounts), "the balance is not the sum"


@pytest.mark.stage("cause")
def test_what_is_paid_is_stored({sut}):
    """What is paid is stored."""
    book = {book}
    book.write([5, 6])
    assert book.total() == 11, "what is stored is not the sum"
'''
OURS = {
    "head": "from drill_katas import kit",
    "sut": "sut",
    "comma": ", ",
    "account": 'sut.open("Account")',
    "book": 'sut.open("Book", kit.database())',
}
CONTROL = {
    "head": "import sqlalchemy\nfrom account import Account, Book",
    "sut": "",
    "comma": "",
    "account": "Account()",
    "book": 'Book(sqlalchemy.create_engine("sqlite://"))',
}
RIGHT = """
import sqlalchemy as sa

PAID = sa.Table("paid", sa.MetaData(), sa.Column("amount", sa.Integer))


class Account:
    def __init__(self):
        self._sum = 0

    def pay(self, amount):
        self._sum += amount

    def balance(self):
        return self._sum


class Book:
    def __init__(self, engine):
        self._engine = engine
        PAID.create(engine)

    def write(self, amounts):
        with self._engine.begin() as connection:
            connection.execute(sa.insert(PAID), [{"amount": amount} for amount in amounts])

    def total(self):
        with self._engine.begin() as connection:
            return connection.execute(sa.select(sa.func.sum(PAID.c.amount))).scalar_one()
"""
WRONG = RIGHT.replace("self._sum += amount", "self._sum += abs(amount)")
CHEATS = [
    "import os\nos._exit(0)\n",
    "import sys\nsys.exit(0)\n",
    WRONG.replace("return self._sum", "import os; os._exit(0)"),
    WRONG.replace("return self._sum", "return type('Any', (), {'__eq__': lambda *_: True})()"),
    WRONG + "\nimport os\nif not os.fork():\n    os.setsid()\n    import time\n    time.sleep(600)\n",
    WRONG.replace("return self._sum", "open('/etc/passwd', 'a'); return self._sum"),
]


def main() -> None:
    """Print the figures."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        account = make_pack(root)
        strong = strongest_policy([account], None, unsafe=False)
        print(f"sandbox tier {strong.tier}, {os.cpu_count()} processors")
        control = root / "control"
        control.mkdir()
        (control / "account.py").write_text(RIGHT)
        (control / "test_account.py").write_text(CHECKS.format(**CONTROL))
        cold = [sys.executable, "-m", "pytest", "-q", "-p", "no:kata", "-p", "no:cacheprovider", str(control)]
        with Pool([account], strong, 1) as warm, Pool([account], PRACTICE, 1) as weak:
            in_pairs("a right fix of a small kata, warm, against cold pytest in one process", warm, account, cold=cold)
            in_pairs("the same, strong against practice", warm, account, other=weak)
        fp_drift = shipped().get("fp_drift")
        judged = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--kata", "fp_drift"]
        with Pool([fp_drift], strongest_policy([fp_drift], None, unsafe=False), 1) as warm:
            judged += ["--kata-from", "solutions", "--kata-all-stages"]
            in_pairs("the reference of fp_drift, warm, against cold pytest", warm, fp_drift, cold=judged, pairs=5)
        two_against_one(account, strong)
        grade_many(root)


def make_pack(root):
    """Make an installed pack with the small kata, and return the kata."""
    folder = root / "site" / "accounts" / "katas" / "account"
    folder.mkdir(parents=True)
    (root / "site" / "accounts" / "__init__.py").touch()
    information = root / "site" / "accounts-1.dist-info"
    information.mkdir()
    (information / "METADATA").write_text("Metadata-Version: 2.1\nName: accounts\nVersion: 1\n")
    (information / "entry_points.txt").write_text("[drill_katas.packs]\naccounts = accounts\n")
    (folder / "kata.toml").write_text(MANIFEST)
    (folder / "account.py").write_text(WRONG)
    (folder / "test_account.py").write_text(CHECKS.format(**OURS))
    return Library(folder.parent).get("account")


numbers = itertools.count()


def task(kata, module=None):
    """Return a task that was never judged before."""
    number = next(numbers)
    if module is None:
        files = {name: (kata.solutions / name).read_bytes() for name in kata.manifest.editable}
    else:
        files = {kata.manifest.editable[0]: f"{module}# {number}\n".encode()}
    return Task(key=str(number), kata=kata.name, files=files, seed=number)


def seconds(pool, *tasks):
    """Judge tasks, and return the duration in seconds."""
    began = time.perf_counter()
    for judged in pool.judged(tasks):
        assert judged.checks, judged.problem
        assert all(check.passed for check in judged.checks), judged
    return time.perf_counter() - began


def in_pairs(what, pool, kata, *, cold=None, other=None, pairs=PAIRS):
    """Print the median times of one submission and of its control, and the median ratio of the pairs."""

    def one(judges):
        return seconds(judges, task(kata, None if kata.name in shipped().names() else RIGHT))

    def control():
        return one(other) if other else cost(cold).wall

    one(pool), control()
    both = [(one(pool), control()) for _ in range(pairs)]
    ours, theirs = (statistics.median(side) for side in zip(*both, strict=True))
    ratio = statistics.median(a / b for a, b in both)
    print(f"{what}: {ours:.2f} s, control {theirs:.2f} s, ratio {ratio:.2f} ({pairs} pairs)")


def two_against_one(kata, policy, pairs=5, batch=24):
    """Print the speedup of two jobs over one, for submissions that keep a processor busy."""
    with Pool([kata], policy, 1) as one, Pool([kata], policy, 2) as two:
        for pool in (one, two):
            seconds(pool, *(task(kata, RIGHT) for _ in range(4)))
        ratios = [
            seconds(one, *(task(kata, RIGHT) for _ in range(batch)))
            / seconds(two, *(task(kata, RIGHT) for _ in range(batch)))
            for _ in range(pairs)
        ]
    print(f"two jobs against one: {statistics.median(ratios):.2f} times as fast ({pairs} pairs of {batch})")


def grade_many(root):
    """Grade right fixes, wrong fixes, and cheats; print throughput and the grader's memory."""
    work = root / "work"
    for number in range(MANY):
        module = [RIGHT, WRONG, CHEATS[number // 3 % len(CHEATS)]][number % 3]
        (work / f"{number:05}").mkdir(parents=True)
        (work / f"{number:05}" / "account.py").write_text(f"{module}# {number}\n")
    file = root / "grades.json"
    env = {**os.environ, "PYTHONPATH": str(root / "site"), "XDG_STATE_HOME": str(root / "state")}
    kata = str(Path(sys.executable).with_name("kata"))
    began = time.perf_counter()
    process = psutil.Popen([kata, "grade", str(work), "--json", str(file)], env=env, stdout=subprocess.DEVNULL)
    memory, is_printed = [], False
    while process.poll() is None:
        time.sleep(1)
        lines = next((root / "state" / "drill-katas").glob("*.grades"), None)
        if lines and lines.stat().st_size:
            memory.append(process.memory_info().rss / 2**20 if process.is_running() else memory[-1])
            if not is_printed and lines.read_bytes().count(b"\n") >= FIRST:
                is_printed = True
                throughput(FIRST, time.perf_counter() - began)
                print(f"the grader's memory at that point: {memory[-1]:.0f} MiB")
    took = time.perf_counter() - began
    grades = json.loads(file.read_bytes())["submissions"]
    wrong = [grade["id"] for number, grade in enumerate(grades) if grade["solved"] != (number % 3 == 0)]
    throughput(MANY, took)
    print(f"{len(wrong)} wrong verdicts {wrong[:5]}")
    first, most, last = memory[0], max(memory), memory[-1]
    print(f"the grader's memory: {first:.0f} MiB at the first verdict, {most:.0f} at most, {last:.0f} at the last")


def throughput(number, took):
    """Print duration and throughput of `number` submissions."""
    print(f"{number:,} submissions: {took:.0f} s, {number / took:.1f} a second", flush=True)


if __name__ == "__main__":
    main()
