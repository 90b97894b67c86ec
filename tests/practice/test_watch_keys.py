"""The keys of `kata watch` at a real pseudo-terminal."""

from __future__ import annotations

import os
import signal

import psutil
import pytest

from drill_katas.practice.journal import Hinted, Ran
from tests.support.commands import KATA, done, replay
from tests.support.terminal import AtTerminal
from tests.support.toy import FINE, add_kata
from tests.support.waiting import wait_until

KEYS = "[h] hint  [n] next  [l] list  [i] incident  [Enter] judge again  [q] quit"


@pytest.fixture
def watching(answered):
    with AtTerminal(answered.root, KATA, "watch", "toy") as at:
        at.wait_for("it should be gone", KEYS)
        yield at


def hangs(toy, at):
    """Save a module that hangs; return the processes, once its SUT runs."""
    toy.body("time.sleep(60)")
    at.wait_for("toy.py saved")
    watch = psutil.Process(at.process.pid)
    wait_until(lambda: len(watch.children(recursive=True)) >= 3)  # the judge, its zygote, and the SUT
    return watch.children(recursive=True)


def test_verdict_is_drawn_from_the_top(answered, watching):
    """The last row shows the keys; the old verdict is in the scrollback."""
    first = watching.shown.splitlines()
    assert first[0] == "watching toy.py (a save is not an attempt)"
    assert first[23] == KEYS
    answered.module(FINE)
    second = watching.wait_for("toy.py saved", "best time", KEYS).splitlines()
    assert second[0] == "toy.py saved"
    assert second[23] == KEYS
    assert "it should be gone" not in watching.shown
    assert "watching toy.py (a save is not an attempt)" in watching.screen.scrollback
    assert "it should be gone" in "\n".join(watching.screen.scrollback)
    assert KEYS not in watching.screen.scrollback


def test_keys_show_hint_next_list_incident(answered, watching):
    add_kata(answered, "ferry", level=3)
    watching.press("h")
    watching.wait_for("Hint 1 of 3: Look at what it answers.", KEYS)
    watching.press("n")
    watching.wait_for("Go on with: pytest --kata toy")
    watching.press("l")
    watching.wait_for("· 3 Senior  ferry")
    watching.press("i")
    shown = watching.wait_for("`kata incident toy`")
    assert shown.splitlines()[-1] == KEYS
    assert "it should be gone" in watching.everything
    assert "^[" not in watching.everything
    hints = [event for event in answered.journal.read().events if isinstance(event, Hinted)]
    assert [hint.rung for hint in hints] == [1]


@pytest.mark.long
def test_recorded_incident_is_summed_up(night):
    replay(night, "night")
    with AtTerminal(night, KATA, "watch", "night", rows=50) as at:
        at.wait_for(KEYS)
        at.press("i")
        at.wait_for("service level of the customers", KEYS)


def test_enter_judges_again(answered, watching):
    watching.press("\r")
    watching.wait_for("since the last run: nothing changed", KEYS)
    runs = [event for event in answered.journal.read().events if isinstance(event, Ran)]
    assert len(runs) == 2


@pytest.mark.parametrize("end", ["q", "\x03", "\x04"], ids=["q", "ctrl-c", "ctrl-d"])
def test_keys_end_it_and_restore_terminal(watching, end):
    assert not watching.is_as_before
    family = psutil.Process(watching.process.pid).children(recursive=True)
    watching.press(end)
    assert watching.process.wait(20) == 0
    assert watching.is_as_before
    watching.wait_for("watching ended")
    assert KEYS not in watching.shown
    _, alive = psutil.wait_procs(family, timeout=10)
    assert not alive


@pytest.mark.long
@pytest.mark.parametrize("end", ["q", "\x03"], ids=["q", "ctrl-c"])
def test_a_hang_can_be_ended(answered, watching, end):
    family = hangs(answered, watching)
    watching.press(f"h{end}")
    assert watching.process.wait(20) == 0
    assert watching.is_as_before
    _, alive = psutil.wait_procs(family, timeout=10)
    assert not alive


@pytest.mark.long
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_signal_ends_it_and_restores_terminal(watching, number):
    family = psutil.Process(watching.process.pid).children(recursive=True)
    os.kill(watching.process.pid, number)
    assert watching.process.wait(20) == 128 + number
    assert watching.is_as_before
    _, alive = psutil.wait_procs(family, timeout=10)
    assert not alive


@pytest.mark.long
def test_killed_judge_is_reported(watching):
    (judge,) = psutil.Process(watching.process.pid).children()
    judge.kill()
    watching.press("\r")
    assert watching.process.wait(20) == 2
    assert watching.is_as_before
    watching.wait_for("the judge process ended; start it again with `kata watch`")


@pytest.mark.long
def test_stopped_command_gives_the_terminal_back(watching):
    """As after Ctrl-Z and `fg`. A session without a shell ignores the key itself, so the signal is sent."""
    os.kill(watching.process.pid, signal.SIGTSTP)
    wait_until(lambda: psutil.Process(watching.process.pid).status() == psutil.STATUS_STOPPED)
    assert watching.is_as_before
    os.kill(watching.process.pid, signal.SIGCONT)
    wait_until(lambda: not watching.is_as_before)
    watching.press("h")
    watching.wait_for("Hint 1 of 3", KEYS)


@pytest.mark.long
def test_other_keys_do_nothing(answered, watching):
    """An arrow key sends letters after an escape; none of them is a key."""
    before = watching.shown
    watching.press("\x1b[h")
    watching.press("xé?")
    watching.press("l")
    watching.wait_for("1 Intern  toy")
    assert "Hint" not in watching.everything
    assert before.splitlines()[1] in watching.everything


@pytest.mark.long
def test_mistake_of_a_key_ends_nothing(toy):
    with AtTerminal(toy.root, KATA, "watch", "toy") as at:
        at.wait_for("best time", KEYS)
        at.press("n")
        at.wait_for("Start with: kata start toy --variant original")
        at.press("q")
        assert at.process.wait(20) == 0


@pytest.mark.long
def test_without_watchfiles_the_terminal_is_restored(answered, tmp_path):
    (tmp_path / "watchfiles.py").write_text("raise ImportError\n")
    wrapped = ["/usr/bin/env", f"PYTHONPATH={tmp_path}:{os.environ.get('PYTHONPATH', '')}", KATA, "watch", "toy"]
    with AtTerminal(answered.root, *wrapped) as at:
        assert at.process.wait(60) == 2
        at.wait_for("needs the extra `watch`")
        assert at.is_as_before


@pytest.mark.long
def test_dumb_terminal_gets_no_keys(answered):
    with AtTerminal(answered.root, "/usr/bin/env", "TERM=dumb", KATA, "watch", "toy") as at:
        at.wait_for("Ctrl-C ends it")
        assert "[h] hint" not in at.everything
        at.press("\x03")
        assert at.process.wait(20) == 0
    assert done(answered.root, "history", "toy").count("not an attempt") == 1
