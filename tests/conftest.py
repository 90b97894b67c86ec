"""What the tests drive: a workspace with a tiny kata of their own, and real pytest processes on it."""

from __future__ import annotations

import json
import os
import shutil
import sys
import textwrap
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from drill_katas.catalog.katas import shipped
from drill_katas.files import run_folder
from drill_katas.practice.journal import Journal
from drill_katas.verdict import CheckResult, Report, Verdict
from tests.support.commands import done, replay
from tests.support.night import write_night
from tests.support.shared import SharedFolder
from tests.support.suts import SutBench, open_zygotes
from tests.support.warm_client import run_command

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

    from drill_katas.judge.zygote_client import AlternatingZygotes

collect_ignore = ["support"]  # the checks of the small katas there are run by katas alone
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

    def pytest(self, *args: str, env: dict[str, str] | None = None, **kwargs) -> subprocess.CompletedProcess[str]:
        """Run a real pytest in the workspace; `--kata toy` is added when no kata is named."""
        named = any(arg == "--kata" or arg.startswith("katas") for arg in args)
        chosen = args if named else ("--kata", "toy", *args)
        where = kwargs.pop("cwd", self.root)
        return run([sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *chosen], where, env, **kwargs)

    def kata(self, *args: str, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
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
    command: list[str], cwd: Path, env: dict[str, str] | None = None, timeout: float = 120
) -> subprocess.CompletedProcess[str]:
    """Run a command as a person would, at 80 columns and without colour."""
    outer = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "COLUMNS"))}
    path = os.pathsep.join((str(Path(sys.executable).parent), outer["PATH"]))
    environment = {**outer, "PATH": path, "COLUMNS": "80", "PYTHONUTF8": "1", **(env or {})}
    return run_command(command, cwd, environment, timeout)


def add_kata(toy, name, *, level=1, title="Another toy", more=""):
    folder = toy.root / "katas" / name
    shutil.copytree(toy.folder, folder)
    (folder / "test_toy.py").rename(folder / f"test_{name}.py")
    manifest = (
        f'format = 1\ntitle = "{title}"\nlevel = {level}\nminutes = 5\ncontract = "calls"\neditable = ["toy.py"]\n'
    )
    (folder / "kata.toml").write_text(manifest + more, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> SharedFolder:
    """The folder for what is made once in a run of the tests, whichever worker makes it."""
    base = tmp_path_factory.getbasetemp()
    return SharedFolder(base.parent if "PYTEST_XDIST_WORKER" in os.environ else base)


def replayed(shared: SharedFolder, name: str, *options: str) -> Path:
    """Return a workspace with the incidents of all katas, which the workers replay side by side."""
    folder = shared.make(name, lambda folder: done(folder, "init", "."))
    shared.make_all({f"{name}-{each}": partial(replay, folder, each, *options) for each in shipped().names()})
    return folder


@pytest.fixture(scope="session")
def drills(shared: SharedFolder) -> Path:
    """A workspace as `kata init` makes it, with all incidents replayed on the broken modules. Do not change it."""
    return replayed(shared, "drills")


@pytest.fixture(scope="session")
def mended(shared: SharedFolder) -> Path:
    """The same, replayed on the solutions."""
    return replayed(shared, "mended", "--from", "solutions")


@pytest.fixture(autouse=True, scope="session")
def _replays_first(request: pytest.FixtureRequest) -> None:
    """Replay incidents before any other test runs, with no more at once than there are workers: none runs late."""
    used = {name for item in request.session.items for name in getattr(item, "fixturenames", ())}
    for name in sorted({"drills", "mended"} & used):
        request.getfixturevalue(name)


@pytest.fixture
def own(drills: Path, tmp_path: Path) -> Path:
    """A copy of `drills` to change; without its journal, in which other tests' questions are."""
    return shutil.copytree(drills, tmp_path / "own", ignore=shutil.ignore_patterns(Journal.NAME))


@pytest.fixture
def quiet_night(tmp_path: Path) -> Path:
    """A workspace with the kata `night`, whose incident was not replayed."""
    return write_night(tmp_path)


@pytest.fixture
def night(shared: SharedFolder, tmp_path: Path) -> Path:
    """The same, with its incident replayed on the broken module; its journal is empty."""
    made = shared.make("night", lambda folder: replay(write_night(folder), "night"))
    return shutil.copytree(made, tmp_path, dirs_exist_ok=True, ignore=shutil.ignore_patterns(Journal.NAME))


@pytest.fixture(autouse=True, scope="session")
def _state(tmp_path_factory: pytest.TempPathFactory):
    """A state folder of the tests' own, in place of the user's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(scope="session")
def zygotes() -> Iterator[AlternatingZygotes]:
    """The warm processes that all programs of `sut_bench` are forked from."""
    yield from open_zygotes()


@pytest.fixture
def sut_bench(zygotes: AlternatingZygotes) -> Iterator[SutBench]:
    """Starts programs from source in this process."""
    with SutBench(zygotes) as made:
        yield made


@pytest.fixture
def notes() -> Iterator[Path]:
    """A file that a SUT may append to, whatever user it runs as."""
    with run_folder() as folder:
        folder.chmod(0o755)
        file = folder / "notes"
        file.touch()
        file.chmod(0o666)
        yield file


@pytest.fixture
def toy(tmp_path: Path) -> Toy:
    return Toy(tmp_path)


@pytest.fixture
def answered(toy):
    """The toy, broken, with a solution and three hints."""
    toy.module('class Thing:\n    def go(self):\n        return "here"\n')
    solutions = toy.root / "solutions" / "toy"
    solutions.mkdir(parents=True)
    (solutions / "toy.py").write_text(FINE, encoding="utf-8")
    answer = f'format = 1\nhints = {json.dumps(HINTS)}\n[broken.original]\ntest_go = "it should be gone"\n'
    (solutions / "answer.toml").write_text(answer, encoding="utf-8")
    return toy


@pytest.fixture(scope="module")
def browser():
    """Debian's Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def opened(browser):
    """Opens a file; a request for anything but that file, or an error on the page, is a failure."""
    asked, wrong = [], []
    page = browser.new_page(viewport={"width": 1400, "height": 1000})
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda message: wrong.append(message.text) if message.type == "error" else None)

    def open_file(file, width=1400):
        page.set_viewport_size({"width": width, "height": 1000})
        page.goto(file.as_uri())
        page.wait_for_selector(".u-wrap")
        return page

    yield open_file
    page.close()
    assert [url for url in asked if not url.startswith(("file://", "data:"))] == []
    assert len([url for url in asked if url.startswith("file://")]) == 1, asked
    assert wrong == []
