"""Shapes of classes by names alone: a table of listings and their entries."""

from __future__ import annotations

from pathlib import Path

import pytest

from drill_katas.catalog.katas import shipped
from drill_katas.grading.candidates import best, candidates, matches
from drill_katas.grading.shapes import Layout, is_noise, shape_of

LEDGER = [shipped().get("fp_drift")]
SHOP = [shipped().get("red_herring")]


def listed(*names):
    """The names, and the folders that they are in."""
    return sorted({*names, *(f"{parent}/" for name in names for parent in map(str, list(Path(name).parents)[:-1]))})


# Names


@pytest.mark.parametrize(
    ("name", "far"),
    [
        ("ledger.py", 0),
        ("smithalice_12345_67890_ledger.py", 0),
        ("smithalice_LATE_12345_67890_ledger.py", 0),
        ("Alice Smith_123_assignsubmission_file_ledger.py", 0),
        ("ledger (1).py", 1),
        ("ledger-2.py", 1),
        ("smithalice_12345_67890_ledger-2.py", 1),
        ("ledger - Copy (2).py", 1),
        ("Ledger_final_v2.PY", 1),
        ("ledger.py.txt", 1),
        ("ledger.py.py", 1),
        ("alice_ledger.py", 2),
        *((name, None) for name in ("ledger.py~", ".ledger.py.swp", "ledger.py.bak", "._ledger.py", ".#ledger.py")),
        *((name, None) for name in ("test_ledger.py", "ledger_test.py", "ledgers.py", "ledger.txt", "ledger.pyc")),
    ],
)
def test_a_file_name_is_near_or_not(name, far):
    assert matches(name, "ledger.py") == far


@pytest.mark.parametrize(
    "name",
    [
        ".DS_Store", "a/._ledger.py", "__MACOSX/a/._ledger.py", ".venv/lib/ledger.py", "a/.git/ledger.py", "venv/",
        "node_modules/x/index.js", "a/__pycache__/ledger.cpython-311.pyc", ".idea/",
    ],
)  # fmt: skip
def test_files_made_by_tools_are_noise(name):
    assert is_noise(name)


def test_files_made_by_people_are_no_noise():
    assert not any(map(is_noise, ["ledger.py", "a/", "../ledger.py", ".gitignore", "a/.env", "grades.json.part"]))


@pytest.mark.parametrize(
    ("names", "chosen"),
    [
        (["ledger.py", "katas/fp_drift/ledger.py"], "katas/fp_drift/ledger.py"),
        (["ledger.py", "fp_drift/ledger.py"], "fp_drift/ledger.py"),
        (["fp_drift/ledger.py", "work/katas/fp_drift/ledger.py"], "work/katas/fp_drift/ledger.py"),
        (["ledger (1).py", "ledger.py"], "ledger.py"),
        (["katas/fp_drift/ledger (1).py", "ledger.py"], "ledger.py"),
        (["old/katas/fp_drift/ledger.py", "ledger (1).py"], "ledger (1).py"),
        (["my_backup/ledger.py", "work/deep/ledger.py"], "work/deep/ledger.py"),
        (["z/ledger.py", "ledger.py"], "ledger.py"),
        (["alice_ledger.py", "ledger-2.py"], "ledger-2.py"),
        (["one/two/three/ledger.py", "README.md"], "one/two/three/ledger.py"),
    ],
)
def test_the_candidate_with_most_evidence_wins(names, chosen):
    (found,) = best(candidates(names, LEDGER))
    assert found.files == {"ledger.py": (chosen,)}


def test_kata_files_must_share_one_folder():
    names = ["a/checkout.py", "b/export.py", "c/checkout (1).py", "c/export.py"]
    (found,) = best(candidates(names, SHOP))
    assert found.files == {"checkout.py": ("c/checkout (1).py",), "export.py": ("c/export.py",)}


