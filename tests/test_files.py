"""The primitives of files: whole or not at all, with the modes that they had, and locks between processes."""

from __future__ import annotations

import stat
import subprocess
import sys

import pytest

from drill_katas import files
from drill_katas.errors import UserError

HOLDS_LOCK = """
import sys
from drill_katas.files import try_lock
with open(sys.argv[1], "ab") as file:
    print(try_lock(file), flush=True)
    sys.stdin.read()
"""


def names(folder):
    return sorted(entry.name for entry in folder.iterdir())


def test_replaced_file_keeps_its_mode(tmp_path):
    file = tmp_path / "ledger.py"
    file.write_bytes(b"old")
    file.chmod(0o600)
    files.write_atomically(file, b"new")
    assert file.read_bytes() == b"new"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert names(tmp_path) == ["ledger.py"]


def test_a_failed_write_leaves_the_file(tmp_path):
    file = tmp_path / "grades.json"
    file.write_bytes(b"old")

    def write():
        with files.replacing(file) as draft:
            draft.write(b"half of it")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write()
    assert file.read_bytes() == b"old"
    assert names(tmp_path) == ["grades.json"]


def test_a_failed_write_names_the_file(tmp_path):
    file = tmp_path / "nowhere" / "ledger.py"
    with pytest.raises(FileNotFoundError) as raised:
        files.write_atomically(file, b"")
    assert raised.value.filename == str(file)


def test_a_new_file_follows_no_link(tmp_path):
    link = tmp_path / "key"
    link.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(FileExistsError):
        files.create(link, 0o600)
    assert names(tmp_path) == ["key"]


def test_a_failed_folder_leaves_the_old_one(tmp_path):
    folder = tmp_path / "incidents" / "toy"
    with files.replacing_folder(folder) as draft:
        (draft / "a").touch()

    def write():
        with files.replacing_folder(folder) as draft:
            (draft / "b").touch()
            raise OSError("full")

    with pytest.raises(OSError, match="full"):
        write()
    assert names(folder) == ["a"]
    with files.replacing_folder(folder) as draft:
        (draft / "c").touch()
    assert names(folder) == ["c"]
    assert names(folder.parent) == ["toy"]


def test_json_is_indented_with_a_newline(tmp_path):
    file = tmp_path / "report.json"
    files.write_json(file, {"a": [1, 2]})
    assert file.read_text() == '{\n  "a": [\n    1,\n    2\n  ]\n}\n'
    assert files.json_lines([{"a": 1}, {"b": 2}]) == b'{"a":1}\n{"b":2}\n'


def test_an_unwritable_file_is_a_user_error(tmp_path):
    with pytest.raises(UserError, match=r"cannot write .*report\.json \(No such file or directory\)"):
        files.write_json(tmp_path / "nowhere" / "report.json", 1)


def test_lock_lasts_as_long_as_process(tmp_path):
    path = tmp_path / "logs.jsonl"
    path.touch()
    command = [sys.executable, "-c", HOLDS_LOCK, path]
    with path.open("rb") as file:
        assert not files.is_locked(file)
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout.readline() == "True\n", "asking whether it is locked locks nothing"
            assert files.is_locked(file)
            assert not files.try_lock(file)
            process.stdin.close()
            files.lock(file)
        assert files.try_lock(file)
