"""Temporary files: the next run removes the files of a killed run, and no others."""

from __future__ import annotations

import ast
import contextlib
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import psutil
import pytest

import drill_katas
from drill_katas.files import RUN, RunFolder
from tests.support.waiting import wait_until

HANGS = "import time\n\n\nclass Thing:\n    def go(self):\n        time.sleep(60)\n"


@pytest.fixture
def temporary():
    with tempfile.TemporaryDirectory(prefix="t-", dir="/tmp") as folder:  # its path has to be short
        yield Path(folder)


def killed(command, folder, env, when):
    """Start a command, kill it by SIGKILL when the condition is true, and wait until all that it began has ended."""
    with subprocess.Popen(
        command, cwd=folder, env={**os.environ, **env}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        wait_until(when)
        family = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGKILL)
    _, alive = psutil.wait_procs(family, timeout=20)
    assert not alive


def test_next_run_removes_leftovers_of_killed_run(toy, temporary, monkeypatch):
    monkeypatch.setenv("TMPDIR", str(temporary))
    toy.module(HANGS)
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--kata", "toy"]
    killed(command, toy.root, {}, lambda: len(list(temporary.iterdir())) >= 2)
    assert all(entry.name.startswith(RUN) for entry in temporary.iterdir())
    toy.body('return "gone"')
    assert toy.pytest().returncode == 0
    assert list(temporary.iterdir()) == []


def test_folders_in_use_and_of_others_stay(temporary):
    other = temporary / f"{RUN}file"
    other.touch()
    with contextlib.closing(RunFolder(temporary)) as first, contextlib.closing(RunFolder(temporary)) as second:
        assert {first.path, second.path, other} == set(temporary.iterdir())
    assert list(temporary.iterdir()) == [other]


def test_a_folder_without_its_process_is_removed(temporary):
    code = "import os, sys; from pathlib import Path; from drill_katas.files import RunFolder; "
    code += "folder = RunFolder(Path(sys.argv[1])); (folder.path / 'x').touch(); os._exit(1)"
    subprocess.run([sys.executable, "-c", code, str(temporary)], check=False, timeout=60)
    (left,) = temporary.iterdir()
    assert (left / "x").exists()
    with contextlib.closing(RunFolder(temporary)) as folder:
        assert list(temporary.iterdir()) == [folder.path]


def test_unlocked_new_run_folder_is_removed(temporary):
    """A run may be killed between making its folder and locking it."""
    (temporary / f"{RUN}just-made").mkdir()
    with contextlib.closing(RunFolder(temporary)) as folder:
        assert list(temporary.iterdir()) == [folder.path]


def test_all_temporary_folders_are_run_folders():
    """A folder of another kind would stay after a kill; a nameless file goes with its process."""
    package = Path(drill_katas.__file__).parent
    kinds = {"mkdtemp", "mkstemp", "TemporaryDirectory", "NamedTemporaryFile"}
    found = {
        str(file.relative_to(package))
        for file in package.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute | ast.Name | ast.alias)
        and {getattr(node, field, None) for field in ("attr", "id", "name")} & kinds
    }
    assert found == {"files.py"}
