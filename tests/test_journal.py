"""The journal keeps every attempt: torn, damaged, shared between processes, on a full disk, under `kill -9`."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from drill_katas.errors import UserError
from drill_katas.journal import Checked, Hinted, Journal, Ran, Reset, SolutionShown, Started, uuid7
from drill_katas.progress import progress
from drill_katas.verdict import Outcome, Stage

# Runs a command with files that cannot grow beyond a size (-1: no limit), and without root's right to write anywhere.
CONFINED = """
import ctypes, os, resource, sys
size = int(sys.argv[1])
if size >= 0:
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
ctypes.CDLL(None).prctl(24, 1, 0, 0, 0)  # PR_CAPBSET_DROP, CAP_DAC_OVERRIDE
os.execv(sys.argv[2], sys.argv[2:])
"""
APPEND = """
import sys
from pathlib import Path
from drill_katas.errors import UserError
from drill_katas.journal import Hinted, Journal
try:
    notice = Journal(Path(sys.argv[1])).append(Hinted(kata="toy", rung=int(sys.argv[2])))
except UserError as mistake:
    sys.exit(f"UserError: {mistake}")
print(notice or "")
"""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
TIMES = st.integers(0, 4 * 10**15).map(lambda moment: EPOCH + timedelta(microseconds=moment))
SECONDS = st.floats(0, 1e6, allow_nan=False)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
CHECKS = st.builds(Checked, TEXT, st.sampled_from(Stage), st.sampled_from(Outcome), SECONDS)
COMMON = {"kata": TEXT, "at": TIMES}
EVENTS = st.one_of(
    st.builds(Started, variant=TEXT, **COMMON),
    st.builds(Reset, variant=TEXT, kept=TEXT, **COMMON),
    st.builds(
        Ran,
        variant=TEXT,
        seed=st.integers(-(2**63), 2**63 - 1),
        seconds=SECONDS,
        checks=st.lists(CHECKS, max_size=3).map(tuple),
        solved=st.booleans(),
        partial=st.booleans(),
        inline=st.booleans(),
        **COMMON,
    ),
    st.builds(Hinted, rung=st.integers(1, 5), **COMMON),
    st.builds(SolutionShown, gave_up=st.booleans(), **COMMON),
)


@pytest.fixture
def journal(tmp_path):
    return Journal(tmp_path / ".kata" / Journal.NAME)


def fresh_journal(content=b""):
    """A journal of its own for one Hypothesis example; the folder goes when the example ends."""
    folder = tempfile.TemporaryDirectory()
    journal = Journal(Path(folder.name) / ".kata" / Journal.NAME)
    if content:
        journal.path.parent.mkdir()
        journal.path.write_bytes(content)
    return folder, journal


def hints(*rungs, kata="toy"):
    return [Hinted(kata=kata, rung=rung) for rung in rungs]


def fill(journal, events):
    for event in events:
        assert journal.append(event) is None
    return events


def confined(command, *, size=-1):
    command = [sys.executable, "-c", CONFINED, str(size), *map(str, command)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def append_confined(journal, rung, *, size=-1):
    return confined([sys.executable, "-c", APPEND, journal.path, rung], size=size)


# What is written


@given(st.lists(EVENTS, min_size=1, max_size=5))
@settings(deadline=None, max_examples=50)
def test_events_are_read_back_as_they_were_written_and_in_that_order(events):
    folder, journal = fresh_journal()
    with folder:
        fill(journal, events)
        history = journal.read()
        assert history.events == tuple(events)
        assert history.notices == ()
        assert journal.path.read_bytes().count(b"\n") == len(events)


def test_a_line_is_one_json_object_with_version_kind_id_and_time_in_utc(journal):
    before = datetime.now(UTC)
    (event,) = fill(journal, hints(2))
    line = json.loads(journal.path.read_text(encoding="utf-8"))
    assert line == {
        "v": 1,
        "kind": "hint",
        "id": event.id,
        "at": event.at.isoformat().replace("+00:00", "Z"),
        "kata": "toy",
        "rung": 2,
    }
    assert before <= event.at <= datetime.now(UTC)


def test_a_workspace_without_a_journal_has_an_empty_one(journal):
    assert journal.read().events == ()
    assert journal.read().notices == ()
    assert not journal.path.parent.exists()


@pytest.mark.parametrize("content", [b"", b"\n", b"\n\n\n"], ids=["empty", "a blank line", "blank lines"])
def test_an_empty_file_is_a_journal_without_events(journal, content):
    journal.path.parent.mkdir()
    journal.path.write_bytes(content)
    assert journal.read().events == ()
    assert journal.read().notices == ()
    events = fill(journal, hints(1))
    assert journal.read().events == tuple(events)


# Ids


def test_an_id_is_a_uuid_of_version_7():
    before = time.time_ns() // 1_000_000
    value = uuid.UUID(uuid7())
    after = time.time_ns() // 1_000_000
    assert value.version == 7
    assert value.variant == uuid.RFC_4122
    assert before <= value.int >> 80 <= after


def test_ids_are_all_different():
    assert len({uuid7() for _ in range(10_000)}) == 10_000


def test_ids_sort_by_the_millisecond_they_were_made_in():
    ids = []
    for _ in range(20):
        ids.append(uuid7())
        time.sleep(0.002)
    assert ids == sorted(ids)


# A write that was cut short


def test_a_last_line_that_was_cut_anywhere_is_dropped_by_the_next_writer_and_said(journal):
    kept = fill(journal, hints(1, 2))
    whole = journal.path.read_bytes()
    fill(journal, hints(3))
    line = journal.path.read_bytes()[len(whole) :]
    for left in range(1, len(line) - 1):
        journal.path.write_bytes(whole + line[:left])
        (new,) = hints(4)
        notice = journal.append(new)
        assert notice is not None
        assert f"cut short ({left} bytes)" in notice
        assert str(journal.path) in notice
        assert journal.path.read_bytes() == whole + msgspec.json.encode(new) + b"\n"
        assert journal.read().events == (*kept, new)


def test_reading_a_journal_that_ends_in_a_torn_line_says_so_and_changes_nothing(journal):
    kept = fill(journal, hints(1, 2))
    whole = journal.path.read_bytes()
    fill(journal, hints(3))
    line = journal.path.read_bytes()[len(whole) :]
    for left in range(1, len(line) - 1):
        journal.path.write_bytes(whole + line[:left])
        history = journal.read()
        assert history.events == tuple(kept)
        assert history.notices == (f"line 3 of {journal.path} was cut short; it is left out",)
        assert journal.path.read_bytes() == whole + line[:left]


def test_what_reading_shows_of_a_journal_without_its_last_newline_is_still_there_after_the_next_write(journal):
    """The write was cut by its very last byte, or somebody's editor took it: the event itself is whole."""
    fill(journal, hints(1, 2))
    journal.path.write_bytes(journal.path.read_bytes().removesuffix(b"\n"))
    shown = journal.read().events
    journal.append(*hints(3))
    assert journal.read().events[:-1] == shown


