"""What runs out in the judge, or is missing on the machine, is named and never counts as the learner's failure."""

from __future__ import annotations

import re
import resource
import sys

import pytest

from drill_katas.verdict import Outcome
from tests.support.bicycle import runs
from tests.support.commands import kata
from tests.support.pack import ELSEWHERE, RIGHT, Pack
from tests.support.toy import CHECK, MANIFEST, run


@pytest.fixture
def pack(tmp_path):
    made = Pack(tmp_path)
    yield made
    made.close()


ASKED = '''
import os, resource, threading

class Shop:
    def ask(self):
        return "gone"

@pytest.mark.stage("symptom")
def test_go(sut):
    """It goes."""
    with sut.open("Thing", kit.upstream(Shop(), client="Line")) as thing:
        {take}
        try:
            assert thing.go() == "gone", "it should be gone"
        finally:
            {give}
'''
TAKES_ALL = ASKED.format(
    take="soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)\n"
    "        os.close(free := os.open(os.devnull, os.O_RDONLY))\n"
    "        resource.setrlimit(resource.RLIMIT_NOFILE, (free, hard))",
    give="resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))",
)
NO_STACK = ASKED.format(
    take="usual = threading.stack_size(1 << 46)  # more than the address space holds",
    give="threading.stack_size(usual)",
)
WORLD = """
class Line:
    def __init__(self, line):
        self.line = line
"""
ASKS = """
class Thing:
    def __init__(self, shop):
        self.line = shop.line

    def go(self):
        another = type(self.line)(self.line._address, self.line._service)
        return self.line.ask("ask") and another.ask("ask")  # the judge waits for one connection with a descriptor ready
"""


@pytest.mark.parametrize(
    ("checks", "says"),
    [
        (TAKES_ALL, r"ran out of file descriptors \(limit \d+\); raise it with `ulimit -n 65536`"),
        (NO_STACK, "could not start a thread; raise the limit on processes with `ulimit -u`"),
    ],
    ids=["descriptors", "threads"],
)
def test_a_judge_that_cannot_serve_a_connection_says_why(toy, checks, says):
    """The program waits for the judge: that is no hang of the program's."""
    toy.limits(call_seconds=1.0)
    toy.checks(checks)
    toy.module(ASKS)
    toy.write("world.py", WORLD)
    check = toy.check()
    assert check.outcome is Outcome.NOT_JUDGED, check.message
    assert re.search(f"the judge {says}", check.message)


@pytest.mark.long
def test_a_grader_without_descriptors_names_them(pack):
    (pack.folder / "world.py").write_text(WORLD)
    (pack.folder / "kata.toml").write_text(f"{MANIFEST}[limits]\ncall_seconds = 1.0\n")
    pack.checks(TAKES_ALL)
    pack.hand_in("right", ASKS)
    grade = pack.grade(code=3)["right"]
    assert grade["score"] is None
    assert "raise it with `ulimit -n 65536`" in grade["checks"][0]["message"]


PRINTS = "    import resource\n    print(resource.getrlimit(resource.RLIMIT_NOFILE)[0])\n    with sut"
COUNTS = CHECK.replace("    with sut", PRINTS)


def test_the_soft_limit_on_descriptors_is_raised(toy):
    toy.checks(COUNTS)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-s", "--kata", "toy"]
    done = run(["sh", "-c", 'ulimit -Sn 128; exec "$@"', "sh", *command], toy.root)
    assert done.returncode == 0, done.stdout
    assert f"\n{min(hard, 65_536)}\n" in done.stdout.replace("toy.py ", "toy.py \n")


@pytest.mark.long
@pytest.mark.parametrize(("limit", "code", "says"), [("-Sn", 0, "1 passed"), ("-n", 3, "ran out of file descriptors")])
def test_a_right_fix_survives_few_descriptors(tmp_path, limit, code, says):
    """120 customers at once need over 256 descriptors in the judge: more are taken, or the limit is named."""
    assert kata(tmp_path, "init", ".").returncode == 0
    command = [
        sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--kata", "circular_deadlock", "--kata-all-stages",
        "--kata-from=solutions", "-k", "overload_loses_no_order",
    ]  # fmt: skip
    done = run(["sh", "-c", f'ulimit {limit} 256; exec "$@"', "sh", *command], tmp_path)
    assert done.returncode == code, done.stdout
    assert says in " ".join(done.stdout.split())


def test_without_proc_the_judge_refuses_to_begin(toy):
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--kata", "toy"]
    done = run([sys.executable, ELSEWHERE, "no-proc", "--", *command], toy.root)
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "/proc is not mounted" in done.stderr
    assert not runs(toy)


def test_without_proc_nothing_is_graded(pack):
    pack.hand_in("right", RIGHT)
    done = pack.elsewhere("no-proc", "--json", pack.file)
    assert done.returncode == 2, done.stdout
    assert "Error: /proc is not mounted" in done.stderr
    assert not pack.file.exists()


@pytest.mark.parametrize("command", [("verify", "fp_drift"), ("incident", "fp_drift", "--seed", "1")])
def test_without_proc_nothing_is_replayed_or_verified(tmp_path, command):
    assert kata(tmp_path, "init", ".").returncode == 0
    done = kata(tmp_path, *command, wrapper=[sys.executable, ELSEWHERE, "no-proc", "--"])
    assert done.returncode == 2, done.stdout
    assert done.stderr.startswith("Error: /proc is not mounted"), done.stderr
