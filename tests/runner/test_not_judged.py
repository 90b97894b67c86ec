"""A fault of the judge, the machine, or another plugin never counts as the learner's failure."""

from __future__ import annotations

import os

import pytest

from drill_katas.verdict import Outcome
from tests.support.bicycle import runs, summary
from tests.support.commands import kata
from tests.support.pack import RIGHT, WRONG, Pack
from tests.support.toy import CHECK

FAULTY = '''
@pytest.mark.stage("symptom")
def test_go(sut):
    """It goes."""
    with sut.open("Thing") as thing:
        sut.check.note_fault("the moon is full; wait a day")
        assert thing.go() == "gone", "it should be gone"
'''
AGAIN = CHECK.replace("test_go", "test_again").replace("symptom", "cause")
RAISES = "import pytest\n\n\n{decorated}\n    raise RuntimeError('the ward is closed')\n"
INTERNAL = pytest.ExitCode.INTERNAL_ERROR


@pytest.fixture
def pack(tmp_path):
    made = Pack(tmp_path)
    yield made
    made.close()


def test_noted_fault_turns_failure_into_not_judged(toy):
    """The run is no attempt: neither solved nor failed, and the culprit is on the terminal."""
    toy.checks(FAULTY + AGAIN)
    toy.body("return 'here'")
    done = toy.pytest()
    assert done.returncode == INTERNAL, done.stdout
    assert "1 not judged" in done.stdout
    assert "not judged: the moon is full; wait a day" in done.stdout
    output = "\n".join(summary(done.stdout))
    assert "1 check not judged (the judge or the machine failed); not an attempt" in output
    assert "it should be gone" in output, "the later stage fails by itself, and says so"
    (run,) = runs(toy)
    assert [check.outcome for check in run.checks] == [Outcome.NOT_JUDGED, Outcome.FAIL]
    assert not run.solved


def test_a_fault_noted_takes_no_pass_away(toy):
    toy.checks(FAULTY)
    done = toy.pytest()
    assert done.returncode == 0, done.stdout
    assert [run.solved for run in runs(toy)] == [True]


def test_a_run_not_judged_counts_no_attempt(toy):
    toy.checks(FAULTY)
    toy.body("return 'here'")
    toy.pytest()
    toy.checks(CHECK)
    assert "attempt 1" in toy.pytest().stdout
    history = toy.kata("history", "toy").stdout
    assert "1 attempt," in history
    assert "not an attempt: 1 check not judged" in history


def test_report_file_shows_checks_not_judged(toy):
    toy.checks(FAULTY)
    toy.body("return 'here'")
    verdict = toy.verdict()
    (check,) = verdict.checks
    says = "not judged: the moon is full; wait a day. The check saw: it should be gone"
    assert (check.outcome, check.message) == (Outcome.NOT_JUDGED, says)
    assert verdict.attempt is None
    assert not verdict.passed


@pytest.mark.parametrize(
    "decorated",
    [
        "@pytest.fixture(autouse=True)\ndef ward():",
        "@pytest.fixture(autouse=True)\ndef ward():\n    yield",
        "def pytest_runtest_setup(item):",
        "@pytest.hookimpl(wrapper=True)\ndef pytest_runtest_call(item):\n    yield",
        "def pytest_runtest_teardown(item):",
    ],
    ids=["fixture", "fixture's clean-up", "setup hook", "call hook", "teardown hook"],
)
def test_conftest_that_raises_is_named_culprit(toy, decorated):
    (toy.root / "conftest.py").write_text(RAISES.format(decorated=decorated))
    done = toy.pytest()
    assert done.returncode == INTERNAL, done.stdout
    (run,) = runs(toy)
    assert [check.outcome for check in run.checks] == [Outcome.NOT_JUDGED]
    output = " ".join(" ".join(summary(done.stdout)).split())
    assert "raised RuntimeError: the ward is closed" in output
    assert "conftest.py:" in output


def test_plugin_that_raises_is_named_culprit(toy):
    """As pytest-socket does, in the middle of what the judge does for a check."""
    (toy.root / "strict.py").write_text(
        "import socket\n\n\ndef refuse(*args, **kwargs):\n    raise RuntimeError('no sockets today')\n\n\n"
        "def pytest_runtest_setup(item):\n    socket.socketpair = refuse\n"
    )
    done = toy.pytest("-p", "strict", env={"PYTHONPATH": str(toy.root)})
    assert done.returncode == INTERNAL, done.stdout
    output = " ".join(" ".join(summary(done.stdout)).split())
    assert "the plugin strict raised RuntimeError: no sockets today" in output
    assert "run it with -p no:strict" in output


def test_exception_in_check_stays_a_failure(toy):
    """Even if the library that raises it is not a plugin."""
    toy.checks(CHECK.replace('assert thing.go() == "gone"', "assert int(thing.go())"))
    done = toy.pytest()
    assert done.returncode == pytest.ExitCode.TESTS_FAILED
    assert [check.outcome for run in runs(toy) for check in run.checks] == [Outcome.FAIL]


def test_under_xdist_not_judged_arrives_as_such(toy):
    toy.checks(FAULTY)
    toy.body("return 'here'")
    done = toy.pytest("-n", "1")
    assert done.returncode == INTERNAL, done.stdout
    assert "1 not judged" in done.stdout


