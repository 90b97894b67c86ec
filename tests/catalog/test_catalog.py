"""Libraries of katas: which folders are katas, their order, their variants, and the cost of reading them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter

import pytest

from drill_katas.catalog.katas import LEVELS, ORIGINAL, Library, Limits, find, shipped
from drill_katas.errors import UserError

HEAVY = {"rich", "hypothesis", "sqlalchemy", "pytest", "_pytest", "structlog", "prometheus_client"}

# Runs `kata list` in this interpreter, and prints the files it opened and the modules it imported.
COUNTED_LIST = """
import json, sys
opened = []
sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == "open" else None)
from drill_katas.cli import main
try:
    main(["list"])
finally:
    with open(sys.argv[1], "w", encoding="utf-8") as report:
        json.dump({"opened": opened, "modules": list(sys.modules)}, report)
"""


def add_kata(katas, name, *, level=1, title="A toy", more=""):
    folder = katas / name
    folder.mkdir(parents=True)
    text = f'format = 1\ntitle = "{title}"\nlevel = {level}\nminutes = 5\ncontract = "calls"\neditable = ["toy.py"]\n'
    (folder / "kata.toml").write_text(text + more, encoding="utf-8")
    return folder


def names(library):
    return [kata.name for kata in library]


# Libraries


def test_katas_are_sorted_by_level_and_name(tmp_path):
    for name, level in {"delta": 1, "alpha": 3, "bravo": 1, "echo": 4, "charlie": 2}.items():
        add_kata(tmp_path, name, level=level)
    assert names(Library(tmp_path)) == ["bravo", "delta", "charlie", "alpha", "echo"]


def test_the_levels_are_those_of_a_career():
    assert LEVELS == {1: "Intern", 2: "Junior", 3: "Senior", 4: "Staff"}


def test_only_folder_with_manifest_is_a_kata(tmp_path):
    add_kata(tmp_path, "alpha")
    (tmp_path / "notes").mkdir()
    (tmp_path / "README.md").write_text("mine", encoding="utf-8")
    (tmp_path / "__pycache__").mkdir()
    assert Library(tmp_path).names() == ["alpha"]


@pytest.mark.parametrize("place", ["nowhere", "file"])
def test_missing_library_has_no_katas(tmp_path, place):
    (tmp_path / "file").write_text("mine", encoding="utf-8")
    assert Library(tmp_path / place).names() == []
    assert names(Library(tmp_path / place)) == []


def test_libraries_are_searched_in_order(tmp_path):
    add_kata(tmp_path / "mine", "alpha", title="Mine")
    add_kata(tmp_path / "theirs", "alpha", title="Theirs")
    add_kata(tmp_path / "theirs", "bravo", title="Theirs")
    libraries = [Library(tmp_path / "mine"), Library(tmp_path / "theirs")]
    assert find("alpha", libraries).manifest.title == "Mine"
    assert find("bravo", libraries).manifest.title == "Theirs"
    assert find("alpha", reversed(libraries)).manifest.title == "Theirs"


def test_unknown_names_get_the_nearest_one(tmp_path):
    add_kata(tmp_path / "mine", "alpha")
    add_kata(tmp_path / "theirs", "bravo")
    libraries = [Library(tmp_path / "mine"), Library(tmp_path / "theirs")]
    with pytest.raises(UserError, match=r"there is no kata 'brave'; did you mean 'bravo'\?"):
        find("brave", libraries)
    with pytest.raises(UserError, match=r"there is no kata 'zulu'; known: alpha, bravo"):
        find("zulu", libraries)


@pytest.mark.parametrize("name", ["", ".", "alpha/", "./alpha", "../katas/alpha", "alpha/../alpha"])
def test_path_to_kata_is_not_its_name(tmp_path, name):
    """It would be noted in the journal under that name, as another kata."""
    katas = tmp_path / "katas"
    add_kata(katas, "alpha")
    with pytest.raises(UserError, match=f"there is no kata {name!r}"):
        find(name, [Library(katas)])


def test_all_shipped_katas_can_be_read():
    katas = list(shipped())
    assert "fp_drift" in [kata.name for kata in katas]
    for kata in katas:
        assert kata.briefing.is_file()
        assert kata.tests.is_file()
        assert all((kata.folder / name).is_file() for name in kata.manifest.editable)
        for variant in kata.manifest.variants:
            assert all((kata.variant_folder(variant) / name).is_file() for name in kata.manifest.editable)
        assert (kata.solutions / "answer.toml").is_file()


# Manifests


def test_omitted_manifest_fields_have_defaults(tmp_path):
    add_kata(tmp_path, "alpha")
    manifest = find("alpha", [Library(tmp_path)]).manifest
    assert manifest.preload == ()
    assert manifest.variants == ()
    assert manifest.limits == Limits(memory_mib=512, processes=16, call_seconds=3.0, check_seconds=20.0)


def test_a_manifest_has_contract_and_limits(tmp_path):
    more = 'preload = ["sqlalchemy"]\nvariants = ["harbour"]\n[limits]\nmemory_mib = 64\ncall_seconds = 1\n'
    add_kata(tmp_path, "alpha", level=2, title="Alpha", more=more)
    manifest = find("alpha", [Library(tmp_path)]).manifest
    assert (manifest.title, manifest.level, manifest.minutes, manifest.contract) == ("Alpha", 2, 5, "calls")
    assert manifest.editable == ("toy.py",)
    assert manifest.preload == ("sqlalchemy",)
    assert manifest.limits == Limits(memory_mib=64, call_seconds=1.0)


def test_a_manifest_is_read_once(tmp_path):
    folder = add_kata(tmp_path, "alpha")
    library = Library(tmp_path)
    first = library.get("alpha")
    (folder / "kata.toml").write_text("no longer TOML", encoding="utf-8")
    assert library.get("alpha") is first
    assert list(library) == [first]


# Variants


@pytest.fixture
def kata(tmp_path):
    add_kata(tmp_path, "alpha", more='variants = ["harbour", "orchard"]\n')
    return find("alpha", [Library(tmp_path)])


def test_variants_have_folders_below_the_kata(kata):
    assert kata.variant_folder(ORIGINAL) == kata.folder
    assert kata.variant_folder("harbour") == kata.folder / "variants" / "harbour"


def test_an_unknown_variant_gets_the_nearest_one(kata):
    with pytest.raises(UserError, match=r"alpha has no variant 'orchid'; did you mean 'orchard'\?"):
        kata.variant_folder("orchid")
    with pytest.raises(UserError, match="alpha has no variant 'zzz'; known: harbour, orchard, original"):
        kata.variant_folder("zzz")


def test_solutions_are_beside_the_library(tmp_path):
    """Without such a folder they are those shipped."""
    add_kata(tmp_path / "katas", "alpha")
    add_kata(tmp_path / "katas", "fp_drift")
    (tmp_path / "solutions" / "alpha").mkdir(parents=True)
    library = Library(tmp_path / "katas")
    assert library.get("alpha").solutions == tmp_path / "solutions" / "alpha"
    assert library.get("fp_drift").solutions == shipped().get("fp_drift").solutions


# The cost of `kata list`


def test_a_long_list_reads_manifests_once(tmp_path):
    """A list of 1,000 katas imports no large library either."""
    for number in range(1000):
        add_kata(tmp_path / "katas", f"kata{number:04}", level=number % 4 + 1)
    report = tmp_path / "report.json"
    command = [sys.executable, "-c", COUNTED_LIST, str(report)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1000
    seen = json.loads(report.read_text(encoding="utf-8"))
    manifests = Counter(path for path in seen["opened"] if path.startswith(str(tmp_path / "katas")))
    assert manifests == {str(tmp_path / "katas" / f"kata{number:04}" / "kata.toml"): 1 for number in range(1000)}
    assert not HEAVY & {module.partition(".")[0] for module in seen["modules"]}
