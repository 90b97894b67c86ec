"""A workspace with a tiny kata, and real pytest sessions in it."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from drill_katas.practice.journal import Journal
from drill_katas.verdict import CheckResult, Report, Verdict
from tests.support.warm_client import run_command

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Mapping

MANIFEST = """
format = 1
title = "A toy"
level = 1
minutes = 5
contract = "calls"
editable = ["toy.py"]
"""
CHECK = '''
@pytest.mark.stage("symptom")
def test_go(sut):
    """It goes."""
    with sut.open("Thing") as thing:
        assert thing.go() == "gone", "it should be gone"
'''
FINE = """
class Thing:
    def go(self):
        return "gone"
"""
HINTS = ["Look at what it answers.", "It should be gone.", 'Let it answer "gone".']


class Toy:
    """A workspace with the kata `toy`: `toy.py` is the learner's module, `test_toy.py` its checks."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.patience = 5
        self.folder = root / "katas" / "toy"
        self.folder.mkdir(parents=True)
        self.write("kata.toml", MANIFEST)
        self.write("BRIEFING.md", "# The page\n")
        self.checks(CHECK)
        self.module(FINE)

    def write(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return path

    def module(self, text: str) -> Path:
        """Write the learner's module."""
        return self.write("toy.py", text)

    def body(self, *lines: str) -> Path:
        """Write a learner's module whose `go` has this body."""
        text = "".join(f"        {line}\n" for line in lines)
        return self.module(f"import os, sys, threading, time\n\n\nclass Thing:\n    def go(self):\n{text}")

    def checks(self, text: str) -> Path:
        """Write the kata's checks."""
        head = "import pytest\nfrom drill_katas import kit\nfrom hypothesis import given, strategies as st\n"
        return self.write("test_toy.py", head + textwrap.dedent(text))

    def limits(self, **limits: float) -> None:
        """Set limits in the manifest."""
        lines = "".join(f"{name} = {value}\n" for name, value in limits.items())
        self.write("kata.toml", f"{MANIFEST}\n[limits]\n{lines}")

    def pytest(
        self, *args: str, env: Mapping[str, str] | None = None, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        """Run a real pytest in the workspace; `--kata toy` is added when no kata is named."""
        named = any(arg == "--kata" or arg.startswith("katas") for arg in args)
        chosen = args if named else ("--kata", "toy", *args)
        return run([sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *chosen], cwd or self.root, env)

    def kata(self, *args: str, env: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
        """Run the real `kata` command in the workspace."""
        return run([str(Path(sys.executable).with_name("kata")), *args], self.root, env)

    def verdict(self, *args: str) -> Verdict:
        """Judge the toy and return its verdict; judge it again, as the message asks, when the machine was too busy."""
        for _ in range(self.patience):
            verdict = self._verdict(*args)
            if not any("the machine was too busy" in check.message for check in verdict.checks):
                break
        return verdict

    def _verdict(self, *args: str) -> Verdict:
        file = self.root / "report.json"
        file.unlink(missing_ok=True)
        done = self.pytest("--kata", "toy", "--kata-report", str(file), *args)
        assert file.is_file(), done.stdout + done.stderr
        katas = msgspec.json.decode(file.read_bytes(), type=Report).katas
        assert katas, done.stdout + done.stderr
        return katas[0]

    def check(self, *args: str) -> CheckResult:
        """Judge the toy and return its only check's result."""
        (check,) = self.verdict(*args).checks
        return check

    @property
    def journal(self) -> Journal:
        return Journal(self.root / ".kata" / Journal.NAME)


def run(
    command: list[str], cwd: Path, env: Mapping[str, str] | None = None, timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run a command as a person would, at 80 columns and without color."""
    outer = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COLUMNS"))}
    path = os.pathsep.join((str(Path(sys.executable).parent), outer["PATH"]))
    environment = {**outer, "PATH": path, "COLUMNS": "80", "PYTHONUTF8": "1", **(env or {})}
    return run_command(command, cwd, environment, timeout)


def add_kata(toy: Toy, name: str, *, level: int = 1, title: str = "Another toy", more: str = "") -> Path:
    """Add a copy of the toy under another name."""
    folder = toy.root / "katas" / name
    shutil.copytree(toy.folder, folder)
    (folder / "test_toy.py").rename(folder / f"test_{name}.py")
    manifest = (
        f'format = 1\ntitle = "{title}"\nlevel = {level}\nminutes = 5\ncontract = "calls"\neditable = ["toy.py"]\n'
    )
    (folder / "kata.toml").write_text(manifest + more, encoding="utf-8")
    return folder
