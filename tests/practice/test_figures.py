"""Figures of checks: changes since the last attempt are shown, even if the same checks fail."""

from __future__ import annotations

import sys
from datetime import UTC, datetime

import msgspec
import pytest

from drill_katas.catalog.katas import shipped
from drill_katas.practice.journal import Checked, Ran
from drill_katas.practice.progress import progress
from drill_katas.verdict import Outcome, Report, Stage
from tests.support.toy import run

CHECKS = '''
@pytest.mark.stage("cause")
def test_go(sut):
    """A page takes one statement."""
    with sut.open("Thing") as thing:
        taken = sut.counted("statements of a page", thing.go())
        assert taken == 1, f"a page takes {taken} statements; it should take 1"
'''


@pytest.fixture
def takes(toy):
    """Judge a module whose page takes this number of statements, and return the lines about changes."""
    toy.checks(CHECKS)

    def run(statements: int) -> list[str]:
        toy.module(f"class Thing:\n    def go(self):\n        return {statements}\n")
        shown = toy.pytest("-p", "no:cacheprovider").stdout.splitlines()
        return [line for line in shown if line.startswith("since the last attempt")]

    return run


def test_a_figure_that_moved_is_progress(takes):
    """A check that still fails, and one that passes."""
    assert takes(72) == []
    assert takes(4) == ["since the last attempt: statements of a page: 72 → 4"]
    assert takes(4) == ["since the last attempt: nothing changed"]
    assert takes(1) == ["since the last attempt: 1 check newly passes; statements of a page: 4 → 1"]


def ran(**figures):
    """A run of one failing check with these figures."""
    check = Checked("test_a", Stage.CAUSE, Outcome.FAIL, 0.1, {name: float(value) for name, value in figures.items()})
    return Ran(kata="toy", at=datetime.now(UTC), variant="original", seed=0, seconds=1, checks=(check,), solved=False)


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        ({"latency": 24.71}, {"latency": 22.0}, "nothing changed"),
        ({"latency": 24.71}, {"latency": 7.76}, "latency: 24.7 → 7.76"),
        ({"rows": 0}, {"rows": 3}, "rows: 0 → 3"),
        ({"rows": 4}, {"calls": 3}, "nothing changed"),
        ({"rows": 10, "calls": 90}, {"rows": 15, "calls": 10}, "calls: 90 → 10; rows: 10 → 15"),
        (
            {"rows": 10, "calls": 90, "bytes": 400},
            {"rows": 1, "calls": 80, "bytes": 4},
            "bytes: 400 → 4; rows: 10 → 1",
        ),
        (
            {"rows": 10, "calls": 90, "bytes": 400},
            {"rows": 1, "calls": 1, "bytes": 4},
            "bytes: 400 → 4; calls: 90 → 1; 1 more moved",
        ),
    ],
)
def test_the_largest_moves_of_figures_are_shown(before, after, change):
    assert str(progress([ran(**before), ran(**after)])["toy"].change()) == change


@pytest.mark.long
def test_n_plus_one_counts_statements_per_dashboard(tmp_path):
    """The figures that its issue is about: they get better fix by fix, long before a check passes."""
    kata, report = shipped().get("n_plus_one"), tmp_path / "report.json"
    options = ["--kata", kata.name, f"--kata-from={kata.folder}", f"--kata-report={report}"]
    run([sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *options], tmp_path)
    (verdict,) = msgspec.json.decode(report.read_bytes(), type=Report).katas
    assert verdict.checks[0].figures["statements of a dashboard of 12 users"] == 72
