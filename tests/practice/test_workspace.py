"""The learner's folder, through the real command: `kata init`, `kata reset`, and variants put in place."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest

from drill_katas.catalog.katas import shipped
from drill_katas.practice.journal import Journal, Reset, Started
from tests.support.commands import confined, done, kata, refused

SPOILERS = {"variants", "__pycache__"}


def shipped_files():
    """The files that `kata init` copies, by their paths in the workspace."""
    katas = shipped().katas
    files = (file.relative_to(katas) for file in katas.rglob("*") if file.is_file())
    return {Path("katas", file): (katas / file).read_bytes() for file in files if not SPOILERS & set(file.parts)}


def journal(root):
    return Journal(root / ".kata" / Journal.NAME).read().events


def place_said(output, root):
    """The folder or file that the learner's version was moved to, according to the output."""
    (place,) = re.findall(r"\.kata/kept/\S+?(?=\.?$)", output, re.MULTILINE)
    return root / place


@pytest.fixture
def drills_folder(tmp_path):
    """A workspace as `kata init` makes it."""
    done(tmp_path, "init", "drills")
    return tmp_path / "drills"


@pytest.fixture
def ledger(drills_folder):
    """The learner's module in such a workspace, with a change of theirs."""
    file = drills_folder / "katas" / "fp_drift" / "ledger.py"
    file.write_text("# mine\n", encoding="utf-8")
    return file


def broken_ledger(variant=None):
    folder = shipped().katas / "fp_drift"
    return (folder / "variants" / variant if variant else folder).joinpath("ledger.py").read_bytes()


# kata init


@pytest.mark.parametrize("folder", ["drills", "some/where/drills"])
def test_init_copies_the_katas(tmp_path, folder):
    output = done(tmp_path, "init", folder)
    files = shipped_files()
    assert {file: (tmp_path / folder / file).read_bytes() for file in files} == files
    assert f"{folder}: {len(files) + 2} files new, 0 already there" in output  # two: pytest.ini and .gitignore
    assert f"Start with: cd {folder} && kata start fp_drift" in output
    assert "fp_drift" in done(tmp_path / folder, "list")


def test_init_copies_neither_solutions_nor_variants(drills_folder):
    names = {path.name for path in drills_folder.rglob("*")}
    assert not names & {"solutions", "variants", "answer.toml", "__pycache__"}


def test_a_new_workspace_has_its_settings(drills_folder):
    assert ".kata/" in (drills_folder / ".gitignore").read_text(encoding="utf-8").split()
    assert (drills_folder / "pytest.ini").read_text(encoding="utf-8").startswith("[pytest]\n")


def test_init_leaves_other_files_alone(tmp_path):
    mine = {"notes.txt": "mine", "pytest.ini": "[pytest]\naddopts = -q\n"}
    for name, text in mine.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    output = done(tmp_path, "init")
    assert {name: (tmp_path / name).read_text(encoding="utf-8") for name in mine} == mine
    assert "changed, not overwritten: pytest.ini" in output
    assert "Start with: kata start fp_drift" in output
    assert "fp_drift" in done(tmp_path, "list")


def test_init_again_changes_nothing(drills_folder):
    output = done(drills_folder, "init")
    assert f"0 files new, {len(shipped_files()) + 2} already there" in output
    assert "kept" not in output


def test_init_keeps_and_names_a_changed_file(drills_folder, ledger):
    output = done(drills_folder, "init")
    assert ledger.read_text(encoding="utf-8") == "# mine\n"
    assert "changed, not overwritten: katas/fp_drift/ledger.py" in output
    assert "kata init --force" in output


def test_init_restores_a_removed_file(drills_folder, ledger):
    ledger.unlink()
    assert re.search(r"\b1 files? new", done(drills_folder, "init"))
    assert ledger.read_bytes() == broken_ledger()


