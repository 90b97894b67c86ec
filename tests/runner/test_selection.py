"""The katas that a command line selects: selectors, paths, folders of katas, installed packs, and refused arguments."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec
import pytest

from drill_katas.verdict import Report

if TYPE_CHECKING:
    from pathlib import Path

USAGE_ERROR = pytest.ExitCode.USAGE_ERROR


def make_kata(katas: Path, name: str, *, level: int = 1, works: bool = True) -> Path:
    """Write a kata with two checks, `test_rings` and `test_stops`, into a folder of katas."""
    folder = katas / name
    folder.mkdir(parents=True)
    manifest = f'format = 1\ntitle = "The {name}"\nlevel = {level}\nminutes = 5\ncontract = "calls"\n'
    folder.joinpath("kata.toml").write_text(f'{manifest}editable = ["{name}.py"]\n', encoding="utf-8")
    folder.joinpath("BRIEFING.md").write_text("# The page\n", encoding="utf-8")
    folder.joinpath(f"{name}.py").write_text(
        f"class Thing:\n    def go(self):\n        return {works}\n", encoding="utf-8"
    )
    checks = "".join(
        f'@pytest.mark.stage("symptom")\ndef test_{what}(sut):\n    """It {what}."""\n'
        f'    with sut.open("Thing") as thing:\n        assert thing.go(), "it is silent"\n'
        for what in ("rings", "stops")
    )
    folder.joinpath(f"test_{name}.py").write_text(f"import pytest\n{checks}", encoding="utf-8")
    return folder


def judged(toy, *args: str, env: dict[str, str] | None = None) -> dict[str, list[str]]:
    """Run pytest with these arguments, and return the katas it judged, in order, with the checks of each."""
    file = toy.root / "report.json"
    file.unlink(missing_ok=True)
    done = toy.pytest(*args, "--kata-report", str(file), env=env)
    assert file.is_file(), done.stdout + done.stderr
    report = msgspec.json.decode(file.read_bytes(), type=Report)
    return {verdict.kata: [check.name for check in verdict.checks] for verdict in report.katas}


def refused(toy, *args: str) -> str:
    """Run pytest with arguments that it must refuse, and return its message."""
    done = toy.pytest(*args)
    assert done.returncode == USAGE_ERROR, done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not toy.journal.path.exists()
    (sentence,) = (line for line in done.stderr.splitlines() if line)
    return sentence


@pytest.fixture
def bells(toy):
    """A workspace with four katas: toy and chime of level 1, gong of level 3, and horn of level 4, which is broken."""
    make_kata(toy.root / "katas", "chime")
    make_kata(toy.root / "katas", "gong", level=3)
    make_kata(toy.root / "katas", "horn", level=4, works=False)
    return toy


def test_a_name_selects_that_kata_alone(bells):
    assert list(judged(bells, "--kata", "gong")) == ["gong"]


def test_comma_separated_names_run_once_in_order(bells):
    assert list(judged(bells, "--kata", "gong, toy,,gong,chime")) == ["gong", "toy", "chime"]


def test_all_runs_every_kata_the_easiest_first(bells):
    assert list(judged(bells, "--kata", "all")) == ["chime", "toy", "gong", "horn"]


def test_a_level_selects_its_katas(bells):
    assert list(judged(bells, "--kata", "level:3")) == ["gong"]
    assert list(judged(bells, "--kata", "level:1,horn")) == ["chime", "toy", "horn"]


@pytest.mark.long
def test_next_and_failed_select_by_journal(bells):
    """`next` is the first kata that was never solved; `failed` are those whose last run failed."""
    assert list(judged(bells, "--kata", "next")) == ["chime"]
    assert list(judged(bells, "--kata", "next")) == ["toy"]
    assert list(judged(bells, "--kata", "gong,horn")) == ["gong", "horn"]
    assert list(judged(bells, "--kata", "next")) == ["horn"]
    assert list(judged(bells, "--kata", "failed")) == ["horn"]
    bells.body("return 'stuck'")
    judged(bells, "--kata", "toy")
    assert list(judged(bells, "--kata", "failed")) == ["toy", "horn"]


def test_next_and_failed_report_when_nothing_matches(toy):
    assert toy.pytest("--kata", "toy").returncode == 0
    solved = toy.pytest("--kata", "next")
    assert solved.returncode == USAGE_ERROR
    assert "every kata here is solved" in solved.stderr
    none_failed = toy.pytest("--kata", "failed")
    assert none_failed.returncode == USAGE_ERROR
    assert "no kata failed in its last run; --kata next runs the first unsolved kata" in none_failed.stderr


def test_unknown_names_get_the_nearest_names(bells):
    assert refused(bells, "--kata", "chimes") == "ERROR: there is no kata 'chimes'; did you mean 'chime'?"


def test_far_off_names_get_the_list(bells):
    assert refused(bells, "--kata", "zzz") == "ERROR: there is no kata 'zzz'; known: chime, gong, horn, toy"


def test_one_unknown_name_prevents_the_run(bells):
    assert "'gonk'; did you mean 'gong'" in refused(bells, "--kata", "toy,gonk")


@pytest.mark.parametrize("level", ["2", "three", ""])
def test_an_empty_level_is_a_usage_error(bells, level):
    sentence = refused(bells, "--kata", f"level:{level}")
    assert f"there is no kata of level {level!r} here" in sentence
    assert "1, 3, 4" in sentence


@pytest.mark.parametrize("nothing", ["", " ", ","])
def test_empty_kata_option_lists_allowed_values(toy, nothing):
    assert "all, level:N, next, or failed" in refused(toy, "--kata", nothing)


@pytest.mark.long
@pytest.mark.parametrize("selector", ["all", "next", "level:1", "toy"])
def test_folder_without_katas_suggests_kata_init(pytester, selector):
    done = pytester.runpytest_subprocess("--kata", selector)
    assert done.ret == USAGE_ERROR
    done.stderr.fnmatch_lines(["ERROR: there *kata*; `kata init` *"])
    assert not (pytester.path / ".kata").exists()


def test_folder_of_kata_selects_that_kata(bells):
    assert judged(bells, "katas/gong") == {"gong": ["test_rings", "test_stops"]}
    assert list(judged(bells, "katas/gong/")) == ["gong"]
    assert list(judged(bells, "katas/gong/test_gong.py")) == ["gong"]


def test_folder_of_all_katas_selects_all(bells):
    assert list(judged(bells, "katas")) == ["chime", "toy", "gong", "horn"]


def test_several_paths_mean_several_katas(bells):
    assert list(judged(bells, "katas/gong", "katas/toy")) == ["gong", "toy"]


def test_a_test_id_never_solves(bells):
    assert judged(bells, "katas/gong/test_gong.py::test_rings") == {"gong": ["test_rings"]}
    (run,) = bells.journal.read().events
    assert run.partial
    assert not run.solved


def test_single_test_id_works_with_kata_option(bells):
    assert judged(bells, "--kata", "gong", "katas/gong/test_gong.py::test_stops") == {"gong": ["test_stops"]}
    (run,) = bells.journal.read().events
    assert not run.solved


def test_unknown_test_id_is_usage_error(toy):
    done = toy.pytest("katas/toy/test_toy.py::test_nope")
    assert done.returncode == USAGE_ERROR
    assert "not found: " in done.stderr
    assert not toy.journal.path.exists()


def test_unknown_paths_get_the_nearest_names(bells):
    assert "did you mean 'gong'" in refused(bells, "katas/gonk")


def test_kata_option_with_unrelated_path_is_refused(bells):
    bells.root.joinpath("tests").mkdir()
    assert "tests is not part of toy; give --kata or a path, not both" in refused(bells, "--kata", "toy", "tests")
    assert "katas/gong is not part of toy" in refused(bells, "--kata", "toy", "katas/gong")


def test_kata_folder_with_unrelated_path_is_refused(toy):
    toy.root.joinpath("tests").mkdir()
    sentence = refused(toy, "katas/toy", "tests")
    assert "tests is not a kata" in sentence
    assert "kata.toml" not in sentence


@pytest.mark.long
def test_kata_is_found_from_any_workspace_folder(toy, pytester, monkeypatch):
    below = toy.root / "notes" / "today"
    below.mkdir(parents=True)
    monkeypatch.chdir(below)
    assert pytester.runpytest_subprocess("--kata", "toy", "-p", "no:cacheprovider").ret == 0
    assert len(toy.journal.read().events) == 1
    monkeypatch.chdir(toy.folder)
    assert pytester.runpytest_subprocess("-p", "no:cacheprovider").ret == 0
    assert len(toy.journal.read().events) == 2
    assert not list(below.iterdir())


def test_kata_path_adds_folders_of_katas(toy, tmp_path_factory):
    first, second = tmp_path_factory.mktemp("first"), tmp_path_factory.mktemp("second")
    make_kata(first, "gong", level=3)
    make_kata(second, "horn", level=4)
    added = ("--kata-path", str(first), "--kata-path", str(second))
    assert list(judged(toy, "--kata", "all", *added)) == ["toy", "gong", "horn"]
    assert list(judged(toy, "--kata", "horn", *added)) == ["horn"]


@pytest.mark.long
@pytest.mark.parametrize("args", [(), ("-n", "2")])
def test_equal_check_names_are_kept_apart(toy, tmp_path_factory, args):
    """Also of katas outside of pytest's rootdir."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    make_kata(elsewhere, "gong", level=3)
    make_kata(elsewhere, "horn", level=4, works=False)
    toy.pytest("--kata", "all", f"--kata-path={elsewhere}", f"--rootdir={toy.root}", *args)
    assert {run.kata: run.solved for run in toy.journal.read().events} == {"toy": True, "gong": True, "horn": False}


