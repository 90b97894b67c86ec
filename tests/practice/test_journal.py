"""The journal keeps every attempt, also when it is torn or damaged."""

from __future__ import annotations

import json
import time
import uuid
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from drill_katas.practice.journal import Checked, Hinted, Ran, Reset, SolutionShown, Started, uuid7
from drill_katas.practice.progress import progress
from drill_katas.verdict import Outcome, Stage
from tests.support.keeping import fill, fresh_journal, hints

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


# Writing


@given(st.lists(EVENTS, min_size=1, max_size=5))
@settings(deadline=None, max_examples=50)
def test_events_are_read_as_written(events):
    folder, journal = fresh_journal()
    with folder:
        fill(journal, events)
        history = journal.read()
        assert history.events == tuple(events)
        assert history.notices == ()
        assert journal.path.read_bytes().count(b"\n") == len(events)


def test_a_line_is_one_json_object(journal):
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


def test_workspace_without_journal_has_no_events(journal):
    assert journal.read().events == ()
    assert journal.read().notices == ()
    assert not journal.path.parent.exists()


@pytest.mark.parametrize("content", [b"", b"\n", b"\n\n\n"], ids=["empty", "a blank line", "blank lines"])
def test_empty_file_is_journal_without_events(journal, content):
    journal.path.parent.mkdir()
    journal.path.write_bytes(content)
    assert journal.read().events == ()
    assert journal.read().notices == ()
    events = fill(journal, hints(1))
    assert journal.read().events == tuple(events)


# Ids


def test_id_is_uuid_of_version_7():
    before = time.time_ns() // 1_000_000
    value = uuid.UUID(uuid7())
    after = time.time_ns() // 1_000_000
    assert value.version == 7
    assert value.variant == uuid.RFC_4122
    assert before <= value.int >> 80 <= after


def test_ids_are_all_different():
    assert len({uuid7() for _ in range(10_000)}) == 10_000


def test_ids_sort_by_millisecond_of_creation():
    ids = []
    for _ in range(20):
        ids.append(uuid7())
        time.sleep(0.002)
    assert ids == sorted(ids)


# A write that was cut short


def test_writers_drop_a_torn_last_line(journal):
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


def test_readers_report_a_torn_last_line(journal):
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


def test_a_missing_newline_loses_no_event(journal):
    """A cut write or an editor removed the last byte, but the event itself is complete."""
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
def test_damaged_lines_are_named_by_number(journal, rubbish):
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
def test_lines_of_later_releases_are_kept(journal, line):
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
def test_binary_rubbish_is_kept(rubbish):
    folder, journal = fresh_journal(rubbish)
    with folder:
        journal.read()
        assert journal.path.read_bytes() == rubbish
        (new,) = hints(1)
        journal.append(new)
        whole = rubbish[: rubbish.rfind(b"\n") + 1]
        assert journal.path.read_bytes() == whole + msgspec.json.encode(new) + b"\n"
        assert journal.read().events[-1] == new


def test_runs_and_commands_report_damage(toy):
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


def test_a_run_reports_a_torn_line(toy):
    toy.pytest()
    with toy.journal.path.open("ab") as file:
        file.write(b'{"v":1,"kind":"ru')
    done = toy.pytest()
    output = " ".join(done.stdout.split())
    assert done.returncode == 0, output
    assert "was cut short (17 bytes); it is dropped" in output
    assert len(toy.journal.read().events) == 2
    assert toy.journal.read().notices == ()
