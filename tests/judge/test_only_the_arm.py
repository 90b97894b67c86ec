"""Only the arm's own files are judged, and nothing that comes with them runs in the judge."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from drill_katas.catalog.katas import shipped
from drill_katas.errors import UserError
from drill_katas.grading import tiers
from drill_katas.grading.copies import folders_to_hide, secrets_of
from drill_katas.grading.prober import copies_below
from drill_katas.grading.tiers import strongest_policy
from drill_katas.sandbox.tier import Tier
from drill_katas.verdict import Outcome
from tests.support.bicycle import USAGE_ERROR
from tests.support.commands import done
from tests.support.pack import RIGHT, WRONG, Pack
from tests.support.toy import FINE

if TYPE_CHECKING:
    from pathlib import Path

RAISES = "raise RuntimeError('this is what was handed in')\n"
CHECKS_NOTHING = """
import pytest

@pytest.fixture(scope="session")
def sut():
    class Anything:
        def __enter__(self): return self
        def __exit__(self, *_): pass
        def open(self, *_): return self
        def go(self): return "gone"
    return Anything()
"""
HOOK = """
import importlib.util, sys

class Hook:
    def __init__(self, place="arm/toy"):
        if not place.endswith("arm/toy"):
            raise ImportError

    def find_spec(self, name, path=None, target=None):
        return importlib.util.spec_from_file_location(name, {file!r}) if name == "toy.toy" else None

sys.{hooks}.insert(0, {hook})
"""
BOUND = """
import importlib
from drill_katas.sut.package import bind_package

bind_package("toy", {folder!r})
importlib.import_module("toy.toy")
"""


@pytest.fixture
def pack(tmp_path):
    made = Pack(tmp_path)
    yield made
    made.close()


def decoy(folder: Path, kind: str, name: str, source: str = FINE) -> Path:
    """Put something that has the name of a kata where Python finds it: a package with a right fix, or a module."""
    if kind == "module":
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}.py").write_text(f"class toy:\n    pass\n\n\n{source}")
    else:
        package = folder / name
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / "toy.py").write_text(source)
    return folder


@pytest.fixture(params=["package", "module"])
def kind(request):
    return request.param


@pytest.mark.long
def test_a_package_on_pythonpath_is_not_graded(pack, kind):
    pack.hand_in("a", RAISES)
    pack.env["PYTHONPATH"] += f":{decoy(pack.root / 'pp', kind, 'toy')}"
    assert pack.grade()["a"]["score"] == 0


@pytest.mark.long
def test_package_beside_installed_ones_is_not_graded(pack, kind):
    """The folder with the pack is one of libraries, as site-packages is, and stays on the path of programs."""
    pack.hand_in("a", RAISES)
    decoy(pack.root / "site", kind, "toy")
    assert pack.grade()["a"]["score"] == 0


@pytest.mark.long
def test_package_from_pth_file_is_not_graded(pack, kind):
    pack.hand_in("a", RAISES)
    decoy(pack.root / "pp", kind, "toy")
    (pack.root / "site" / "decoy.pth").write_text(f"{pack.root / 'pp'}\n")
    reads = f"import site; site.addsitedir({str(pack.root / 'site')!r})\n"  # as Python does with a real site-packages
    (pack.root / "site" / "sitecustomize.py").write_text(reads)
    assert pack.grade()["a"]["score"] == 0


@pytest.mark.long
def test_wrong_fix_is_wrong_with_asserts_off(pack):
    pack.hand_in("a", WRONG)
    pack.env["PYTHONOPTIMIZE"] = "1"
    assert pack.grade()["a"]["score"] == 0


@pytest.mark.long
def test_right_fix_passes_beside_wrong_package(pack, kind):
    pack.hand_in("a", RIGHT)
    decoy(pack.root / "site", kind, "toy", WRONG)
    assert pack.grade()["a"]["score"] == 100


@pytest.mark.long
def test_fp_drift_grades_only_the_submission(tmp_path):
    """As it was found: the reference on PYTHONPATH under the kata's name, and a submission that raises."""
    reference = (shipped().get("fp_drift").solutions / "ledger.py").read_text()
    decoy(tmp_path / "pp", "package", "fp_drift")
    (tmp_path / "pp" / "fp_drift" / "ledger.py").write_text(reference)
    (tmp_path / "s" / "a").mkdir(parents=True)
    (tmp_path / "s" / "a" / "ledger.py").write_text("raise RuntimeError")
    printed = done(tmp_path, "grade", "s", "--kata", "fp_drift", env={"PYTHONPATH": str(tmp_path / "pp")})
    assert "0 of 1 solved" in printed
    assert "ledger.py cannot be imported: RuntimeError" in printed


@pytest.mark.long
@pytest.mark.parametrize("inline", [(), ("--kata-inline",)])
def test_practice_judges_no_package_on_pythonpath(toy, kind, inline):
    toy.module(RAISES)
    folder = decoy(toy.root / "pp", kind, "toy")
    assert toy.pytest(*inline, env={"PYTHONPATH": str(folder)}).returncode == 1


