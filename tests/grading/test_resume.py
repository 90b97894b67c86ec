"""`kata grade --resume` reuses only its own records, and no record planted by a submission."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import stat
import tracemalloc

import msgspec
import pytest
from msgspec.structs import replace

from drill_katas.grading.grade_store import SCHEMA, GradeStore
from drill_katas.grading.grades import CheckGrade, Grade
from drill_katas.grading.state import State, state
from drill_katas.verdict import Outcome, Stage
from tests.support.commands import kata, refused
from tests.support.pack import RIGHT, WRONG, Pack

MANY = 10_000  # submissions
PASSED = CheckGrade(name="test_go", stage=Stage.SYMPTOM, verdict=Outcome.PASS, points=100.0, worth=100.0)
FAILED = replace(PASSED, verdict=Outcome.FAIL, points=0.0)
SOLVED = Grade(id="a", key="k", kata="toy", solved=True, score=100.0, checks=(PASSED,))


@pytest.fixture
def pack(tmp_path):
    with contextlib.closing(Pack(tmp_path)) as made:
        yield made


def forged(grade):
    """A grade of a wrong submission, made into that of a right one."""
    checks = [{**check, "verdict": "pass", "points": check["worth"]} for check in grade["checks"]]
    return {**grade, "solved": True, "score": 100.0, "checks": checks}


def resumed(pack, file=None):
    """Grade again with `--resume`: the grades, and the notes."""
    file = file or pack.file
    result = kata(pack.root, "grade", pack.work, "--json", file, "--resume", env=pack.env)
    assert result.returncode == 0, result.stderr
    return {grade["id"]: grade for grade in json.loads(file.read_bytes())["submissions"]}, result.stderr


@pytest.mark.long
def test_planted_grades_among_submissions_give_nothing(pack):
    """The attack that gave 100 points: lines beside the grades' file, which is written among the submissions."""
    pack.hand_in("mallory", WRONG)
    key = pack.grade()["mallory"]["key"]
    pack.file.unlink()
    inside = pack.work / "grades.json"
    for checks in ([], [msgspec.to_builtins(PASSED)]):
        line = {"id": "mallory", "key": key, "kata": "toy", "solved": True, "score": 100.0, "checks": checks}
        (pack.work / "grades.json.part").write_text(f"{json.dumps(line)}\n")
        grades, _ = resumed(pack, inside)
        assert (grades["mallory"]["solved"], grades["mallory"]["score"]) == (False, 0)
        inside.unlink()


@pytest.mark.long
def test_a_forged_finished_file_is_judged_again(pack):
    pack.hand_in("mallory", WRONG)
    pack.hand_in("right", RIGHT)
    found = pack.grade()
    for change in (forged, lambda grade: {**grade, "solved": True, "score": 100.0, "checks": []}):
        submissions = [change(found["mallory"]), found["right"]]
        pack.file.write_text(json.dumps({"tier": "strong", "submissions": submissions}))
        grades, output = resumed(pack)
        assert not grades["mallory"]["solved"]
        assert grades["right"] == found["right"], "its verdict was kept, to the hundredth of a second"
        assert ": 1; their submissions are judged again" in output


@pytest.mark.long
def test_another_users_grades_are_judged_again(pack):
    pack.hand_in("mallory", WRONG)
    found = pack.grade()["mallory"]
    other = State(pack.state, b"another key of thirty-two bytes.")
    theirs = other.sealed(msgspec.convert(forged(found), Grade))
    pack.file.write_bytes(msgspec.json.encode({"tier": "strong", "submissions": [theirs]}))
    grades, output = resumed(pack)
    assert not grades["mallory"]["solved"]
    assert "not made by this user's kata grade" in output


def database_of(pack):
    """Where grades of an unfinished run are."""
    return State(pack.state, (pack.state / "key").read_bytes()).grades_of(pack.file)


@pytest.mark.long
def test_damaged_record_is_dropped_with_note(pack):
    for name in ("a", "b"):
        pack.hand_in(name, f"{WRONG}# {name}\n")
    found = pack.grade()
    pack.file.unlink()
    good = msgspec.json.encode(found["b"])
    records = [
        ("damaged", b'{"damaged'),
        ("number", 7),
        (found["b"]["key"], good),
        (found["a"]["key"], json.dumps(forged(found["a"])).encode()),
        ("another submission's", good),
    ]
    with contextlib.closing(sqlite3.connect(database_of(pack))) as database, database:
        database.execute(SCHEMA)
        database.executemany("INSERT INTO grades VALUES (?, ?)", records)
    output = refused(kata(pack.root, "grade", pack.work, "--json", pack.file, env=pack.env))
    assert "ended early; continue with --resume, or remove its grades: " in output
    grades, output = resumed(pack)
    assert ": 4; their submissions" in output
    assert grades["b"] == found["b"]
    assert not grades["a"]["solved"]


