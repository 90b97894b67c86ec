"""Points are for the checks that the broken version fails: unchanged files of any version score 0."""

from __future__ import annotations

import contextlib

import pytest

from drill_katas.catalog.katas import WEIGHTS, shipped
from drill_katas.grading.grades import graded, score_of
from drill_katas.grading.weights import started_from, versions_of
from drill_katas.verdict import CheckResult, Outcome, Stage
from tests.support.bicycle import bicycle_module
from tests.support.pack import Pack
from tests.support.toy import MANIFEST

PARTS = {"horn": "symptom", "wheel": "cause", "pedal": "cause", "brake": "regression", "bell": "regression"}
ORIGINAL, STUCK = ("brake", "bell"), ("horn", "wheel", "brake")


def check(stage, name, outcome=Outcome.PASS):
    return CheckResult(name=name, stage=stage, title=name, outcome=outcome)


@pytest.fixture
def pack(tmp_path):
    """The toy with a check for each part of a bicycle, and two broken versions: the original and `stuck`."""
    with contextlib.closing(Pack(tmp_path)) as made:
        made.checks("".join(
            f'@pytest.mark.stage("{stage}")\ndef test_{part}(sut):\n    """The {part} works."""\n'
            f'    with sut.open("Thing") as thing:\n        assert thing.works("{part}"), "the {part} is stuck"\n'
            for part, stage in PARTS.items()
        ))  # fmt: skip
        made.folder.joinpath("kata.toml").write_text(f'{MANIFEST}variants = ["stuck"]\n')
        made.folder.joinpath("toy.py").write_text(version(ORIGINAL))
        made.folder.joinpath("variants/stuck").mkdir(parents=True)
        made.folder.joinpath("variants/stuck/toy.py").write_text(version(STUCK))
        solutions = made.folder.parents[1] / "solutions" / "toy"
        solutions.mkdir(parents=True)
        broken = {"original": set(PARTS) - set(ORIGINAL), "stuck": set(PARTS) - set(STUCK)}
        lines = [
            f"[broken.{name}]\n" + "".join(f'test_{part} = "stuck"\n' for part in sorted(parts))
            for name, parts in broken.items()
        ]
        solutions.joinpath("answer.toml").write_text('format = 1\nhints = ["a", "b", "c"]\n' + "".join(lines))
        yield made


def version(works):
    """A module in which these parts work; each version has lines that no other has."""
    own = "".join(f"{name.upper()} = {name!r}\n" for name in works)
    return f"{own}{bicycle_module(*works)}"


def fix(start, *works):
    """The version `start` with `works` as its correct parts."""
    return version(start).replace(bicycle_module(*start), bicycle_module(*works))


def test_untouched_files_of_any_version_score_nothing(pack):
    pack.hand_in("original", version(ORIGINAL))
    pack.hand_in("stuck", version(STUCK))
    pack.hand_in("edited", f"# mine\n{version(STUCK)}\n\n")
    grades = pack.grade()
    assert {name: (grade["score"], grade["variant"]) for name, grade in grades.items()} == {
        "edited": (0, "stuck"), "original": (0, "original"), "stuck": (0, "stuck"),
    }  # fmt: skip


def test_fixed_checks_earn_points_broken_ones_cost(pack):
    pack.hand_in("solved", fix(ORIGINAL, *PARTS))
    pack.hand_in("partly", fix(ORIGINAL, *ORIGINAL, "horn", "wheel"))
    pack.hand_in("costly", fix(ORIGINAL, "bell", "horn", "wheel", "pedal"))
    pack.hand_in("worse", fix(ORIGINAL))
    grades = pack.grade()
    assert {name: grade["score"] for name, grade in grades.items()} == {
        "solved": 100, "partly": 65, "costly": pytest.approx(100 - 100 * 20 / 70 / 2, abs=0.01), "worse": 0,
    }  # fmt: skip
    assert [grade["solved"] for grade in grades.values()] == [False, False, True, False]
    for grade in grades.values():
        assert sum(check["worth"] for check in grade["checks"]) == pytest.approx(100)
    of_costly = {check["name"]: check["points"] for check in grades["costly"]["checks"]}
    assert of_costly == {
        "test_horn": 30, "test_wheel": 35, "test_pedal": 35, "test_brake": pytest.approx(-14.2857), "test_bell": 0,
    }  # fmt: skip


@pytest.mark.long
def test_another_answer_means_other_points_when_resumed(pack):
    pack.hand_in("partly", fix(ORIGINAL, *ORIGINAL, "horn", "wheel"))
    before = pack.grade()["partly"]
    answer = pack.folder.parents[1] / "solutions" / "toy" / "answer.toml"
    answer.write_text(answer.read_text().replace('test_pedal = "stuck"\n', "", 1))
    after = pack.grade("--resume")["partly"]
    assert (before["score"], before["key"] != after["key"]) == (65, True)
    assert after["score"] != 65


BROKEN = [
    pytest.param(kata, version, id=f"{kata.name}-{version.name}")
    for kata in shipped()
    for version in versions_of(kata)
    if version.fails
]


@pytest.mark.parametrize(("kata", "version"), BROKEN)
def test_each_shipped_broken_version_scores_nothing(kata, version):
    """By what `kata verify` proves of it: which checks it fails."""
    source = kata.variant_folder(version.name)
    files = {name: (source / name).read_bytes() for name in kata.manifest.editable}
    assert started_from(files, versions_of(kata)) == version
    checks = [
        check(stage, name, Outcome.FAIL if name in version.fails else Outcome.PASS) for name, stage in stages_of(kata)
    ]
    assert {check.name for check in checks} > version.fails
    grades = graded(checks, kata.manifest.worth, version.fails)
    assert score_of(grades) == 0
    assert sum(grade.worth for grade in grades) == pytest.approx(100, abs=0.01)


def stages_of(kata):
    """The names and stages of a kata's checks, as its file has them."""
    stage = None
    for line in kata.tests.read_text().splitlines():
        if line.startswith("@pytest.mark.stage("):
            stage = Stage(line.split('"')[1])
        elif line.startswith(("def test_", "async def test_")):
            yield line.partition("test_")[1] + line.partition("test_")[2].partition("(")[0], stage


@pytest.mark.parametrize(("kata", "version"), BROKEN)
def test_fix_is_traced_to_its_starting_version(kata, version):
    """A third of its lines are others, and it has Windows' line ends."""
    source = kata.variant_folder(version.name)
    files = {
        name: b"\r\n".join(
            line if number % 3 else b"mine = %d" % number
            for number, line in enumerate((source / name).read_bytes().splitlines())
        )
        for name in kata.manifest.editable
    }
    assert started_from(files, versions_of(kata)) == version


def test_without_an_answer_all_checks_give_points(tmp_path):
    (grade, other) = graded([check(Stage.CAUSE, "a"), check(Stage.SYMPTOM, "b", Outcome.FAIL)], WEIGHTS)
    assert (grade.points, other.points, other.worth) == (70, 0, 30)