def test_practice_ignores_package_from_pth_file(toy, kind):
    """Site reads `.pth` files of a user's own site-packages, as it does those of an environment."""
    toy.module(RAISES)
    folder = decoy(toy.root / "pp", kind, "toy")
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    user = toy.root / "base" / "lib" / version / "site-packages"
    user.mkdir(parents=True)
    (user / "decoy.pth").write_text(f"{folder}\n")
    env = {"PYTHONPATH": str(user), "PYTHONUSERBASE": str(toy.root / "base")}
    (user / "sitecustomize.py").write_text(f"import site\nsite.addsitedir({str(user)!r})\n")
    assert toy.pytest(env=env).returncode == 1


@pytest.mark.parametrize(("hooks", "hook"), [("meta_path", "Hook()"), ("path_hooks", "Hook")])
def test_import_hook_cannot_replace_kata_module(tmp_path, hooks, hook):
    """A `.pth` file in site-packages may put a finder ahead of Python's own."""
    for folder, source in (("hooked", RIGHT), ("arm/toy", RAISES)):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "toy.py").write_text(source)
    hooked = HOOK.format(file=str(tmp_path / "hooked" / "toy.py"), hooks=hooks, hook=hook)
    script = f"{hooked}\n{BOUND.format(folder=str(tmp_path / 'arm'))}"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert "RuntimeError: this is what was handed in" in result.stderr


def test_a_module_from_elsewhere_is_refused(toy):
    """The source of the file does not matter; here it is the module itself."""
    elsewhere = toy.root / "elsewhere.py"
    elsewhere.write_text(FINE)
    toy.module(
        f"import importlib.util, sys\n"
        f"spec = importlib.util.spec_from_file_location(__name__, {str(elsewhere)!r})\n"
        f"sys.modules[__name__] = module = importlib.util.module_from_spec(spec)\n"
        f"spec.loader.exec_module(module)\n"
    )
    check = toy.check()
    assert check.outcome is Outcome.FAIL
    assert f"toy.toy was loaded from {elsewhere} instead of toy.py; find what loads it" in check.message


@pytest.mark.parametrize("option", ["--kata-from", "--kata-path", "--kata-report"])
def test_settings_beside_an_arm_are_refused(toy, option):
    """Pytest takes DIR in `--kata-from DIR` for a test path, and the pytest.ini in it for its own."""
    arm = settings_in(toy.root / "arm")
    value = "arm/report.json" if option == "--kata-report" else "arm"
    (arm / "report.json").touch()
    result = toy.pytest(option, value)
    assert result.returncode == USAGE_ERROR
    assert f"{option}={value}, with an equals sign" in result.stderr
    assert "Traceback" not in result.stderr
    assert " passed" not in result.stdout


def settings_in(arm: Path) -> Path:
    arm.mkdir()
    (arm / "toy.py").write_text(FINE)
    (arm / "pytest.ini").write_text("[pytest]\npythonpath = .\naddopts = -p grades_me\n")
    (arm / "grades_me.py").write_text("")
    return arm


@pytest.mark.parametrize("option", ["--kata-from", "--kata-path", "--kata-report"])
def test_an_option_with_equals_sign_loads_nothing(toy, option):
    arm = settings_in(toy.root / "arm")
    (arm / "grades_me.py").write_text("raise SystemExit('this ran in the judge')\n")
    value = "arm/report.json" if option == "--kata-report" else "arm"
    assert toy.pytest(f"{option}={value}").returncode == 0


@pytest.mark.parametrize("option", ["--kata-from", "--kata-path", "--kata-report"])
def test_kata_run_loads_no_arm_settings(toy, option):
    """With a space, too."""
    arm = settings_in(toy.root / "arm")
    (arm / "grades_me.py").write_text("raise SystemExit('this ran in the judge')\n")
    value = "arm/report.json" if option == "--kata-report" else "arm"
    result = toy.kata("run", "toy", option, value)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize("place", [".", "toy"])
@pytest.mark.parametrize("option", ["--kata-path={}", "--kata-path {}"])
def test_conftest_in_kata_path_is_refused(toy, option, place):
    shutil.copytree(toy.root / "katas", toy.root / "more")
    conftest = toy.root / "more" / place / "conftest.py"
    conftest.write_text("raise SystemExit('this ran in the judge')\n")
    result = toy.pytest(*option.format("more").split())
    assert result.returncode == USAGE_ERROR
    assert f"{conftest}, in the folder of --kata-path=more, would run in the judge" in result.stderr
    assert "this ran" not in result.stdout + result.stderr


@pytest.mark.parametrize("option", ["--kata-from", "--kata-report"])
def test_conftest_beside_named_path_is_not_loaded(toy, option):
    arm = toy.root / "arm"
    arm.mkdir()
    (arm / "toy.py").write_text(FINE)
    (arm / "report.json").touch()
    (arm / "conftest.py").write_text("raise SystemExit('this ran in the judge')\n")
    result = toy.pytest(option, "arm/report.json" if option == "--kata-report" else "arm")
    assert "this ran" not in result.stdout + result.stderr