def test_forced_init_keeps_the_old_file(drills_folder, ledger):
    briefing = ledger.with_name("BRIEFING.md")
    briefing.write_text("my notes\n", encoding="utf-8")
    output = done(drills_folder, "init", "--force")
    assert ledger.read_bytes() == broken_ledger()
    assert briefing.read_bytes() == shipped_files()[Path("katas/fp_drift/BRIEFING.md")]
    said = dict(re.findall(r"overwritten: (\S+); your file is now (\S+)", output))
    assert set(said) == {"katas/fp_drift/ledger.py", "katas/fp_drift/BRIEFING.md"}
    assert (drills_folder / said["katas/fp_drift/ledger.py"]).read_text(encoding="utf-8") == "# mine\n"
    assert (drills_folder / said["katas/fp_drift/BRIEFING.md"]).read_text(encoding="utf-8") == "my notes\n"


def test_init_into_a_file_is_refused(tmp_path):
    (tmp_path / "drills").write_text("mine", encoding="utf-8")
    assert "'drills' is a file" in refused(kata(tmp_path, "init", "drills"))
    assert (tmp_path / "drills").read_text(encoding="utf-8") == "mine"


@pytest.mark.parametrize("path", ["katas", "katas/fp_drift"])
def test_init_refuses_a_file_as_folder(tmp_path, path):
    (tmp_path / path).parent.mkdir(exist_ok=True)
    (tmp_path / path).write_text("mine", encoding="utf-8")
    assert "cannot write" in refused(kata(tmp_path, "init"))
    assert (tmp_path / path).read_text(encoding="utf-8") == "mine"


def test_init_refuses_a_folder_as_file(tmp_path):
    (tmp_path / "katas" / "fp_drift" / "ledger.py").mkdir(parents=True)
    sentence = refused(kata(tmp_path, "init"))
    assert "katas/fp_drift/ledger.py" in sentence
    assert "Is a directory" in sentence


def test_init_reports_a_read_only_folder(tmp_path):
    tmp_path.chmod(0o555)
    sentences = [refused(confined(tmp_path, "init")), refused(confined(tmp_path, "init", "drills"))]
    tmp_path.chmod(0o755)
    assert all("cannot write" in sentence and "Permission denied" in sentence for sentence in sentences)
    assert list(tmp_path.iterdir()) == []


def test_init_can_follow_a_full_disk(tmp_path):
    sentence = refused(confined(tmp_path, "init", size=2000))
    assert "cannot write" in sentence
    assert "kept" not in done(tmp_path, "init")  # no half of a file was taken for a change of the learner's
    files = shipped_files()
    assert {file: (tmp_path / file).read_bytes() for file in files} == files


def test_forced_init_loses_no_file(drills_folder, ledger):
    mine = "# mine\n" * 1000
    ledger.write_text(mine, encoding="utf-8")
    refused(confined(drills_folder, "init", "--force", size=2000))
    assert mine in {file.read_text(encoding="utf-8") for file in drills_folder.rglob("ledger.py")}


# kata start --variant


def test_start_puts_a_variant_in_place(drills_folder, ledger):
    """The learner's files are kept."""
    output = done(drills_folder, "start", "fp_drift", "--variant", "harbour")
    assert ledger.read_bytes() == broken_ledger("harbour")
    assert (place_said(output, drills_folder) / "ledger.py").read_text(encoding="utf-8") == "# mine\n"
    (event,) = journal(drills_folder)
    assert isinstance(event, Started)
    assert (event.kata, event.variant) == ("fp_drift", "harbour")


def test_plain_start_keeps_the_files(drills_folder, ledger):
    done(drills_folder, "start", "fp_drift", "--variant", "harbour")
    ledger.write_text("# mine again\n", encoding="utf-8")
    output = done(drills_folder, "start", "fp_drift")
    assert "moved to" not in output
    assert ledger.read_text(encoding="utf-8") == "# mine again\n"
    assert [event.variant for event in journal(drills_folder)] == ["harbour", "harbour"]


def test_a_present_variant_is_not_copied(drills_folder, ledger):
    output = done(drills_folder, "start", "fp_drift", "--variant", "original")
    assert "moved to" not in output
    assert ledger.read_text(encoding="utf-8") == "# mine\n"


def test_a_variant_can_be_left(drills_folder, ledger):
    done(drills_folder, "start", "fp_drift", "--variant", "orchard")
    done(drills_folder, "start", "fp_drift", "--variant", "original")
    assert ledger.read_bytes() == broken_ledger()
    kept = [file.read_bytes() for file in (drills_folder / ".kata" / "kept").rglob("ledger.py")]
    assert sorted(kept) == sorted([b"# mine\n", broken_ledger("orchard")])


