"""An installed pack with one quick kata, and submissions for it."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import sqlite3
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.support.commands import Started, kata
from tests.support.places import REPOSITORY
from tests.support.toy import CHECK, MANIFEST

if TYPE_CHECKING:
    import subprocess

RIGHT = 'class Thing:\n    def go(self):\n        return "gone"\n'
WRONG = RIGHT.replace("gone", "here")
HANGS = "import time\n\n\nclass Thing:\n    def go(self):\n        time.sleep(60)\n"
ELSEWHERE = str(Path(__file__).with_name("elsewhere.py"))


def before_python_path(site: Path) -> str:
    """Return a PYTHONPATH with a folder ahead of what is in it."""
    return os.pathsep.join(filter(None, (str(site), os.environ.get("PYTHONPATH"))))


def install(site: Path, package: str) -> None:
    """Make the folder `package` of `site` an installed package that offers katas; `site` belongs in PYTHONPATH."""
    (site / package / "__init__.py").touch()
    info = site / f"{package}-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1\n")
    (info / "entry_points.txt").write_text(f"[drill_katas.packs]\n{package} = {package}\n")


def records(file: Path) -> list[tuple[str, bytes]]:
    """The keys and grades in a database of `kata grade`, which has it locked; none while it is made or removed."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "copy"
        with contextlib.suppress(FileNotFoundError):
            shutil.copyfile(file, copy)
            shutil.copyfile(f"{file}-wal", f"{copy}-wal")
        with contextlib.closing(sqlite3.connect(copy)) as database:
            try:
                return database.execute("SELECT key, grade FROM grades").fetchall()
            except sqlite3.DatabaseError:
                return []


class Pack:
    """A package `toys` that offers the kata `toy`, as installed; and `work`, a folder with what was handed in."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.work = root / "work"
        self.work.mkdir()
        self.file = root / "grades.json"
        site = root / "site"
        self.folder = site / "toys" / "katas" / "toy"
        self.folder.mkdir(parents=True)
        install(site, "toys")
        (self.folder / "kata.toml").write_text(MANIFEST)
        (self.folder / "toy.py").write_text(WRONG)
        self.checks(CHECK)
        self.temporary = Path(tempfile.mkdtemp(prefix="t-", dir="/tmp"))  # its path has to be short
        self.state = root / "state" / "drill-katas"
        self.env = {
            "PYTHONPATH": before_python_path(site), "TMPDIR": str(self.temporary), "PYTHONDONTWRITEBYTECODE": "1",
            "XDG_STATE_HOME": str(root / "state"),
        }  # fmt: skip

    def checks(self, text: str) -> None:
        """Write the kata's checks."""
        (self.folder / "test_toy.py").write_text(f"import pytest\nfrom drill_katas import kit\n{text}")

    def hand_in(self, name: str, module: str) -> Path:
        """Hand a module in."""
        folder = self.work / name
        folder.mkdir()
        (folder / "toy.py").write_text(module, encoding="utf-8")
        return folder

    def grade(self, *options: object, code: int = 0) -> dict[str, Any]:
        """Grade all of it, by one judge unless `--jobs` is among the options, and return the grades by id."""
        options = options if "--jobs" in options else ("--jobs", 1, *options)
        result = kata(self.root, "grade", self.work, "--json", self.file, *options, env=self.env)
        assert result.returncode == code, result.stdout + result.stderr
        return self.grades()

    def grades(self) -> dict[str, Any]:
        """The grades in the file, by id, in its order."""
        return {grade["id"]: grade for grade in json.loads(self.file.read_bytes())["submissions"]}

    def started(self, *options: object, world: str | None = None) -> Started:
        """Begin to grade all of it, where a `world` of `tests/support/elsewhere.py` allows less if one is given."""
        options = ("grade", self.work, "--json", self.file, *options)
        return Started(self.root, *options, wrapper=self.wrapper(world) if world else (), env=self.env)

    def elsewhere(self, world: str, *options: object) -> subprocess.CompletedProcess[str]:
        """Grade all of it in a world of `tests/support/elsewhere.py`, where less is allowed; return how it ended."""
        for folder in (self.root, self.work, self.temporary):
            folder.chmod(0o777)
        env = {**self.env, "HOME": self.env["TMPDIR"]}
        return kata(self.root, "grade", self.work, *options, wrapper=self.wrapper(world), env=env)

    def wrapper(self, world: str) -> list[str]:
        """A command prefix that runs a command in a world of `tests/support/elsewhere.py`."""
        folders = [sys.prefix, sys.base_prefix, REPOSITORY, self.root]
        return [sys.executable, ELSEWHERE, world, *map(str, folders), "--"]

    def kept(self) -> list[bytes]:
        """The grades so far of a run that is not over."""
        return [record for file in self.state.glob("*.grades") for _, record in records(file)]

    def left(self) -> list[str]:
        """The names in the folder for temporary files."""
        return [entry.name for entry in self.temporary.iterdir()]

    def close(self) -> None:
        """Remove that folder."""
        shutil.rmtree(self.temporary)
