"""The journal where it cannot be written, shared between processes, and under `kill -9`."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from drill_katas.errors import UserError
from drill_katas.practice.progress import progress
from tests.support.keeping import append_confined, confined, fill, hints

# Where it cannot be written


def is_one_clear_sentence(text, path):
    assert text.startswith("UserError: "), text
    assert "Traceback" not in text
    assert text.count("\n") <= 1
    assert str(path) in text
    assert "cannot be written" in text
    return True


def test_a_state_file_gets_one_sentence(journal):
    journal.path.parent.write_text("mine", encoding="utf-8")
    with pytest.raises(UserError, match="cannot be written"):
        journal.append(*hints(1))
    assert journal.path.parent.read_text(encoding="utf-8") == "mine"
    (notice,) = journal.read().notices
    assert "cannot be read" in notice


def test_a_journal_folder_gets_one_sentence(journal):
    journal.path.mkdir(parents=True)
    with pytest.raises(UserError, match=r"cannot be written \(Is a directory\)"):
        journal.append(*hints(1))
    (notice,) = journal.read().notices
    assert "cannot be read (Is a directory)" in notice


@pytest.mark.parametrize("what", ["folder", "file"])
def test_a_read_only_journal_loses_nothing(journal, what):
    events = fill(journal, hints(1)) if what == "file" else []
    journal.path.parent.mkdir(exist_ok=True)
    locked = journal.path if what == "file" else journal.path.parent
    locked.chmod(0o444 if what == "file" else 0o555)
    done = append_confined(journal, 2)
    locked.chmod(0o755)
    assert done.returncode == 1
    assert is_one_clear_sentence(done.stderr, journal.path)
    assert "(Permission denied)" in done.stderr
    assert journal.read().events == tuple(events)


def test_a_full_disk_leaves_no_torn_line(journal):
    events = fill(journal, hints(1, 2, 3))
    before = journal.path.read_bytes()
    for room in (0, 1, 40, 100):
        done = append_confined(journal, 4, size=len(before) + room)
        assert done.returncode == 1
        assert is_one_clear_sentence(done.stderr, journal.path)
        assert journal.path.read_bytes() == before
    done = append_confined(journal, 4, size=len(before) + 1000)
    assert done.returncode == 0, done.stderr
    assert [event.rung for event in journal.read().events] == [1, 2, 3, 4]
    assert journal.read().events[:3] == tuple(events)


@pytest.mark.parametrize("how", ["a full disk", "a read-only folder"])
def test_an_unrecorded_run_shows_its_verdict(toy, how):
    toy.pytest()
    before = toy.journal.path.read_bytes()
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", toy.root, "--kata", "toy"]
    if how == "a read-only folder":
        toy.journal.path.chmod(0o444)
    done = confined(command, size=len(before) + 10 if how == "a full disk" else -1, folder=toy.root)
    output = " ".join(done.stdout.split())
    assert "Traceback" not in done.stdout + done.stderr
    assert done.returncode == 0, done.stdout + done.stderr
    assert "1 passed" in output
    assert f"the journal {toy.journal.path} cannot be written" in output
    assert toy.journal.path.read_bytes() == before


# Two at once, and kill -9


APPEND_MANY = """
import sys
from pathlib import Path
from drill_katas.practice.journal import Hinted, Journal
journal, kata = Journal(Path(sys.argv[1])), sys.argv[2]
print("ready", flush=True)
sys.stdin.readline()
for rung in range(200):
    assert journal.append(Hinted(kata=kata, rung=rung)) is None