def test_unknown_variants_get_the_nearest_one(drills_folder, ledger):
    for command in ("start", "reset"):
        sentence = refused(kata(drills_folder, command, "fp_drift", "--variant", "harbor"))
        assert "has no variant 'harbor'; did you mean 'harbour'?" in sentence
    assert ledger.read_text(encoding="utf-8") == "# mine\n"
    assert journal(drills_folder) == ()


# kata reset


def test_reset_restores_the_broken_file(drills_folder, ledger):
    """It says where the learner's version is."""
    output = done(drills_folder, "reset", "fp_drift")
    assert ledger.read_bytes() == broken_ledger()
    kept = place_said(output, drills_folder)
    assert [file.name for file in kept.iterdir()] == ["ledger.py"]
    assert (kept / "ledger.py").read_text(encoding="utf-8") == "# mine\n"
    (event,) = journal(drills_folder)
    assert isinstance(event, Reset)
    assert (event.variant, event.kept) == ("original", str(kept.relative_to(drills_folder)))


def test_reset_touches_nothing_but_the_editable_files(drills_folder, ledger):
    others = {file: file.read_bytes() for file in ledger.parent.rglob("*") if file.is_file() and file != ledger}
    ledger.with_name("notes.txt").write_text("mine", encoding="utf-8")
    done(drills_folder, "reset", "fp_drift")
    assert {file: file.read_bytes() for file in others} == others
    assert ledger.with_name("notes.txt").read_text(encoding="utf-8") == "mine"


def test_every_reset_keeps_its_own_version(drills_folder, ledger):
    places = []
    for number in range(3):
        ledger.write_text(f"# mine {number}\n", encoding="utf-8")
        places.append(place_said(done(drills_folder, "reset", "fp_drift"), drills_folder))
    texts = [(place / "ledger.py").read_text(encoding="utf-8") for place in places]
    assert texts == ["# mine 0\n", "# mine 1\n", "# mine 2\n"]


def test_reset_keeps_variant_unless_another_is_given(drills_folder, ledger):
    done(drills_folder, "start", "fp_drift", "--variant", "harbour")
    ledger.write_text("# mine\n", encoding="utf-8")
    done(drills_folder, "reset", "fp_drift")
    assert ledger.read_bytes() == broken_ledger("harbour")
    done(drills_folder, "reset", "fp_drift", "--variant", "orchard")
    assert ledger.read_bytes() == broken_ledger("orchard")
    done(drills_folder, "reset", "fp_drift", "--variant", "original")
    assert ledger.read_bytes() == broken_ledger()


def test_reset_restores_a_deleted_file(drills_folder, ledger):
    ledger.unlink()
    done(drills_folder, "reset", "fp_drift")
    assert ledger.read_bytes() == broken_ledger()


def test_reset_works_from_any_workspace_folder(drills_folder, ledger):
    done(ledger.parent, "reset", "fp_drift")
    assert ledger.read_bytes() == broken_ledger()
    assert not (ledger.parent / ".kata").exists()


def test_reset_works_in_unprintable_folders(tmp_path):
    folder = tmp_path / os.fsdecode(b"caf\xe9")
    folder.mkdir()
    done(folder, "init")
    ledger = folder / "katas" / "fp_drift" / "ledger.py"
    ledger.write_text("# mine\n", encoding="utf-8")
    done(folder, "reset", "fp_drift")
    assert ledger.read_bytes() == broken_ledger()
    (kept,) = (folder / ".kata" / "kept").rglob("ledger.py")
    assert kept.read_text(encoding="utf-8") == "# mine\n"


# A kata in its author's repository, where the committed files are the broken version


def commit(toy):
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-qm", "A kata"]):
        git = ["git", "-c", "user.name=author", "-c", "user.email=author@example.com", *command]
        subprocess.run(git, cwd=toy.root, check=True, capture_output=True)