@pytest.mark.long
@pytest.mark.parametrize("content", [b"no database at all\n" * 100, None], ids=["text", "another table"])
def test_damaged_database_is_dropped_with_note(pack, content):
    pack.hand_in("a", WRONG)
    found = pack.grade()
    pack.file.unlink()
    if content is None:
        with contextlib.closing(sqlite3.connect(database_of(pack))) as database, database:
            database.execute("CREATE TABLE grades (other)")
    else:
        database_of(pack).write_bytes(content)
    output = refused(kata(pack.root, "grade", pack.work, "--json", pack.file, env=pack.env))
    assert "ended early; continue with --resume, or remove its grades: " in output
    grades, output = resumed(pack)
    assert not grades["a"]["solved"]
    assert grades.keys() == found.keys()
    assert "are damaged (" in output
    assert list(pack.state.glob("*.grades*")) == []


def test_memory_holds_one_grade_at_a_time(tmp_path, monkeypatch):
    """Ten thousand submissions with grades of 10 kB: what grows with their number is their ids and keys."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    check = replace(FAILED, message="x" * 10_000)
    file = tmp_path / "grades.json"
    tracemalloc.start()
    try:
        with GradeStore(file, "strong", resume=False) as store:
            store._database.execute("PRAGMA synchronous = OFF")
            for number in range(MANY):
                store.expect(Grade(id=str(number), key=str(number), kata="toy"))
                store.add(replace(SOLVED, key=str(number), solved=False, checks=(check,)))
            store.finish()
            assert sum(1 for _ in store) == MANY
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert file.stat().st_size > MANY * 10_000
    assert most < MANY * 1_000


@pytest.mark.parametrize(
    "grade",
    [
        replace(SOLVED, checks=()),
        replace(SOLVED, checks=(FAILED,)),
        replace(SOLVED, solved=False),
        replace(SOLVED, key=None),
        replace(SOLVED, checks=(), solved=False),
    ],
)
def test_record_contradicting_its_checks_is_refused(grade, tmp_path):
    kept = State(tmp_path, bytes(32))
    assert kept.vouches_for(kept.sealed(SOLVED))
    assert not kept.vouches_for(kept.sealed(grade))
    assert not kept.vouches_for(replace(kept.sealed(SOLVED), score=99.0))
    assert kept.vouches_for(replace(kept.sealed(SOLVED), id="b", notes=("x",), places={"toy.py": "x"}))


def test_the_key_is_its_users_alone(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    old = os.umask(0)
    try:
        first = state()
        file = first.folder / "key"
        assert [stat.S_IMODE(each.stat().st_mode) for each in (first.folder, file)] == [0o700, 0o600]
        assert state().key == first.key
        file.chmod(0o644)
        assert state().key != first.key, "others may have read it"
        file.unlink()
        file.symlink_to(tmp_path / "elsewhere")
        (tmp_path / "elsewhere").write_bytes(bytes(32))
        assert state().key != bytes(32)
    finally:
        os.umask(old)


def test_grades_are_never_stored_among_submissions(pack):
    pack.hand_in("a", RIGHT)
    env = {**pack.env, "XDG_STATE_HOME": str(pack.work / "state")}
    output = refused(kata(pack.root, "grade", pack.work, "--json", pack.file, env=env))
    assert "where grades are stored; set XDG_STATE_HOME to a folder elsewhere" in output


def test_planted_link_for_grades_is_refused(pack):
    pack.hand_in("a", RIGHT)
    precious = pack.root / "precious"
    precious.write_text("precious")
    (pack.work / "grades.json").symlink_to(precious)
    output = refused(kata(pack.root, "grade", pack.work, "--json", pack.work / "grades.json", env=pack.env))
    assert "name a file elsewhere" in output
    (pack.work / "grades.json").unlink()
    (pack.work / ".grades.json.new").symlink_to(precious)
    assert kata(pack.root, "grade", pack.work, "--json", pack.work / "grades.json", env=pack.env).returncode == 0
    assert precious.read_text() == "precious"


def test_only_resume_is_refused_without_state_folder(pack):
    pack.hand_in("a", RIGHT)
    blocked = pack.root / "blocked"
    blocked.touch()
    env = {**pack.env, "XDG_STATE_HOME": str(blocked)}
    assert kata(pack.root, "grade", pack.work, "--json", pack.file, env=env).returncode == 0
    assert pack.grades()["a"]["solved"]
    output = refused(kata(pack.root, "grade", pack.work, "--json", pack.file, "--resume", env=env))
    assert output.startswith("--resume: ")
    assert output.endswith("set XDG_STATE_HOME to a folder that only you can write to")


@pytest.mark.long
def test_submissions_named_like_grades_file_are_graded(pack):
    for name in ("grades.json", "grades.json.part", ".grades.json.new", "a"):
        pack.hand_in(name, RIGHT)
    assert list(pack.grade()) == ["a", "grades.json", "grades.json.part"]
    inside = pack.work / "all.json"
    for _ in range(2):
        result = kata(pack.root, "grade", pack.work, "--json", inside, "--resume", env=pack.env)
        assert result.returncode == 0
        assert len(json.loads(inside.read_bytes())["submissions"]) == 3, "the grades themselves are no submission"
        assert "all.json" not in result.stderr