"""


def test_eight_concurrent_writers_lose_no_event(journal):
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", APPEND_MANY, str(journal.path), f"kata{number}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(8)
    ]
    for writer in writers:
        assert writer.stdout.readline() == "ready\n"
    for writer in writers:
        writer.stdin.write("go\n")
        writer.stdin.flush()
    for writer in writers:
        writer.communicate(timeout=300)
        assert writer.returncode == 0
    history = journal.read()
    assert history.notices == ()
    assert len(history.events) == 8 * 200
    assert len({event.id for event in history.events}) == 8 * 200
    for number in range(8):
        rungs = [event.rung for event in history.events if event.kata == f"kata{number}"]
        assert rungs == list(range(200))


@pytest.mark.long
def test_concurrent_runs_are_separate_attempts(toy):
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--kata", "toy", "-q"]
    runs = [subprocess.Popen(command, cwd=toy.root, stdout=subprocess.DEVNULL) for _ in range(3)]
    assert [run.wait(timeout=120) for run in runs] == [0, 0, 0]
    assert progress(toy.journal.read().events)["toy"].total_attempts == 3
    assert toy.journal.read().notices == ()


def test_killed_writers_lose_no_finished_event(journal):
    """A loop of appends is nearly always inside an append; it prints each finished event."""
    script = textwrap.dedent(
        """
        import itertools, sys
        from pathlib import Path
        from drill_katas.practice.journal import Hinted, Journal
        journal = Journal(Path(sys.argv[1]))
        for rung in itertools.count():
            event = Hinted(kata="toy", rung=rung)
            journal.append(event)
            print(event.id, flush=True)
        """
    )
    chance = random.Random(7)
    finished = []
    for _ in range(10):
        writer = subprocess.Popen(
            [sys.executable, "-c", script, str(journal.path)], stdout=subprocess.PIPE, text=True, bufsize=1
        )
        first = writer.stdout.readline().strip()
        time.sleep(chance.uniform(0, 0.05))
        os.kill(writer.pid, signal.SIGKILL)
        finished += [first, *writer.communicate(timeout=60)[0].split()]
        assert set(finished) <= {event.id for event in journal.read().events}
    journal.append(*hints(1))
    assert journal.read().notices == ()


@pytest.mark.long
def test_killed_runs_lose_no_finished_attempt(toy):
    command = [sys.executable, "-u", "-m", "pytest", "-p", "no:cacheprovider", "--kata", "toy"]
    began = time.monotonic()
    toy.pytest()
    duration = time.monotonic() - began
    chance = random.Random(7)
    attempts = 1
    output = toy.root / "output.txt"
    for number in range(10):
        before = toy.journal.read().events
        with output.open("wb") as stdout:
            run = subprocess.Popen(command, cwd=toy.root, stdout=stdout, stderr=subprocess.STDOUT)
            if number % 3 == 2:  # when the attempt is first printed
                while b"attempt" not in output.read_bytes() and run.poll() is None:
                    time.sleep(0.001)
            else:
                time.sleep(chance.uniform(0.4, 1.1) * duration)
            run.kill()
            run.wait(timeout=60)
        history = toy.journal.read()
        assert history.events[: len(before)] == before
        assert all("was cut short" in notice for notice in history.notices)
        new = len(history.events) - len(before)
        assert new in {0, 1}
        if b" attempt " in output.read_bytes():
            assert new == 1
        attempts += new
    toy.pytest()
    history = toy.journal.read()
    assert history.notices == ()
    assert progress(history.events)["toy"].attempts == attempts + 1
    assert attempts > 3  # some runs must finish, otherwise this tests nothing


def test_each_kata_is_recorded_at_once(toy):
    """A run over several katas that is killed in a later one has not lost the earlier ones."""
    later = toy.root / "katas" / "zzz"
    later.mkdir()
    for name in ("kata.toml", "toy.py"):
        (later / name).write_bytes((toy.folder / name).read_bytes())
    (later / "toy.py").write_text("import time\n\n\ndef Thing():\n    time.sleep(3600)\n", encoding="utf-8")
    (later / "kata.toml").write_text(
        (toy.folder / "kata.toml").read_text(encoding="utf-8") + "\n[limits]\ncall_seconds = 60\ncheck_seconds = 60\n",
        encoding="utf-8",
    )
    (later / "test_zzz.py").write_bytes((toy.folder / "test_toy.py").read_bytes())
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--kata", "toy,zzz", "-q"]
    run = subprocess.Popen(command, cwd=toy.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    deadline = time.monotonic() + 50
    while not toy.journal.read().events and time.monotonic() < deadline:
        time.sleep(0.02)
    still_runs = run.poll() is None
    run.kill()
    output, _ = run.communicate(timeout=60)  # ends when the last of the run's processes has ended
    assert "Traceback" not in output, output
    (event,) = toy.journal.read().events
    assert still_runs
    assert (event.kata, event.solved) == ("toy", True)
    assert [check.name for check in event.checks] == ["test_go"]