@pytest.mark.parametrize("name", ["conftest.py", "pytest.ini"])
def test_pytest_inside_arm_refuses_its_settings(toy, name):
    arm = toy.root / "arm"
    arm.mkdir()
    (arm / "toy.py").write_text(FINE)
    (arm / name).write_text("raise SystemExit('this ran in the judge')\n" if name == "conftest.py" else "[pytest]\n")
    result = toy.pytest("--kata-path", str(toy.root / "katas"), "--kata-from", ".", env={"PWD": str(arm)}, cwd=arm)
    assert result.returncode == USAGE_ERROR
    assert f"{name}, which is in the folder of --kata-from" in result.stderr
    assert "this ran" not in result.stdout + result.stderr


def test_conftest_in_test_named_folder_is_refused(toy):
    """Pytest loads the conftest.py of each folder `test*` where it begins."""
    arm = toy.root / "test_alice"
    arm.mkdir()
    (arm / "toy.py").write_text(FINE)
    (arm / "conftest.py").write_text("raise SystemExit('this ran in the judge')\n")
    result = toy.pytest("--kata-from=test_alice")
    assert result.returncode == USAGE_ERROR
    assert "conftest.py, which is in the folder of --kata-from" in result.stderr
    assert "this ran" not in result.stdout + result.stderr


def test_fixture_of_parent_conftest_is_unused(toy):
    toy.module(RAISES)
    (toy.root / "conftest.py").write_text(CHECKS_NOTHING)
    assert toy.check().outcome is Outcome.FAIL


def test_installed_solution_copies_are_found_and_hidden(tmp_path):
    """An editable install puts the library into site-packages a second time, where a program can read it."""
    katas = list(shipped())
    solutions = shipped().katas.parent / "solutions"
    copy = tmp_path / "site" / "drill_katas" / "library" / "solutions" / "fp_drift" / "accepted" / "journal"
    copy.mkdir(parents=True)
    (copy / "ledger.py").write_bytes((solutions / "fp_drift" / "accepted" / "journal" / "ledger.py").read_bytes())
    (tmp_path / "notes.py").write_bytes((solutions / "fp_drift" / "ledger.py").read_bytes())
    found = copies_below([str(tmp_path)], secrets_of(katas))
    assert [kata for _, kata in found] == ["fp_drift", "fp_drift"]
    assert folders_to_hide(found) == {str(tmp_path)}
    assert folders_to_hide(found[1:]) == {str(tmp_path / "site" / "drill_katas" / "library" / "solutions")}


def test_files_learners_have_are_not_secret():
    kata = shipped().get("circular_deadlock")
    assert not copies_below([str(kata.folder / "variants")], secrets_of([kata]))


def test_copy_on_path_is_hidden_from_programs(pack):
    """A submission reads the copy that is installed beside its libraries, and answers with it."""
    (pack.folder.parents[1] / "solutions" / "toy").mkdir(parents=True)
    secret = RIGHT + "# " + "x" * 300 + "\n"
    (pack.folder.parents[1] / "solutions" / "toy" / "toy.py").write_text(secret)
    copy = pack.root / "site" / "again" / "solutions" / "toy"
    copy.mkdir(parents=True)
    (copy / "toy.py").write_text(secret)
    pack.hand_in("a", f"exec(open({str(copy / 'toy.py')!r}).read())\n")
    grade = pack.grade()["a"]
    assert grade["score"] == 0
    assert "No such file" in grade["checks"][0]["message"] or "Permission denied" in grade["checks"][0]["message"]


@pytest.mark.long
def test_lone_copy_on_path_is_hidden(tmp_path):
    """Its folder is outside every library: the folder is hidden, and the tier stays strong."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "x-1.dist-info").mkdir()
    copy = site / "notes.py"
    copy.write_bytes((shipped().get("fp_drift").solutions / "ledger.py").read_bytes())
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "ledger.py").write_text(f"exec(open({str(copy)!r}).read())\n")
    printed = done(tmp_path, "grade", "s", "--kata", "fp_drift", env={"PYTHONPATH": str(site)})
    assert "0 of 1 solved" in printed
    assert "ledger.py cannot be imported: FileNotFoundError" in printed


def test_visible_solution_copy_refuses_the_strong_tier(tmp_path, monkeypatch):
    (tmp_path / "x-1.dist-info").mkdir()
    kata = shipped().get("fp_drift")
    (tmp_path / "notes.py").write_bytes((kata.solutions / "ledger.py").read_bytes())
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(tiers, "folders_to_hide", lambda _: set())  # nor those of an editable install
    with pytest.raises(UserError, match=r"strong: a SUT could read .*\.py, a copy of a file of fp_drift"):
        strongest_policy([kata], Tier.STRONG, unsafe=False)
