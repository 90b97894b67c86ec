"""The markers of a kata's checks."""

from __future__ import annotations

import pytest

from drill_katas.verdict import Outcome
from tests.support.bicycle import USAGE_ERROR


@pytest.mark.parametrize(
    ("marker", "sentence"),
    [
        ('@pytest.mark.stage("symptoms")', "test_go: unknown stage 'symptoms'; did you mean 'symptom'?"),
        ("@pytest.mark.stage(1)", "test_go: unknown stage '1'; known: cause, regression, sla"),
        ("", "test_go has no stage; mark it with @pytest.mark.stage(NAME), one of symptom, cause"),
        ('@pytest.mark.stage(name="symptom")', "test_go: the marker stage takes one name and no keyword"),
        ('@pytest.mark.stage("symptom", strict=True)', "no keyword, but has 'strict'"),
        ('@pytest.mark.stage("symptom", "cause")', "test_go: the marker stage takes one name, but has 2"),
        ("@pytest.mark.stage()", "test_go: the marker stage takes one name, but has 0"),
        ('@pytest.mark.timeout(method="thread")\n@pytest.mark.stage("symptom")', "test_go: the marker timeout"),
        ('@pytest.mark.timeout("soon")\n@pytest.mark.stage("symptom")', "test_go: the marker timeout"),
    ],
)
def test_invalid_marker_is_refused_by_name(toy, marker, sentence):
    toy.checks(f"{marker}\ndef test_go(sut):\n    pass\n")
    done = toy.pytest()
    assert done.returncode == USAGE_ERROR, done.stdout + done.stderr
    assert str(toy.folder / "test_toy.py") in done.stderr
    assert sentence in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not toy.journal.path.exists()


def test_stage_marker_is_registered_and_listed(toy, pytester):
    assert toy.pytest("--strict-markers", "--strict-config", "-W", "error").returncode == 0
    listed = pytester.runpytest_subprocess("--markers")
    listed.stdout.fnmatch_lines(["@pytest.mark.stage(name): the stage of a kata's check: symptom, cause, *"])


@pytest.mark.parametrize("marker", ["timeout(1)", "timeout(timeout=1)"])
def test_a_timeout_marker_is_the_checks_budget(toy, marker):
    toy.limits(call_seconds=60, check_seconds=60)
    toy.checks(f"""
        @pytest.mark.stage("symptom")
        @pytest.mark.{marker}
        def test_go(sut):
            with sut.open("Thing") as thing:
                thing.go()
    """)
    toy.body("time.sleep(3600)")
    check = toy.check()
    assert check.outcome is Outcome.HANG
    assert check.message == "thing.go(): the check did not end within its 1 s"


GIVEN_ENDLESS = """
@pytest.mark.stage("symptom")
@given(number=st.integers())
def test_go(sut, number):
    with sut.open("Thing") as thing:
        thing.go()
        while True:
            pass
"""
KNOWN_FAILURE = """
@pytest.mark.stage("symptom")
@given(number=st.integers(0, 100))
def test_go(sut, number):
    with sut.open("Thing") as thing:
        while sut.check.failure:
            pass
        assert number < 3, "a finding"
"""


@pytest.mark.long
@pytest.mark.parametrize(
    ("checks", "outcome", "says"),
    [
        (GIVEN_ENDLESS, Outcome.HANG, "the check did not end within its 1 s, nor in 1 s more"),
        (KNOWN_FAILURE, Outcome.FAIL, "a finding"),
    ],
    ids=["nothing is known", "a failure is known"],
)
def test_an_endless_judge_is_ended(toy, checks, outcome, says):
    """It shows what is known until then."""
    toy.write("conftest.py", "from drill_katas.runner import checks\n\nchecks.WATCHDOG_SECONDS = 1\n")
    toy.limits(check_seconds=1)
    toy.checks(checks)
    check = toy.check()
    assert (check.outcome, check.message.partition(":")[0]) == (outcome, says)
