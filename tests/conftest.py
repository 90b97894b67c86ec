"""The fixtures of all tests."""

from __future__ import annotations

import json
import os
import shutil
from functools import partial
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from drill_katas.catalog.katas import shipped
from drill_katas.files import run_folder
from drill_katas.practice.journal import Journal
from tests.support.commands import done, replay
from tests.support.night import write_night
from tests.support.shared import SharedFolder
from tests.support.suts import SutBench, open_zygotes
from tests.support.toy import FINE, HINTS, Toy

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from drill_katas.judge.zygote_client import AlternatingZygotes

settings.register_profile("busy", suppress_health_check=[HealthCheck.too_slow], deadline=None)
settings.load_profile("busy")  # how long an example takes is the machine's doing
REPLAYED = {"drills", "mended"}  # fixtures with the incidents of all katas
collect_ignore = ["support"]  # the checks of the small katas there are run by katas alone


@pytest.fixture(scope="session")
def shared(tmp_path_factory: pytest.TempPathFactory) -> SharedFolder:
    """The folder for what is made once in a run of the tests, whichever worker makes it."""
    base = tmp_path_factory.getbasetemp()
    return SharedFolder(base.parent if "PYTEST_XDIST_WORKER" in os.environ else base)


@pytest.hookimpl(tryfirst=True)  # before pytest deselects by `-m`
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests that need the incidents of the four katas as long, because their replay takes a minute."""
    for item in items:
        if REPLAYED & set(getattr(item, "fixturenames", ())):
            item.add_marker("long")


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
    for name in sorted(REPLAYED & used):
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
    """A file that a SUT can append to as any user."""
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
