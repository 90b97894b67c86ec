"""Each message is shown once: the first failing check's in the summary, the others' in pytest's list of failures."""

from __future__ import annotations

import re

import pytest

from tests.support.commands import words

CHECK = '''
@pytest.mark.stage("symptom")
def test_{name}(sut):
    """It does {name}."""
    with sut.open("Thing") as thing:
        assert thing.go() == "gone", "{message}"
'''
BROKEN = "class Thing:\n    def go(self):\n        return 'here'\n"


@pytest.mark.parametrize("how", [(), ("-n", "1"), ("--tb=no",)])
def test_a_message_is_shown_once(toy, how):
    """The calls stay above the summary, under the check's title."""
    toy.module(BROKEN)
    toy.checks(CHECK.format(name="one", message="it is here at first") + CHECK.format(name="two", message="still here"))
    shown = toy.pytest(*how).stdout
    above, summary = re.split(r"=+ +kata +=+", shown)
    assert shown.count("it is here at first") == summary.count("it is here at first") == 1
    if "--tb=no" not in how:
        assert above.count("still here") == shown.count("still here") == 1
        assert '"It does one" failed. The message is at the end.' in above
        assert "The calls that led there" in above


def test_message_cut_in_summary_is_whole_above(toy):
    """The summary has its beginning, and a mark."""
    toy.module(BROKEN)
    toy.checks(CHECK.format(name="one", message=" ".join(f"word{number}" for number in range(200))))
    above, summary = re.split(r"=+ +kata +=+", toy.pytest().stdout)
    assert "word199" in above
    assert "word199" not in summary
    assert "…" in summary


def test_not_judged_reason_is_shown_only_once(toy):
    """Two that differ in seconds alone are the same."""
    checks = "".join(CHECK.format(name=f"turn_{number}", message="late") for number in (1, 2))
    for number in (1, 2):
        fault = f"sut.check.note_fault('a busy machine: it waited {number}.5 s; run it again'); assert False"
        checks = checks.replace('assert thing.go() == "gone", "late"', fault, 1)
    toy.checks(checks)
    toy.module(BROKEN)
    assert words(toy.pytest().stdout).count("not judged: a busy machine: it waited") == 1


def test_long_title_above_summary_is_wrapped(toy):
    """A title of 70 characters with the text after it is too long for a line of 80."""
    toy.module(BROKEN)
    title = "More checkouts may fail, one after another, than the server has places"
    toy.checks(CHECK.format(name="one", message="it is here").replace("It does one", title))
    _, above, _ = re.split(r"=+ +(?:FAILURES|kata) +=+", toy.pytest().stdout)
    assert title in above
    assert max(map(len, above.splitlines())) <= 80
