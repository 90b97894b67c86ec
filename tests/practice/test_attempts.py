"""Which runs are attempts: the rule, its display, and the journal's totals."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import msgspec
import pytest

from drill_katas.practice.attempts import RULE, NoAttempt, Way, why_no_attempt
from drill_katas.practice.progress import KataProgress, progress
from drill_katas.verdict import CheckResult, Outcome, Report, Stage
from tests.support.bicycle import add_kata, bicycle, bicycle_module, runs
from tests.support.commands import Started, done, words
from tests.support.places import REPOSITORY
from tests.support.toy import FINE, run

PRACTICE = REPOSITORY / "docs" / "practice.md"


@pytest.fixture
def broken(toy):
    """A toy with two checks, one of which fails; in a workspace as `kata init` makes it."""
    (toy.root / "pytest.ini").write_text("[pytest]\ntestpaths = katas\n")
    bicycle(toy, "horn", stages={"horn": "symptom", "wheel": "cause"})
    return toy


def bare(toy, *args):
    return run(["pytest", *args], toy.root)


def standing(toy):
    return progress(toy.journal.read().events).get("toy", KataProgress("toy"))


@pytest.mark.parametrize(
    "arguments", [("--kata", "toy"), ("--kata", "all"), ("katas/toy",), ("katas",), ("--kata", "toy", "-x")], ids=str
)
def test_a_run_that_names_the_kata_counts(broken, arguments):
    assert "toy · attempt 1 · clock" in bare(broken, *arguments).stdout
    assert (standing(broken).attempts, runs(broken)[0].no_attempt) == (1, "")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ((), "no kata was named"),
        (("--kata", "toy", "--kata-inline"), "--kata-inline is for debugging"),
        (("--kata", "toy", "-k", "horn"), "some checks were left out"),
        (("katas/toy/test_toy.py::test_horn",), "some checks were left out"),
    ],
    ids=str,
)
def test_what_is_no_attempt_shows_why(broken, arguments, why):
    message = bare(broken, *arguments).stdout
    assert "toy · not an attempt · clock" in message
    assert f"not an attempt: {why} (rule: `kata status --help`)\n" in message
    assert (standing(broken).attempts, runs(broken)[0].no_attempt) == (0, why)
    message = done(broken.root, "history", "toy")
    assert re.search(rf"not an attempt: 1 of . checks?, \d\.\d s \({why}\)", words(message))
    assert max(map(len, message.splitlines())) <= 80
    assert "toy · attempt 1 · clock" in broken.pytest().stdout, "the first one that is"


@pytest.mark.parametrize(
    "module",
    ["class Thing:\n    def go(self)\n", "import no_such_module\n", "class Other:\n    pass\n"],
    ids=["syntax", "import", "name"],
)
def test_unloadable_files_are_no_attempt(toy, module):
    toy.module(module)
    assert "not an attempt: your files do not load (" in toy.pytest().stdout
    assert standing(toy).attempts == 0
    toy.body("return 'here'")
    message = toy.pytest().stdout
    assert "toy · attempt 1 · clock" in message
    assert "since the last" not in message, "there was nothing to compare it with"
    assert "next: fix katas/toy/toy.py" not in message, (
        "it is the first run that shows anything: the briefing comes first"
    )
    assert done(toy.root, "history", "toy").endswith("checks that pass  ▁\n"), "of the one that was judged"


def test_a_bare_pytest_starts_no_clock(broken):
    """It judges all katas, and the learner has not begun them all."""
    add_kata(broken, "toy_b", "horn")
    message = bare(broken).stdout
    assert "toy · 1 of 2 checks pass" in message
    assert message.count(" · not an attempt\n") == 2
    assert message.count("not an attempt: no kata was named (") == 1
    assert "0 of 2 variants solved, 0 in progress" in done(broken.root, "status")


def test_a_bare_pytest_that_passes_solves(broken):
    broken.module(bicycle_module("horn", "wheel"))
    assert "next: solved." in bare(broken).stdout
    assert "★ toy 0 attempts, 0 hints, best 0:00" in words(done(broken.root, "status"))


def test_bare_pytest_in_kata_is_no_attempt(broken):
    assert "not an attempt: no kata was named (" in run(["pytest"], broken.folder).stdout


@pytest.mark.long
def test_saves_in_watch_are_no_attempts(toy):
    toy.body("return 'here'")
    with Started(toy.root, "watch", "toy") as watching:
        watching.wait_for("watching toy.py (a save is not an attempt); Ctrl-C ends it")
        toy.body("return 'there'")
        assert "next: fix katas/toy/toy.py and save; `kata hint toy`" in words(watching.wait_for("shows a hint"))
        toy.module(FINE)
        watching.wait_for("since the last run: 1 check newly passes")
    assert [event.no_attempt for event in runs(toy)] == [NoAttempt.WATCH] * 3
    assert (standing(toy).attempts, standing(toy).state) == (0, "solved")


def test_the_report_and_junit_have_no_number(broken):
    bare(broken, "--kata-report", "report.json", "--junitxml", "junit.xml")
    (verdict,) = msgspec.json.decode((broken.root / "report.json").read_bytes(), type=Report).katas
    assert (verdict.attempt, verdict.no_attempt) == (None, "no kata was named")
    names = {each.get("name") for each in ET.parse(broken.root / "junit.xml").iter("property")}
    assert names == {"kata", "stage", "seconds"}


def test_a_folder_named_workspace_is_no_workspace(toy):
    """Otherwise another person's solution would solve the kata."""
    toy.body("return 'here'")
    (toy.root / "workspace").mkdir()
    (toy.root / "workspace" / "toy.py").write_text(FINE)
    assert "only a run on your own files is an attempt" in words(
        toy.pytest("--kata", "toy", "--kata-from", "workspace").stdout
    )
    assert not runs(toy)


def test_check_not_judged_is_no_attempt():
    """`not judged` is an outcome of the machine, and not of the learner's."""
    failed = CheckResult(name="test_a", stage=Stage.SYMPTOM, title="It goes", outcome=Outcome.FAIL)
    way = {"inline": False, "narrowed": False}
    assert why_no_attempt(Way.NAMED, [failed], **way) is None
    unjudged = msgspec.structs.replace(failed, outcome=Outcome.NOT_JUDGED)
    assert why_no_attempt(Way.NAMED, [failed, unjudged], **way) is NoAttempt.NOT_JUDGED


def test_document_and_help_state_the_rule(tmp_path):
    message, written = words(done(tmp_path, "status", "--help")), words(PRACTICE.read_text().replace("\n- ", "\n"))
    assert words(RULE) in message
    assert words(RULE) in written
    assert "docs/practice.md" in PRACTICE.parent.parent.joinpath("README.md").read_text()