# Damage


RUBBISH = {
    "no JSON": b"not json",
    "an open brace": b"{",
    "a number": b"42",
    "null": b"null",
    "a string": b'"hint"',
    "a list": b"[1, 2]",
    "control characters": b"\x00\x01\x02\x03",
    "no UTF-8": b"\xff\xfe\x00",
    "no UTF-8 in a string": b'{"kind": "hint", "kata": "\xff\xfe"}',
    "a kind that is a list": b'{"kind": [1], "v": 1}',
    "a kind that is an object": b'{"kind": {}, "v": 1}',
    "missing fields": b'{"kind": "hint", "v": 1}',
    "a kata that is a number": b'{"kind": "hint", "v": 1, "kata": 5, "rung": 1}',
    "a rung that is text": b'{"kind": "hint", "v": 1, "kata": "toy", "rung": "first"}',
    "an unknown stage": b'{"kind": "run", "v": 1, "kata": "toy", "checks": [{"stage": "nowhere"}]}',
    "a time that is none": b'{"kind": "start", "v": 1, "kata": "toy", "variant": "original", "at": "yesterday"}',
    # without a zone it could not be compared with the others, and every command that shows progress would fail
    "a time without a zone": b'{"kind": "start", "v": 1, "kata": "toy", "variant": "x", "at": "2026-01-31T03:07:00"}',
    "deep nesting": b"[" * 100_000,
    "deep nesting of objects": b'{"a":' * 100_000,
    "a number of 5000 digits": b"1" * 5000,
}


@pytest.mark.parametrize("rubbish", RUBBISH.values(), ids=RUBBISH.keys())
def test_a_damaged_line_in_the_middle_is_left_out_and_named_by_its_number(journal, rubbish):
    first = fill(journal, hints(1, 2))
    with journal.path.open("ab") as file:
        file.write(rubbish + b"\n")
    last = fill(journal, hints(3))
    content = journal.path.read_bytes()
    history = journal.read()
    assert history.events == (*first, *last)
    (notice,) = history.notices
    assert f"line 3 of {journal.path} is damaged" in notice
    assert "left out" in notice
    assert journal.path.read_bytes() == content


@pytest.mark.parametrize(
    "line",
    [
        b'{"v": 1, "kind": "reflection", "kata": "toy", "text": "slept on it"}',
        b'{"v": 2, "kind": "hint", "kata": {"name": "toy"}, "rungs": [1]}',
        b'{"v": 2, "kind": "something new"}',
    ],
    ids=["unknown kind", "later version", "both"],
)
def test_a_line_of_a_later_release_is_left_alone_without_a_word(journal, line):
    events = fill(journal, hints(1))
    with journal.path.open("ab") as file:
        file.write(line + b"\n")
    events += fill(journal, hints(2))
    assert journal.read().events == tuple(events)
    assert journal.read().notices == ()
    assert line + b"\n" in journal.path.read_bytes()


