"""A property's example that kills, hangs or fails: it is shown, and no more time is spent than there is."""

from __future__ import annotations

import pytest

from tests.support.deeds import CRASH, FAIL, GRACE, HANG, PASS, judge, module_of, notes

EXAMPLES = '''
@pytest.mark.stage("symptom")
@given(number=st.integers(0, 100))
def test_go(sut, number):
    """It doubles any number."""
    with sut.open("Thing") as thing:
        thing.fine()
        assert thing.double(number) == 2 * number

@pytest.mark.stage("symptom")
def test_next(sut):
    """The next one is judged as ever."""
    with sut.open("Thing") as thing:
        assert thing.fine() == "fine"
'''
WALKS = '''
from hypothesis.stateful import rule

class Walk(kit.Machine):
    @rule(number=st.integers(0, 100))
    def double(self, number):
        with self.sut.open("Thing") as thing:
            assert thing.double(number) == 2 * number

@pytest.mark.stage("symptom")
def test_go(sut):
    """It doubles any number."""
    kit.explore(Walk, sut)

@pytest.mark.stage("symptom")
def test_next(sut):
    """The next one is judged as ever."""
    with sut.open("Thing") as thing:
        assert thing.fine() == "fine"
'''


@pytest.mark.parametrize("checks", [EXAMPLES, WALKS], ids=["given", "explore"])
@pytest.mark.parametrize(("deed", "outcome"), [("time.sleep(3600)", HANG), ("os._exit(3)", CRASH)])
def test_a_fatal_example_is_the_last(toy, checks, deed, outcome):
    """It is shown, and Hypothesis tries no other one."""
    tried = notes(toy)
    toy.limits(call_seconds=1.0)
    toy.checks(checks)
    toy.module(f"""
        import os, time

        class Thing:
            def fine(self):
                return "fine"

            def double(self, number):
                with open({str(tried)!r}, "a") as notes:
                    print(number, file=notes)
                if number > 9:
                    {deed}
                return 2 * number
    """)
    (check, after), _ = judge(toy)
    fatal = [number for number in tried.read_text().split() if int(number) > 9]
    assert check.outcome is outcome, check.message
    assert len(fatal) == 1, "Hypothesis tried more examples after the one that ended the check"
    assert check.message.startswith(f"thing.double({fatal[0]}): ")
    assert any(line.startswith(f"  thing.double({fatal[0]}) -> ") for line in check.details)
    assert check.seconds - check.waited < 1 + GRACE
    assert after.outcome is PASS, after.message


def test_slow_shrinking_is_still_a_failure(toy):
    toy.limits(call_seconds=1.0, check_seconds=2.0)
    toy.checks(EXAMPLES)
    toy.module(module_of("pass") + "    def double(self, number):\n        time.sleep(0.1)\n        return number\n")
    (check, after), _ = judge(toy)
    assert check.outcome is FAIL, check.message
    assert any(line.startswith("  thing.double(") for line in check.details)
    assert check.seconds - check.waited < 2 + GRACE
    assert after.outcome is PASS, after.message