def test_kata_path_may_be_relative(toy):
    make_kata(toy.root / "mine", "gong")
    assert list(judged(toy, "--kata", "gong", "--kata-path", "mine")) == ["gong"]


def test_a_missing_kata_path_is_refused(toy):
    assert "--kata-path nowhere" in refused(toy, "--kata", "toy", "--kata-path", "nowhere")


def test_the_workspaces_kata_comes_first(toy, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    make_kata(elsewhere, "toy", works=False)
    assert judged(toy, "--kata", "toy", "--kata-path", str(elsewhere)) == {"toy": ["test_go"]}


def test_ini_folders_are_relative_to_ini_file(toy, pytester, monkeypatch):
    make_kata(toy.root / "shared" / "katas", "gong")
    toy.root.joinpath("pytest.ini").write_text("[pytest]\nkata_paths = shared/katas\n", encoding="utf-8")
    assert list(judged(toy, "--kata", "gong")) == ["gong"]
    below = toy.root / "notes"
    below.mkdir()
    monkeypatch.chdir(below)
    assert pytester.runpytest_subprocess("--kata", "gong", "-p", "no:cacheprovider").ret == 0


@pytest.fixture
def site(tmp_path_factory) -> Path:
    """A folder of installed packages, with a pack of katas in it: the package `acme_katas` of `acme-katas 1.0`."""
    folder = tmp_path_factory.mktemp("site")
    make_kata(folder / "acme_katas" / "katas", "gong", level=2)
    folder.joinpath("acme_katas", "__init__.py").touch()
    record = folder / "acme_katas-1.0.dist-info"
    record.mkdir()
    record.joinpath("METADATA").write_text("Metadata-Version: 2.1\nName: acme-katas\nVersion: 1.0\n")
    record.joinpath("entry_points.txt").write_text("[drill_katas.packs]\nacme = acme_katas\n")
    return folder


def on_path(folder: Path) -> dict[str, str]:
    return {"PYTHONPATH": os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))}


@pytest.mark.long
def test_an_installed_pack_of_katas_is_found(toy, site):
    env = on_path(site)
    assert list(judged(toy, "--kata", "gong", env=env)) == ["gong"]
    assert list(judged(toy, "--kata", "all", env=env)) == ["toy", "gong"]
    assert list(judged(toy, "--kata", "level:2", env=env)) == ["gong"]


@pytest.mark.long
def test_a_removed_pack_hinders_nobody(toy, site):
    env = on_path(site)
    site.joinpath("acme_katas").rename(site / "elsewhere")
    assert list(judged(toy, "--kata", "all", env=env)) == ["toy"]
