"""A class folder of more than sixty shapes is graded right: by root, by a user, packed, and on a busy machine."""

from __future__ import annotations

import contextlib
import json

import pytest

from drill_katas.verify.trials import busy
from tests.support import classroom
from tests.support.commands import kata
from tests.support.pack import Pack

BUSY = 20


@pytest.fixture
def pack(tmp_path):
    with contextlib.closing(Pack(tmp_path)) as made:
        yield made


@pytest.fixture
def crowd():
    """Processes that use all the time that they get."""
    with busy(BUSY):
        yield


def graded(pack):
    """Each grade by its id, in the file's order: solved, failed, or why it was not judged."""
    submissions = json.loads(pack.file.read_bytes())["submissions"]
    ids = [grade["id"] for grade in submissions]
    assert len(ids) == len(set(ids))
    return {
        grade["id"]: ("solved" if grade["solved"] else "failed") if grade["checks"] else grade["notes"][-1]
        for grade in submissions
    }


def differing(found, expected):
    """The entries whose grade is not as expected."""
    return {
        id_: (expected.get(id_), found.get(id_))
        for id_ in sorted({*found, *expected})
        if not (id_ in found and id_ in expected and expected[id_] in found[id_])
    }


def test_the_class_has_more_than_sixty_shapes():
    assert len(classroom.expected()) == len(classroom.SHAPES) > 60


@pytest.mark.long
def test_a_class_folder_is_graded_right(pack):
    classroom.make(pack.work)
    options = ("--kata", "toy", "--json", pack.file)
    result = kata(pack.root, "grade", pack.work, *options, env=pack.env)
    assert result.returncode == 0, result.stderr
    assert differing(graded(pack), classroom.expected()) == {}
    names = "README.md, grades.csv, index.html, submission_metadata.yml"
    assert f"note: not graded, because they are not submissions: {names}" in result.stderr
    first = graded(pack)
    assert kata(pack.root, "grade", pack.work, *options, env=pack.env).returncode == 0
    assert list(graded(pack)) == list(first), "the order is the same each time"


@pytest.mark.long
def test_an_ordinary_user_grades_a_class_right(pack):
    classroom.make(pack.work)
    result = pack.elsewhere("user", "--kata", "toy", "--json", pack.file)
    assert result.returncode == 0, result.stderr
    assert differing(graded(pack), classroom.expected()) == {}


@pytest.mark.long
def test_class_in_one_archive_is_graded_right(pack):
    pack.work.rmdir()
    pack.work = pack.root / "class.zip"
    pack.work.write_bytes(classroom.packed())
    result = kata(pack.root, "grade", pack.work, "--kata", "toy", "--json", pack.file, env=pack.env)
    assert result.returncode == 0, result.stderr
    expected = classroom.expected()
    del expected["back\\\\slash"]
    assert differing(graded(pack), expected) == {}


@pytest.mark.long
@pytest.mark.usefixtures("crowd")
@pytest.mark.parametrize("who", ["root", "somebody"])
def test_class_is_graded_right_on_busy_machine(pack, who):
    classroom.make(pack.work)
    options = ("--kata", "toy", "--json", pack.file)
    if who == "somebody":
        result = pack.elsewhere("user", *options)
    else:
        result = kata(pack.root, "grade", pack.work, *options, env=pack.env)
    assert result.returncode == 0, result.stderr
    assert differing(graded(pack), classroom.expected()) == {}
