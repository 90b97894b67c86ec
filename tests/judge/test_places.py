"""The grade of a check shows where in the submission it failed, and never quotes the check."""

from __future__ import annotations

import ast
import zipfile
from pathlib import Path

import pytest

from drill_katas.catalog import scaffold
from drill_katas.catalog.katas import WEIGHTS, shipped
from drill_katas.grading.grades import graded
from drill_katas.grading.intake import alone
from drill_katas.grading.submission import Entry, read
from drill_katas.judge.program import Program
from drill_katas.judge.stacks import place_in, place_of
from drill_katas.verdict import CheckResult, Outcome, Stage

FP_DRIFT = shipped().get("fp_drift")


def result(**more):
    about = {"name": "test_it", "stage": Stage.CAUSE, "title": "It holds", "outcome": Outcome.FAIL}
    return CheckResult(**about | more)


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        ({"message": "it is 1, not 2"}, "it is 1, not 2"),
        ({"message": "compute(4) == 2", "in_words": False}, "the check failed: It holds"),
        ({"message": ""}, "the check failed: It holds"),
        ({"outcome": Outcome.PASS}, ""),
        ({"outcome": Outcome.NOT_REACHED}, ""),
    ],
)
def test_a_grade_never_quotes_a_check(output, expected):
    (grade,) = graded([result(**output)], WEIGHTS)
    assert grade.message == expected


def test_grades_have_places_and_points():
    (grade,) = graded([result(message="x", place=("ledger.py", 7), seconds=1.5)], WEIGHTS)
    assert (grade.file, grade.line, grade.title, grade.seconds) == ("ledger.py", 7, "It holds", 1.5)
    assert (grade.points, grade.worth) == (0, 100)


def test_practice_shows_a_wordless_check(toy):
    toy.checks("""
        @pytest.mark.stage("symptom")
        def test_bare(sut):
            \"\"\"It is bare.\"\"\"
            with sut.open("Thing") as thing:
                assert thing.go() == "secret"

        @pytest.mark.stage("symptom")
        def test_wrong(sut):
            \"\"\"It is wrong itself.\"\"\"
            {}["secret"]

        @pytest.mark.stage("symptom")
        def test_told(sut):
            \"\"\"It is told.\"\"\"
            with sut.open("Thing") as thing:
                assert thing.go() == "secret", "it should have gone"
    """)
    bare, mistaken, output = toy.verdict().checks
    assert (bare.in_words, mistaken.in_words, output.in_words) == (False, False, True)
    assert "secret" in bare.message
    assert "secret" in mistaken.message
    assert output.message == "it should have gone"
    assert not [grade for grade in graded([bare, mistaken, output], WEIGHTS) if "secret" in grade.message]


@pytest.mark.parametrize(
    ("module", "line"),
    [
        ("class Thing:\n    def go(self):\n        self.deeper()\n\n    def deeper(self):\n        {}[1]\n", 6),
        ("import json\n\nclass Thing:\n    def go(self):\n        return json.loads('{')\n", 5),
        ("class Thing:\n    def go(self):\n        while True:\n            pass\n", 3),
        ("class Thing:\n    def go(self:\n        return 1\n", 2),
        ("class Thing:\n    def go(self):\n        return 'wrong'\n", None),
    ],
)
def test_failure_records_line_in_learners_file(toy, module, line):
    toy.limits(call_seconds=0.5)
    toy.module(module)
    place = toy.check().place
    if line is None:
        assert place is None, "nothing was raised there"
    else:
        assert place is not None
        assert place[0] == "toy.py"
        assert place[1] in {line, line + 1}, "a loop is seen in either of its lines"


def test_invalid_place_from_program_is_dropped(tmp_path):
    mine = tmp_path / "toy" / "toy.py"
    program = Program("toy", ("toy",), tmp_path, {str(mine): "katas/toy/toy.py"})
    there = [str(mine), 7, "go", "x"]
    assert place_of([there, ["/usr/lib/x.py", 1, "f", ""]], program) == ("toy.py", 7)
    for wrong_one in (
        ["/etc/passwd", 7],
        [str(mine), -1],
        [str(mine), 10**9],
        [str(mine), "7"],
        [[], 7],
        [str(mine), True],
    ):
        assert place_of([wrong_one], program) is None
    assert place_in(f'Thread 0x1 (most recent call first):\n  File "{mine}", line 9 in go\n', program) == ("toy.py", 9)
    assert place_in(f'  File "{mine}", line {"9" * 5000} in go\n', program) is None


@pytest.mark.parametrize("inside", ["", "fp_drift/", "katas/fp_drift/", "handed-in/katas/fp_drift/"])
def test_a_submission_knows_where_its_files_lay(tmp_path, inside, monkeypatch):
    monkeypatch.chdir(tmp_path)
    place = tmp_path / "work" / inside / "ledger.py"
    place.parent.mkdir(parents=True)
    place.write_text("x = 1\n")
    assert read(Entry("x", Path("work")), [FP_DRIFT]).places == {"ledger.py": f"work/{inside}ledger.py"}
    monkeypatch.chdir(tmp_path / "work")
    assert read(alone(Path()), [FP_DRIFT]).places == {"ledger.py": f"{inside}ledger.py"}
    with zipfile.ZipFile("packed.zip", "w") as packed:
        packed.writestr(f"{inside}ledger.py", "x = 1\n")
    assert read(Entry("x", Path("packed.zip")), [FP_DRIFT]).places == {"ledger.py": f"packed.zip/{inside}ledger.py"}


def sources_of_checks():
    katas = shipped().katas.glob("*/*.py")
    templates = scaffold.TEMPLATE.glob("*/katas/NAME/*.py")
    return [file for file in (*katas, *templates) if file.name.startswith("test_") or file.name == "oracle.py"]


@pytest.mark.parametrize("file", sources_of_checks(), ids=lambda file: str(file.relative_to(file.parents[3])))
def test_every_kata_assert_has_a_message(file):
    asserts = [node for node in ast.walk(ast.parse(file.read_text())) if isinstance(node, ast.Assert)]
    bare = [node.lineno for node in asserts if node.msg is None]
    assert bare == [], f"{file} asserts without a message, which would quote the check, in the lines {bare}"


def test_checks_are_looked_at():
    assert len(sources_of_checks()) >= 10