ONCE = '''
import os

@pytest.mark.stage("symptom")
def test_go(sut):
    """It goes."""
    with sut.open("Thing") as thing:
        try:
            os.mkdir("{mark}")
            sut.check.note_fault("the moon is full; wait a day")
        except FileExistsError:
            pass
        assert thing.go() == "gone", "it should be gone"
'''


@pytest.mark.long
def test_a_submission_not_judged_is_graded_again(pack):
    """The second verdict counts, whether it is a pass or a failure."""
    for name, module, score in (("right", RIGHT, 100.0), ("wrong", WRONG, 0.0)):
        pack.checks(ONCE.replace("{mark}", str(pack.root / name)))
        folder = pack.hand_in(name, module)
        assert pack.grade()[name]["score"] == score
        for file in folder.iterdir():
            file.unlink()
        folder.rmdir()


COUNTED = '''
import os

@pytest.mark.stage("symptom")
def test_go(sut):
    """It goes."""
    with open("{log}", "a") as log:
        print(len(os.sched_getaffinity(0)), file=log)
    with sut.open("Thing") as thing:
        if len(open("{log}").readlines()) < {needed}:
            sut.check.note_fault("the moon is full; wait a day")
            assert thing.go() == "never"
        assert thing.go() == "gone", "it should be gone"
'''


@pytest.mark.long
@pytest.mark.parametrize(("needed", "score", "code", "times"), [(4, 100.0, 0, 4), (9, None, 3, 4), (2, 100.0, 0, 2)])
def test_submission_is_graded_alone_at_most_thrice(pack, needed, score, code, times):
    """In company each judge has one processor; alone, all there are."""
    log = pack.root / "log"
    pack.checks(COUNTED.format(log=log, needed=needed))
    pack.hand_in("right", RIGHT)
    assert pack.grade(code=code)["right"]["score"] == score
    assert [int(line) for line in log.read_text().splitlines()] == [1, *[len(os.sched_getaffinity(0))] * (times - 1)]


@pytest.mark.long
def test_a_submission_never_judged_has_no_score(pack):
    """The command exits with 3, and another run with --resume grades it."""
    pack.checks(FAULTY)
    pack.hand_in("wrong", WRONG)
    pack.hand_in("right", RIGHT)
    grades = pack.grade(code=3)
    assert grades["right"]["score"] == 100.0
    assert (grades["wrong"]["score"], grades["wrong"]["solved"]) == (None, False)
    (check,) = grades["wrong"]["checks"]
    assert (check["verdict"], check["points"]) == ("not judged", None)
    assert "the moon is full" in check["message"]
    assert pack.grade("--resume", code=3)["wrong"]["score"] is None


@pytest.mark.long
def test_gradescope_gets_no_results_without_a_score(pack):
    pack.checks(FAULTY)
    pack.hand_in("wrong", WRONG)
    graded = kata(pack.root, "grade", pack.work, "--format", "gradescope", env=pack.env)
    assert graded.returncode == 3, graded.stderr
    assert not graded.stdout
    assert "work has no score, so no results are printed: not judged: the moon is full" in graded.stderr


DIES = '''
import os, signal

@pytest.mark.stage("symptom")
def test_go(sut):
    """It goes."""
    with sut.open("Thing") as thing:
        if thing.go() == "die":
            with open("{log}", "a") as log:
                log.write("died ")
            os.kill(os.getpid(), signal.SIGKILL)
        assert thing.go() == "gone", "it should be gone"
'''


@pytest.mark.long
def test_submission_that_kills_judges_gets_limit(pack):
    """Twice in company, and twice more alone; then the broken version shows that the judge is not to blame."""
    log = pack.root / "log"
    pack.checks(DIES.replace("{log}", str(log)))
    pack.hand_in("killer", RIGHT.replace("gone", "die"))
    pack.hand_in("right", RIGHT)
    grades = pack.grade()
    assert log.read_text() == "died " * 4
    assert grades["right"]["solved"]
    (check,) = grades["killer"]["checks"]
    assert (check["verdict"], check["points"], grades["killer"]["score"]) == ("limit", 0, 0)
    assert "the judge was killed twice while it judged this fix" in check["message"]


BREAKS = """
class Breaks:
    def pytest_runtest_makereport(self, item, call):
        raise RuntimeError("the judge has a defect")

@pytest.mark.stage("symptom")
def test_go(sut, request):
    '''It goes.'''
    with sut.open("Thing") as thing:
        if thing.go() == "die":
            request.config.pluginmanager.register(Breaks())
"""


@pytest.mark.long
def test_a_defect_of_the_judge_blames_nobody(pack):
    """The judge raises while it reports on this fix, and judges others: it was not killed."""
    pack.checks(BREAKS)
    pack.hand_in("odd", RIGHT.replace("gone", "die"))
    grade = pack.grade(code=3)["odd"]
    assert (grade["score"], grade["checks"]) == (None, [])


@pytest.mark.long
def test_judge_that_always_dies_blames_nobody(pack):
    pack.checks(DIES.replace("{log}", str(pack.root / "log")).replace('== "die"', 'in {"die", "here"}'))
    pack.hand_in("killer", RIGHT.replace("gone", "die"))
    grade = pack.grade(code=3)["killer"]
    assert (grade["score"], grade["checks"]) == (None, [])