@given(st.binary(min_size=1, max_size=400))
@example(b"\x00" * 4096)
@example(bytes(range(256)) * 4)
@example(b'{"kind":["hint"],"v":1}\n')
@example(b'{"kata":"\xff"}\n')
@settings(deadline=None)
def test_binary_rubbish_is_never_a_reason_to_stop_and_is_kept_up_to_its_last_whole_line(rubbish):
    folder, journal = fresh_journal(rubbish)
    with folder:
        journal.read()
        assert journal.path.read_bytes() == rubbish
        (new,) = hints(1)
        journal.append(new)
        whole = rubbish[: rubbish.rfind(b"\n") + 1]
        assert journal.path.read_bytes() == whole + msgspec.json.encode(new) + b"\n"
        assert journal.read().events[-1] == new


def test_a_run_of_pytest_and_the_command_both_say_what_is_damaged(toy):
    toy.pytest()
    with toy.journal.path.open("ab") as file:
        file.write(b"rubbish\n")
    toy.pytest()
    for done in (toy.pytest(), toy.kata("list"), toy.kata("status")):
        output = " ".join((done.stdout + done.stderr).split())
        assert done.returncode == 0, output
        assert "line 2 of" in output
        assert "is damaged" in output
        assert "Traceback" not in output
    assert progress(toy.journal.read().events)["toy"].attempts == 3


def test_a_run_of_pytest_says_that_it_dropped_a_torn_line(toy):
    toy.pytest()
    with toy.journal.path.open("ab") as file:
        file.write(b'{"v":1,"kind":"ru')
    done = toy.pytest()
    output = " ".join(done.stdout.split())
    assert done.returncode == 0, output
    assert "was cut short (17 bytes); it is dropped" in output
    assert len(toy.journal.read().events) == 2
    assert toy.journal.read().notices == ()


# Where it cannot be written


def is_one_clear_sentence(text, path):
    assert text.startswith("UserError: "), text
    assert "Traceback" not in text
    assert text.count("\n") <= 1
    assert str(path) in text
    assert "cannot be written" in text
    return True


def test_a_state_folder_that_is_a_file_is_told_in_a_sentence_and_left_alone(journal):
    journal.path.parent.write_text("mine", encoding="utf-8")
    with pytest.raises(UserError, match="cannot be written"):
        journal.append(*hints(1))
    assert journal.path.parent.read_text(encoding="utf-8") == "mine"
    (notice,) = journal.read().notices
    assert "cannot be read" in notice


def test_a_journal_that_is_a_folder_is_told_in_a_sentence(journal):
    journal.path.mkdir(parents=True)
    with pytest.raises(UserError, match=r"cannot be written \(Is a directory\)"):
        journal.append(*hints(1))
    (notice,) = journal.read().notices
    assert "cannot be read (Is a directory)" in notice


@pytest.mark.parametrize("what", ["folder", "file"])
def test_a_read_only_journal_is_told_in_a_sentence_and_loses_nothing(journal, what):
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


def test_a_disk_that_fills_up_anywhere_in_a_line_leaves_nothing_of_it_and_nothing_is_lost(journal):
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
def test_a_run_whose_attempt_cannot_be_written_down_shows_its_verdict_and_says_so(toy, how):
    toy.pytest()
    before = toy.journal.path.read_bytes()
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", toy.root, "--kata", "toy"]
    if how == "a full disk":
        wrapper = [sys.executable, "-c", CONFINED, str(len(before) + 10), *map(str, command)]
    else:
        toy.journal.path.chmod(0o444)
        wrapper = [sys.executable, "-c", CONFINED, "-1", *map(str, command)]
    done = subprocess.run(wrapper, cwd=toy.root, capture_output=True, text=True, timeout=120, check=False)
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
from drill_katas.journal import Hinted, Journal
journal, kata = Journal(Path(sys.argv[1])), sys.argv[2]
print("ready", flush=True)
sys.stdin.readline()
for rung in range(200):
    assert journal.append(Hinted(kata=kata, rung=rung)) is None
"""


def test_eight_processes_that_write_at_once_lose_no_event(journal):
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


def test_runs_of_pytest_at_the_same_time_are_an_attempt_each(toy):
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--kata", "toy", "-q"]
    runs = [subprocess.Popen(command, cwd=toy.root, stdout=subprocess.DEVNULL) for _ in range(3)]
    assert [run.wait(timeout=120) for run in runs] == [0, 0, 0]
    assert progress(toy.journal.read().events)["toy"].total_attempts == 3
    assert toy.journal.read().notices == ()


def test_a_writer_killed_at_any_moment_loses_no_event_that_it_had_finished(journal):
    """A loop of appends is in the middle of one nearly always; each event it has finished is said on its output."""
    script = textwrap.dedent(
        """
        import itertools, sys
        from pathlib import Path
        from drill_katas.journal import Hinted, Journal
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
def test_a_run_killed_at_any_moment_loses_no_finished_attempt_and_damages_nothing(toy):
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
            if number % 3 == 2:  # the moment in which the attempt is first said
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
    assert attempts > 3  # some of the runs came to their end, or nothing was tried here


def test_a_kata_is_written_down_as_soon_as_its_own_checks_are_done(toy):
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