def test_reset_restores_the_committed_file(toy):
    before = (toy.folder / "toy.py").read_bytes()
    commit(toy)
    toy.module("mine = True\n")
    kept = place_said(done(toy.root, "reset", "toy"), toy.root)
    assert (toy.folder / "toy.py").read_bytes() == before
    assert (kept / "toy.py").read_text(encoding="utf-8") == "mine = True\n"


def test_reset_needs_a_committed_file(toy):
    toy.module("mine = True\n")
    sentence = refused(kata(toy.root, "reset", "toy"))
    assert "no shipped copy of toy.py" in sentence
    assert "kata init" in sentence
    assert (toy.folder / "toy.py").read_text(encoding="utf-8") == "mine = True\n"
    assert journal(toy.root) == ()


def with_variant(toy):
    manifest = (toy.folder / "kata.toml").read_text(encoding="utf-8")
    toy.write("kata.toml", f'{manifest}\nvariants = ["harbour"]\n')
    return toy.folder / "variants" / "harbour" / "toy.py"


def test_own_variants_come_from_their_folder(toy):
    with_variant(toy)
    toy.write("variants/harbour/toy.py", "broken = True\n")
    done(toy.root, "start", "toy", "--variant", "harbour")
    assert (toy.folder / "toy.py").read_text(encoding="utf-8") == "broken = True\n"


def test_incomplete_variants_change_nothing(toy):
    file = with_variant(toy)
    toy.module("mine = True\n")
    for command in ("start", "reset"):
        assert str(file) in refused(kata(toy.root, command, "toy", "--variant", "harbour"))
    assert (toy.folder / "toy.py").read_text(encoding="utf-8") == "mine = True\n"


# Where nothing can be written


def stand_in_the_way(drills_folder, how):
    """Prevent the command from writing, in the way `how`."""
    if how == "the state folder is a file":
        (drills_folder / ".kata").write_text("mine", encoding="utf-8")
    elif how == "the module is read-only":
        (drills_folder / "katas" / "fp_drift" / "ledger.py").chmod(0o444)
    else:
        drills_folder.chmod(0o555)


@pytest.mark.parametrize("how", ["the state folder is a file", "the module is read-only", "the workspace is read-only"])
@pytest.mark.parametrize("command", [["reset", "fp_drift"], ["start", "fp_drift", "--variant", "harbour"]])
def test_failed_reset_is_reported_and_loses_nothing(drills_folder, ledger, command, how):
    stand_in_the_way(drills_folder, how)
    sentence = refused(confined(drills_folder, *command))
    drills_folder.chmod(0o755)
    assert "cannot write" in sentence
    assert ledger.read_text(encoding="utf-8") == "# mine\n"
    assert journal(drills_folder) == ()


@pytest.mark.parametrize("command", [["reset", "fp_drift"], ["start", "fp_drift", "--variant", "harbour"]])
def test_reset_loses_nothing_without_space(drills_folder, ledger, command):
    mine = "# mine\n" * 1000
    ledger.write_text(mine, encoding="utf-8")
    sentence = refused(confined(drills_folder, *command, size=2000))
    assert "cannot write" in sentence
    assert ledger.read_text(encoding="utf-8") == mine


@pytest.mark.parametrize("command", [["reset", "fp_drift"], ["start", "fp_drift", "--variant", "harbour"]])
def test_an_unrecorded_reset_names_the_kept_file(drills_folder, ledger, command):
    (drills_folder / ".kata" / Journal.NAME).mkdir(parents=True)
    sentence = refused(kata(drills_folder, *command))
    assert "journal" in sentence
    if ledger.read_text(encoding="utf-8") != "# mine\n":
        (kept,) = (drills_folder / ".kata" / "kept").rglob("ledger.py")
        assert kept.read_text(encoding="utf-8") == "# mine\n"
        assert str(kept.parent.relative_to(drills_folder)) in sentence


# Where the workspace is


def test_folders_belong_to_their_workspace(drills_folder, tmp_path):
    deep = drills_folder / "katas" / "fp_drift"
    done(deep, "start", "fp_drift")
    assert [event.kata for event in journal(drills_folder)] == ["fp_drift"]
    assert not (deep / ".kata").exists()
    refused(kata(tmp_path, "start", "fp_drift"))
    assert not (tmp_path / ".kata").exists()
