"""Other plugins and options of the interpreter: no pass that was not earned, no lost check, no learner's failure."""

from __future__ import annotations

import pytest

from drill_katas.verdict import Outcome
from tests.support.bicycle import USAGE_ERROR, begun, bicycle, outcomes, runs

STAGES = {"horn": "trace", "wheel": "symptom", "brake": "cause"}


def test_optimised_python_is_refused(toy):
    """`python -O` drops the asserts of modules that pytest does not rewrite."""
    result = toy.pytest(env={"PYTHONOPTIMIZE": "1"})
    assert result.returncode == USAGE_ERROR
    assert "switch asserts off" in result.stderr
    assert not runs(toy)


def test_asserts_of_helpers_are_rewritten(toy):
    """A bare assert in a helper shows the compared values."""
    toy.write("oracle.py", "def expect(answer):\n    assert answer == 'there'\n")
    toy.checks("""
        from .oracle import expect

        @pytest.mark.stage("symptom")
        def test_go(sut):
            with sut.open("Thing") as thing:
                expect(thing.go())
    """)
    assert toy.check().message.startswith("'gone' == 'there'")


@pytest.mark.parametrize("seed", ["1", "2", "3"])
def test_stages_keep_their_order_among_shuffled_tests(toy, seed):
    bicycle(toy, "horn", "wheel", "brake", stages=STAGES)
    result = toy.pytest("--random-order", f"--random-order-seed={seed}")
    assert result.returncode == 0
    assert begun(toy) == ["wheel", "brake", "horn"]


def test_failed_check_is_not_judged_again(toy):
    """The learner's module works on every second try."""
    toy.body(f"path = {str(toy.root / 'katas' / 'tries')!r}", "return 'gone'")
    toy.checks(f"""
        import pathlib
        TRIES = pathlib.Path({str(toy.root / "tries")!r})

        @pytest.mark.stage("symptom")
        def test_go(sut):
            with sut.open("Thing") as thing:
                assert thing.go() == "gone"
            TRIES.touch() if not TRIES.exists() else TRIES.unlink()
            assert not TRIES.exists(), "it works on every second try"
    """)
    result = toy.pytest("--reruns", "2")
    assert result.returncode == 1
    (run,) = runs(toy)
    assert [check.outcome for check in run.checks] == [Outcome.FAIL]


def test_failed_check_stays_failed_when_rerun(toy):
    """As a plugin does it that we do not know: it runs the check twice, and reports the second run alone as failed."""
    (toy.root / "conftest.py").write_text("""
import pytest
from _pytest.runner import runtestprotocol

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    for _ in range(2):
        for report in runtestprotocol(item, log=False, nextitem=nextitem):
            if report.failed:
                report.outcome = "rerun"
            item.ihook.pytest_runtest_logreport(report=report)
    return True
""")
    test_failed_check_is_not_judged_again(toy)


def test_a_check_that_runs_twice_counts_once(toy):
    bicycle(toy, "horn", "wheel", "brake")
    (toy.root / "conftest.py").write_text("""
import pytest
from _pytest.runner import runtestprotocol

@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item, nextitem):
    for _ in range(2):
        for report in runtestprotocol(item, log=False, nextitem=nextitem):
            item.ihook.pytest_runtest_logreport(report=report)
    return True
""")
    verdict = toy.verdict()
    assert outcomes(verdict) == {"horn": "pass", "wheel": "pass", "brake": "pass"}
    assert verdict.solved


def test_forked_checks_are_refused(toy):
    result = toy.pytest("--forked")
    assert result.returncode == USAGE_ERROR
    assert "--forked runs each check in a fork" in result.stderr
    assert not runs(toy)


def test_checks_are_judged_where_sockets_are_disabled(toy):
    assert toy.pytest("--disable-socket").returncode == 0
    assert [run.solved for run in runs(toy)] == [True]