@pytest.mark.parametrize(
    ("names", "ids"),
    [
        (["alice/ledger.py", "bob/notes.md", "carol.zip"], ["alice", "bob", "carol.zip"]),
        (["ledger.py", "notes.md"], []),
        (["katas/fp_drift/ledger.py", "README.md", "docs/x.md"], []),
        (["src/ledger.py", "docs/design.md"], []),
        (["alice/ledger.py"], ["alice"]),
        (["alice/src/ledger.py", "alice/docs/x.md"], ["alice"]),
        (["week1/alice/ledger.py", "week1/bob/ledger.py"], ["alice", "bob"]),
        (["a/b/alice/ledger.py", "a/b/bob/ledger.py"], ["alice", "bob"]),
        (["hw-alice/katas/fp_drift/ledger.py", "hw-alice/.git/x", "hw-bob/README.md"], ["hw-alice", "hw-bob"]),
        (["export/submission_1/ledger.py", "export/submission_2/notes.md", "export/submission_metadata.yml"],
         ["submission_1", "submission_2"]),
        (["smithalice_12345_67890_ledger.py", "smithbob_LATE_123_456_ledger-2.py"],
         ["smithalice_12345_67890_ledger.py", "smithbob_LATE_123_456_ledger-2.py"]),
        (["smithalice_12345_1001_checkout.py", "smithalice_12345_1002_export.py"], ["smithalice_12345"]),
        (["Al B_77_assignsubmission_file_/ledger.py", "Al B_77_assignsubmission_onlinetext_/onlinetext.html"],
         ["Al B_77"]),
        (["team_1_1_a/ledger.py", "team_1_2_b/ledger.py"], ["team_1_1_a", "team_1_2_b"]),
    ],
)  # fmt: skip
def test_names_say_which_entries_there_are(names, ids):
    shape = shape_of(listed(*names), LEDGER, Layout.AUTO)
    assert not shape.unsure
    assert [group.id for group in shape.groups] == ids


@pytest.mark.parametrize(
    ("names", "ids"),
    [
        (["alice.py", "bob.py", "notes.md"], ["alice.py", "bob.py", "notes.md"]),
        (["alice_ledger.py", "ledger (1).py", "grades.csv"], ["alice_ledger.py", "ledger (1).py"]),
    ],
)
def test_flat_class_has_one_entry_per_file(names, ids):
    assert [group.id for group in shape_of(names, LEDGER, Layout.FLAT).groups] == ids


def test_guardrail_in_a_flat_class_is_its_owners():
    """It is never taken for a fix, and the owner's fix and guardrail are one entry."""
    names = ("alice_ledger.py", "alice_guardrail.py", "bob_ledger.py", "guardrail.py")
    groups = shape_of(names, LEDGER, Layout.FLAT).groups
    judged = {group.id: [part.judged_name for part in group.parts] for group in groups}
    assert judged == {
        "alice": ["alice_ledger.py", "alice_guardrail.py"],
        "bob_ledger.py": ["ledger.py"],
        "guardrail.py": ["guardrail.py"],
    }


def test_an_owners_files_are_one_entry():
    names = ["al_checkout.py", "al_export.py", "bo-checkout.py", "bo-export.py"]
    groups = shape_of(names, SHOP, Layout.FLAT).groups
    assert {group.id: [part.name for part in group.parts] for group in groups} == {"al": names[:2], "bo": names[2:]}


@pytest.mark.parametrize(
    "names",
    [
        ["ledger.py", "ledger (1).py"],
        ["alice_ledger.py", "bob_ledger.py", "notes.md"],
        ["ledger.py", "alice/ledger.py", "bob/ledger.py"],
        ["week/alice/ledger.py", "week/bob/notes.md"],
    ],
)
def test_ambiguous_listing_asks_for_layout(names):
    assert "--layout one" in shape_of(listed(*names), LEDGER, Layout.AUTO).unsure
    for layout in (Layout.ONE, Layout.FLAT, Layout.FOLDERS):
        assert not shape_of(listed(*names), LEDGER, layout).unsure
