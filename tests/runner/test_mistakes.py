"""Messages about user mistakes and unreadable or unwritable files: one sentence, and no data is lost."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from drill_katas.practice.journal import Journal
from drill_katas.practice.progress import progress
from tests.support.commands import KATA, confined, done, kata, refused
from tests.support.toy import add_kata


@pytest.mark.parametrize("command", [["start"], ["hint"], ["reset"], ["solution"], ["verify"]])
def test_an_unknown_kata_gets_the_nearest_one(toy, command):
    assert "there is no kata 'tyo'; did you mean 'toy'?" in refused(kata(toy.root, *command, "tyo"))


@pytest.mark.parametrize("command", [["list"], ["status"], ["start", "toy"], ["hint", "toy"], ["reset", "toy"]])
def test_command_outside_workspace_suggests_kata_init(tmp_path, command):
    assert "kata init" in refused(kata(tmp_path, *command))
    assert list(tmp_path.iterdir()) == []


MANIFEST_MISTAKES = {
    "a wrong key": ("minutes = 5", "minuets = 5", ["'minuets'", "did you mean 'minutes'"]),
    "a wrong key of a table": (
        "",
        "[limits]\nmemory_mb = 64",
        ["'memory_mb'", "[limits]", "did you mean 'memory_mib'?"],
    ),
    "a missing key": ('title = "A toy"', "", ["title"]),
    "a wrong type": ("minutes = 5", 'minutes = "five"', ["minutes", "int", "str"]),
    "a wrong type in a table": ("", '[limits]\nprocesses = "many"', ["limits.processes", "int", "str"]),
    "a level that is none": ("level = 1", "level = 9", ["level", "4"]),
    "nothing to edit": ('["toy.py"]', "[]", ["editable"]),
    "an unknown contract": ('"calls"', '"cals"', ["contract", "cals"]),
    "not TOML": ("minutes = 5", "minutes = five", ["not TOML", "line 5"]),
    "not UTF-8": ("A toy", "A t\udcff\udcfey", ["not TOML"]),
    "a format of a later release": ("format = 1", "format = 2", ["format", "2"]),
}


@pytest.mark.parametrize(("old", "new", "said"), MANIFEST_MISTAKES.values(), ids=MANIFEST_MISTAKES)
def test_manifest_mistakes_name_file_and_key(toy, old, new, said):
    file = toy.folder / "kata.toml"
    text = file.read_text(encoding="utf-8")
    changed = text.replace(old, new) if old else text + new
    file.write_text(changed, encoding="utf-8", errors="surrogateescape")
    for command in (["list"], ["start", "toy"]):
        sentence = refused(kata(toy.root, *command))
        assert str(file) in sentence
        assert all(each in sentence for each in said), sentence


def test_one_wrong_manifest_hinders_no_other(toy):
    folder = add_kata(toy, "ferry")
    (folder / "kata.toml").write_text("format = ", encoding="utf-8")
    done(toy.root, "start", "toy")


COMMANDS_THAT_WRITE = [["start", "toy"], ["hint", "toy"], ["solution", "toy", "--give-up"]]


def test_read_only_workspace_can_be_viewed(answered):
    answered.pytest()
    answered.journal.path.parent.chmod(0o555)
    answered.root.chmod(0o555)
    results = [confined(answered.root, "list"), confined(answered.root, "status")]
    answered.root.chmod(0o755)
    assert [result.returncode for result in results] == [0, 0]
    assert not any(result.stderr for result in results)


@pytest.mark.parametrize("command", COMMANDS_THAT_WRITE, ids=lambda command: command[0])
def test_a_read_only_journal_gets_its_message(answered, command):
    answered.root.chmod(0o555)
    sentence = refused(confined(answered.root, *command))
    answered.root.chmod(0o755)
    assert "the journal" in sentence
    assert "Permission denied" in sentence
    assert not (answered.root / ".kata").exists()


@pytest.mark.parametrize("command", COMMANDS_THAT_WRITE, ids=lambda command: command[0])
def test_a_full_disk_gets_its_message(answered, command):
    done(answered.root, "start", "toy")
    before = answered.journal.path.read_bytes()
    sentence = refused(confined(answered.root, *command, size=len(before) + 20))
    assert "the journal" in sentence
    assert "No space left on device" in sentence
    assert answered.journal.path.read_bytes() == before


@pytest.mark.parametrize("command", [["list"], ["status"], ["start", "toy"]], ids=lambda command: command[0])
def test_output_to_full_disk_fails_without_traceback(toy, command):
    with Path("/dev/full").open("w", encoding="utf-8") as full:
        result = kata(toy.root, *command, stdout=full)
    assert "Traceback" not in result.stderr
    assert "No space left on device" in result.stderr
    assert result.returncode != 0


def test_a_closed_pipe_is_no_traceback(toy):
    for number in range(300):
        add_kata(toy, f"kata{number}", title="A title " * 10)
    result = subprocess.run(
        ["sh", "-c", f"'{KATA}' list | head -n 1"],
        cwd=toy.root,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert result.returncode == 0
    assert result.stdout.count("\n") == 1
    assert result.stderr == ""


def test_a_damaged_journal_is_a_note(toy):
    done(toy.root, "start", "toy")
    with toy.journal.path.open("ab") as file:
        file.write(b"rubbish\n")
    for name in ("list", "status"):
        result = kata(toy.root, name)
        assert result.returncode == 0
        assert re.match(r"note: line 2 of .*journal\.jsonl is damaged", result.stderr)
        assert "damaged" not in result.stdout


def test_status_shows_only_the_current_workspace(toy, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    shutil.copytree(toy.root / "katas", other / "katas")
    done(toy.root, "start", "toy")
    assert "1 in progress" in done(toy.root, "status")
    assert "0 in progress" in done(other, "status")
    assert progress(Journal(other / ".kata" / Journal.NAME).read().events) == {}
