"""`kata watch`: judges at once and on every save, warm, and leaves nothing behind."""

from __future__ import annotations

import time

import psutil
import pytest

from tests.support.commands import KATA, Started, refused
from tests.support.toy import run
from tests.support.waiting import wait_until

BROKEN = 'class Thing:\n    def go(self):\n        return "here"\n'
FINE = 'class Thing:\n    def go(self):\n        return "gone"\n'


@pytest.fixture
def watching(toy):
    toy.module(BROKEN)
    with Started(toy.root, "watch", "toy") as started:
        yield started


@pytest.mark.long
def test_watch_judges_immediately_and_on_every_save(toy, watching):
    assert "it should be gone" in watching.wait_for("watching toy.py (a save is not an attempt); Ctrl-C ends it")
    toy.module(FINE)
    message = watching.wait_for("best time")
    assert "toy.py saved" in message
    assert "1 check newly passes" in watching.wait_for("newly passes")
    toy.module("class Thing:\n    def go(self)\n")
    assert "line 2: expected ':'" in watching.wait_for("cannot be imported")
    toy.module(FINE)
    watching.wait_for("since the last run: nothing changed")
    assert watching.interrupt() == 0
    watching.wait_for("watching ended")
    runs = [event for event in toy.journal.read().events if type(event).__name__ == "Ran"]
    assert [event.solved for event in runs] == [False, True, False, True]


@pytest.mark.long
def test_other_files_trigger_no_judgment(toy, watching):
    watching.wait_for("watching")
    toy.write("BRIEFING.md", "# Another page\n")
    time.sleep(1.5)
    assert not any("saved" in line for line in watching.lines)


def test_ctrl_c_leaves_nothing_running(toy, watching):
    watching.wait_for("watching")
    toy.module(FINE)
    watching.wait_for("best time")
    family = psutil.Process(watching.process.pid).children(recursive=True)
    assert len(family) >= 2, "the judge and its zygote"
    assert watching.interrupt() == 0
    _, alive = psutil.wait_procs(family, timeout=10)
    assert not alive


def test_ctrl_c_ends_a_hang(toy, watching):
    watching.wait_for("watching")
    toy.body("time.sleep(60)")
    watching.wait_for("saved")
    of = psutil.Process(watching.process.pid)
    wait_until(lambda: len(of.children(recursive=True)) >= 3)  # the judge, its zygote, and the SUT that hangs
    family = of.children(recursive=True)
    assert watching.interrupt() == 0
    _, alive = psutil.wait_procs(family, timeout=10)
    assert not alive


@pytest.mark.long
def test_without_watchfiles_it_says_what_to_install(toy, tmp_path):
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "watchfiles.py").write_text("raise ImportError\n")
    message = refused(run([KATA, "watch", "toy"], toy.root, env={"PYTHONPATH": str(hidden)}))
    assert message == "`kata watch` needs the extra `watch`: pip install 'drill-katas[watch]'"


@pytest.mark.long
def test_watch_reports_checks_it_cannot_collect(toy):
    toy.write("test_toy.py", "import no_such_module\n")
    with Started(toy.root, "watch", "toy") as started:
        assert started.process.wait(60) == 2
    message = "".join(started.lines)
    assert "No module named 'no_such_module'" in message
    assert "Error: the judge process ended; start it again with `kata watch`" in message
