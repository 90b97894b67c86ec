"""`kata grade`: one record per input, in input order, with points by stage."""

from __future__ import annotations

import contextlib

import msgspec
import pytest

from drill_katas.catalog.arms import arm_from, arm_named
from drill_katas.catalog.katas import WEIGHTS, shipped
from drill_katas.grading.grades import GradesFile, graded
from drill_katas.grading.keys import seed_of
from drill_katas.grading.submission import Submission
from drill_katas.verdict import CheckResult, Outcome, Stage
from tests.support.commands import done, kata, refused
from tests.support.pack import Pack

FP_DRIFT = shipped().get("fp_drift")


def grades(folder, *options):
    done(folder, "grade", *options, "--json", folder / "grades.json", timeout=1_500)
    return msgspec.json.decode((folder / "grades.json").read_bytes(), type=GradesFile)


def hand_in(folder, name, arm):
    (folder / name).mkdir(parents=True)
    (folder / name / "ledger.py").write_bytes(arm_named(FP_DRIFT, arm).contents["ledger.py"])


@pytest.mark.long
def test_every_input_has_record_in_input_order(tmp_path):
    work = tmp_path / "work"
    hand_in(work, "d_right", "reference")
    hand_in(work, "b_near", "round_at_the_end")
    hand_in(work, "c_broken", "original")
    (work / "a_empty").mkdir()
    (work / "e_damaged.zip").write_bytes(b"PK")
    found = {grade.id: grade for grade in grades(tmp_path, work).submissions}
    assert list(found) == ["a_empty", "b_near", "c_broken", "d_right", "e_damaged.zip"]
    assert [grade.solved for grade in found.values()] == [False, False, False, True, False]
    assert found["d_right"].score == 100
    assert found["c_broken"].score == 0
    assert 0 < found["b_near"].score < 100
    assert found["b_near"].score == pytest.approx(sum(check.points for check in found["b_near"].checks), abs=0.01)
    for name in ("a_empty", "e_damaged.zip"):
        assert (found[name].kata, found[name].checks, found[name].score) == (None, (), 0)
        assert found[name].notes[0].startswith("unreadable: ")


def test_unreadable_entries_fail_nobody_else(tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "damaged.tar.gz").write_bytes(b"\x1f\x8b")
    output = done(tmp_path, "grade", "empty", "damaged.tar.gz")
    assert "✗ empty" in output
    assert "✗ damaged.tar.gz" in output
    assert "0 of 2 solved; sandbox tier strong" in output


def test_checks_share_points_of_their_stage():
    def check(stage, outcome):
        return CheckResult(name="test_it", stage=stage, title="It", outcome=outcome)

    found = graded(
        [
            check(Stage.SYMPTOM, Outcome.PASS),
            check(Stage.CAUSE, Outcome.PASS),
            check(Stage.CAUSE, Outcome.HANG),
            check(Stage.CAUSE, Outcome.NOT_REACHED),
            check(Stage.TRACE, Outcome.PASS),
        ],
        {**WEIGHTS, Stage.SYMPTOM: 10, Stage.CAUSE: 30, Stage.TRACE: 10},
    )
    assert [grade.points for grade in found] == [20, 20, 0, 0, 20]


def test_seeds_depend_on_files_and_secret():
    def seed(secret=b"s", kata=FP_DRIFT, **files):
        return seed_of(Submission("any", kata, {name: content.encode() for name, content in files.items()}), secret)

    assert seed(ledger="1") == seed(ledger="1")
    others = [
        seed(ledger="2"), seed(b"t", ledger="1"), seed(ledger="1", more=""), seed(ledge="r1"), seed(ledger1=""),
        seed(kata=shipped().get("red_herring"), ledger="1"),
    ]  # fmt: skip
    assert len({seed(ledger="1"), *others}) == 7


def test_mistakes_are_told_in_a_sentence(tmp_path):
    assert refused(kata(tmp_path, "grade", "gone")) == "gone cannot be read (No such file or directory)"
    assert "no kata 'fp_drfit'" in refused(kata(tmp_path, "grade", ".", "--kata", "fp_drfit"))
    output = refused(kata(tmp_path, "grade", ".", "--seed-secret-env", "NO_SUCH_SECRET"))
    assert output == "--seed-secret-env NO_SUCH_SECRET: this environment variable is not set, or empty"


def handed_in(work, arms_of):
    """A folder with a submission for each right arm of the katas."""
    for each in shipped():
        for arm in arms_of(each):
            folder = work / f"{each.name}-{arm.name}"
            folder.mkdir(parents=True)
            for name, content in arm_from(each, str(arm)).contents.items():
                (folder / name).write_bytes(content)
    return work


def unsolved(found):
    return {
        grade.id: [f"{check.name}: {check.message}" for check in grade.checks if not check.passed]
        for grade in found.submissions
        if not grade.solved
    }


@pytest.mark.long
def test_every_right_fix_is_solved(tmp_path):
    """The opposite of the museum: right fixes of every design."""
    work = handed_in(tmp_path / "work", lambda of: (of.solutions, *sorted((of.solutions / "accepted").iterdir())))
    found = grades(tmp_path, work, "--jobs", 4)
    assert found.tier == "strong"
    assert unsolved(found) == {}
    assert len(found.submissions) >= 12, "four katas, each with a reference and two alternatives"


@pytest.mark.long
def test_every_reference_is_solved_at_reduced_tier(tmp_path):
    """An ordinary user without namespaces: the filter of system calls is all that there is, besides Landlock."""
    with contextlib.closing(Pack(tmp_path)) as pack:
        handed_in(pack.work, lambda of: [of.solutions])
        assert pack.elsewhere("no-namespaces", "--json", pack.file).returncode == 0
        found = msgspec.json.decode(pack.file.read_bytes(), type=GradesFile)
    assert found.tier == "reduced"
    assert unsolved(found) == {}
    assert len(found.submissions) == len(shipped().names())
