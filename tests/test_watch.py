"""`kata watch`: judges at once and on every save, warm, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import threading
import time

import psutil
import pytest

from tests.commands import KATA, refused
from tests.conftest import run

BROKEN = 'class Thing:\n    def go(self):\n        return "here"\n'
FINE = 'class Thing:\n    def go(self):\n        return "gone"\n'


class Watching:
    """A real `kata watch` and what it has printed."""

    def __init__(self, toy):
        self.process = subprocess.Popen(
            [KATA, "watch", "toy"],
            cwd=toy.root,
            env=os.environ | {"COLUMNS": "80"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self.lines = []
        self.reader = threading.Thread(target=lambda: self.lines.extend(self.process.stdout), daemon=True)
        self.reader.start()
        self._told = 0

    def wait_for(self, text, seconds=60):
        """Wait until a new line has this text; return the new lines up to it."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            lines = self.lines[self._told :]
            for number, line in enumerate(lines):
                if text in line:
                    self._told += number + 1
                    return "".join(lines[: number + 1])
            time.sleep(0.02)
        raise AssertionError(f"{text!r} was not printed; what was: {''.join(self.lines)}")

    def interrupt(self):
        os.killpg(self.process.pid, signal.SIGINT)
        return self.process.wait(20)


@pytest.fixture
def watching(toy):
    toy.module(BROKEN)
    started = Watching(toy)
    yield started
    if started.process.poll() is None:
        os.killpg(started.process.pid, signal.SIGKILL)
    started.process.wait()
    started.reader.join()
    started.process.stdout.close()


def test_it_judges_at_once_and_on_every_save(toy, watching):
    assert "it should be gone" in watching.wait_for("watching toy.py; Ctrl-C ends it")
    toy.module(FINE)
    told = watching.wait_for("best time")
    assert "toy.py saved" in told
    assert "1 check newly passes" in watching.wait_for("newly passes")
    time.sleep(1)
    toy.module("class Thing:\n    def go(self)\n")
    assert "line 2: expected ':'" in watching.wait_for("cannot be imported")
    time.sleep(1)
    toy.module(FINE)
    watching.wait_for("newly passes")
    assert watching.interrupt() == 0
    watching.wait_for("no longer watching")
    runs = [event for event in toy.journal.read().events if type(event).__name__ == "Ran"]
    assert [event.solved for event in runs] == [False, True, False, True]


def test_a_file_that_is_not_editable_is_no_reason_to_judge(toy, watching):
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


def test_ctrl_c_in_the_middle_of_a_hang_ends_it_too(toy, watching):
    watching.wait_for("watching")
    toy.body("time.sleep(60)")
    watching.wait_for("saved")
    time.sleep(1)
    family = psutil.Process(watching.process.pid).children(recursive=True)
    assert watching.interrupt() == 0
    _, alive = psutil.wait_procs(family, timeout=10)
    assert not alive


def test_without_watchfiles_it_says_what_to_install(toy, tmp_path):
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "watchfiles.py").write_text("raise ImportError\n")
    told = refused(run([KATA, "watch", "toy"], toy.root, env={"PYTHONPATH": str(hidden)}))
    assert told == "`kata watch` needs the extra `watch`: pip install 'drill-katas[watch]'"
