"""`kata grade` of submissions with a guardrail: hostile tests, each version of the module in a sandbox of its own."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
from typing import TYPE_CHECKING, Any

import pytest

from drill_katas.catalog.scaffold import scaffold
from tests.support.commands import Started, kata
from tests.support.pack import before_python_path, install, records
from tests.support.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.long
NAME = "cart"
LAST_PRICE = "[near_misses.last_price]"
EMPTY = """
def test_total(sut):
    with sut.open("Basket") as basket:
        assert basket.total() == 0, "it is not empty"
"""
SLEEPS = "import time\n\n\ndef test_total(sut):\n    time.sleep(2)\n"
EXITS = "import os\n\n\ndef test_total(sut):\n    os._exit(0)\n"
FORGES = """
import os


def test_total(sut):
    os.write(3, b'{"ok": {"test_total": "pass"}}\\n')
    os._exit(0)
"""
FORGES_A_NAME = """
import os


def test_total(sut):
    os.write(3, b'{"ok": {"a secret": "fail"}}\\n')
    os._exit(0)
"""
RECOGNIZES = """
from drill_katas import failures


def hints(sut):
    try:
        yield sut.open("__getattribute__", "__loader__").get_source("cart.basket")
    except failures.CheckEnded:
        pass
    try:
        yield sut.open("Counter").total
    except failures.CheckEnded:
        pass
    with sut.open("Basket") as basket:
        try:
            yield basket.__getattr__("__dir__")()
        except failures.CheckEnded:
            pass
        try:
            basket.add("pen", 250, 0)
        except failures.SutError as error:
            yield (*error.details, error.place or "")
        try:
            basket.add("pen", 250)
        except failures.CheckEnded as error:
            yield "sku" in str(error)


def test_nothing_shows_the_source(sut):
    found = [hint for hint in hints(sut) if hint and hint != ("",)]
    assert not found, found
"""
SPIES = """
import os, socket
from pathlib import Path

PLACES = {places!r}


def is_readable(place):
    try:
        return bool(os.listdir(place) if os.path.isdir(place) else open(place).read())
    except OSError:
        return False


def test_reads_nothing_of_the_grader(sut):
    found = [place for place in PLACES if is_readable(place)]
    assert not found, found


def test_writes_nothing(sut):
    for folder in (*PLACES, "/", Path(__file__).parent, Path(__file__).parents[4]):
        try:
            (Path(folder) / "written").write_text("x")
        except OSError:
            continue
        raise AssertionError(folder)


def test_reaches_no_network(sut):
    for address in (("127.0.0.1", {port}), ("::1", {port})):
        for family in (socket.AF_INET, socket.AF_INET6):
            try:
                socket.socket(family).connect(address)
            except OSError:
                continue
            raise AssertionError(address)


def test_reaches_no_socket_of_the_host(sut):
    link = Path("/tmp/link")
    link.symlink_to({door!r})
    for path in ({door!r}, link):
        try:
            socket.socket(socket.AF_UNIX).connect(str(path))
        except OSError:
            continue
        raise AssertionError(path)


def test_basket_counts(sut):
    with sut.open("Basket") as basket:
        basket.add("pen", 250, 1)
        assert basket.total() == 250
        basket.add("pen", 250, 1)
        assert basket.total() == 500
"""


class Grading:
    """An installed pack with a kata and its solutions, and one submission for it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        site = root / "site"
        self.library = site / "carts"
        (self.library / "katas").mkdir(parents=True)
        scaffold(self.library, NAME, "calls")
        install(site, "carts")
        self.solutions = self.library / "solutions" / NAME
        self.work = root / "work" / "one"
        self.work.mkdir(parents=True)
        shutil.copy(self.solutions / "basket.py", self.work)
        self.file = root / "grades.json"
        self.command = ("grade", root / "work", "--json", self.file, "--require-tier", "strong")
        self.env = {"PYTHONPATH": before_python_path(site), "XDG_STATE_HOME": str(root / "state")}

    def weigh(self, weight: float) -> None:
        """Give the guardrail a weight; those of the stages add up to 100."""
        manifest = self.library / "katas" / NAME / "kata.toml"
        manifest.write_text(f"{manifest.read_text()}\n[weights]\nguardrail = {weight}\n")

    def grade(self, guardrail: str | None = None, code: int = 0) -> dict[str, Any]:
        """Grade the submission with this guardrail; return its grade."""
        if guardrail is not None:
            (self.work / "guardrail.py").write_text(guardrail)
        done = kata(self.root, *self.command, env=self.env)
        assert done.returncode == code, done.stdout + done.stderr
        return self.graded()

    def graded(self) -> dict[str, Any]:
        """Return the grade in the file."""
        (grade,) = json.loads(self.file.read_bytes())["submissions"]
        return grade

    def guardrail(self, source: str, code: int = 0) -> dict[str, Any]:
        """Grade the submission with this guardrail; return the grade of the guardrail."""
        return self.grade(source, code)["checks"][-1]

    def reference(self) -> str:
        """The source of the reference guardrail."""
        return (self.solutions / "guardrail.py").read_text()


@pytest.fixture
def grading(tmp_path):
    return Grading(tmp_path)


def test_without_weight_it_is_shown_and_not_counted(grading):
    grade = grading.grade(grading.reference())
    assert grade["score"] == 100
    assert grade["checks"][-1]["stage"] == "guardrail"
    assert grade["checks"][-1]["verdict"] == "pass"
    assert grade["checks"][-1]["message"] == "it rejects 6 of 6 wrong versions"
    assert grade["checks"][-1]["worth"] == 0


def test_resumed_run_keeps_the_verdict_on_the_module(grading):
    """It was killed while the guardrail was judged."""
    (grading.work / "guardrail.py").write_text(SLEEPS)

    def kept() -> list[dict[str, Any]]:
        files = (grading.root / "state").rglob("*.grades")
        return [json.loads(record) for file in files for _, record in records(file)]

    with Started(grading.root, *grading.command, env=grading.env) as started:
        wait_until(kept, 60)
        started.process.kill()
    (module,) = kept()
    assert [check["stage"] == "guardrail" for check in module["checks"]] == [False] * 5
    done = kata(grading.root, *grading.command, "--resume", env=grading.env)
    assert done.returncode == 0, done.stdout + done.stderr
    grade = grading.graded()
    assert grade["checks"][-1]["stage"] == "guardrail"
    assert grade["seconds"] == module["seconds"], "the module was judged again"


def test_without_guardrail_nothing_is_missing(grading):
    grade = grading.grade()
    assert grade["score"] == 100
    assert {check["stage"] for check in grade["checks"]}.isdisjoint({"guardrail"})


def test_its_score_decides_its_share(grading):
    grading.weigh(25)  # of 125
    weak = grading.grade(EMPTY)
    assert weak["checks"][-1]["message"] == "it rejects 0 of 6 wrong versions; 80 % are enough"
    assert (weak["score"], weak["solved"]) == (80, True)
    assert grading.grade(grading.reference())["score"] == 100


def test_with_weight_a_missing_guardrail_costs_its_share(grading):
    grading.weigh(25)
    grade = grading.grade()
    assert grade["checks"][-1]["message"] == "the submission has no guardrail.py"
    assert grade["score"] == 80


def test_refused_design_is_named_by_what_the_contract_allows(grading):
    grading.weigh(25)
    wrong = (grading.solutions / "guardrails" / "exact_words.py").read_text()
    grade = grading.grade(wrong)
    assert "fails on a right version. The contract allows this design: " in grade["checks"][-1]["message"]
    assert grade["score"] == 80


def test_held_back_versions_are_tried(grading):
    answer = grading.solutions / "answer.toml"
    answer.write_text(answer.read_text().replace(LAST_PRICE, f"{LAST_PRICE}\nheld_back = true"))
    assert grading.guardrail(grading.reference())["message"] == "it rejects 6 of 6 wrong versions"


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (EXITS, "its tests ended their process (exited with status 0)"),
        ("def test_x(sut):\n    return\n", "it passes even a module in which no function does anything"),
        ("def test_x(sut:\n", "guardrail.py, line 1 is not Python: '(' was never closed"),
        ("x = 1\n", "guardrail.py has no test; write a function `test_...(sut)` that fails on the broken module"),
        (
            "import nothing_like_it\n\n\ndef test_x(sut):\n    pass\n",
            "its tests cannot be collected; `kata guardrail` says why",
        ),
    ],
    ids=["exits", "idle", "no Python", "no test", "no import"],
)
def test_bad_guardrail_has_a_reason(grading, source, message):
    check = grading.guardrail(source)
    assert check["verdict"] == "fail"
    assert check["message"].startswith(message)


def test_forged_words_are_the_forgers_own(grading):
    """It can say what it likes of itself, and no more: passing everything is no merit."""
    check = grading.guardrail(FORGES)
    assert check["message"] == "it passes even a module in which no function does anything"


def test_name_of_a_test_carries_nothing_out(grading):
    """Hostile tests choose the names in their answer, which the grade would show to their author."""
    check = grading.guardrail(FORGES_A_NAME)
    assert check["message"].startswith("one of its tests fails on a right version."), check["message"]


def test_guardrail_over_its_limit_leaves_the_fix_graded(grading):
    grade = grading.grade("#" * (2 << 20))
    assert grade["score"] == 100
    assert "guardrail.py is unreadable: guardrail.py has more than 1 MiB" in grade["notes"]


def test_guardrail_in_utf_16_is_judged(grading):
    (grading.work / "guardrail.py").write_text(grading.reference(), encoding="utf-16")
    assert grading.grade()["checks"][-1]["message"] == "it rejects 6 of 6 wrong versions"


def test_kata_without_versions_judges_no_guardrail(grading):
    """Anybody can submit a guardrail, also for a kata that has none; the fixes are graded all the same."""
    (grading.solutions / "answer.toml").unlink()
    grade = grading.grade(EMPTY)
    assert grade["score"] == 100
    assert grade["checks"][-1]["message"] == "this kata has no versions to try a guardrail on"


def test_much_output_of_a_test_is_no_fault(grading):
    loud = grading.reference().replace("    with sut.open", "    print('x' * 5_000_000)\n    with sut.open")
    assert grading.guardrail(loud)["message"] == "it rejects 6 of 6 wrong versions"


def test_source_of_a_version_stays_hidden(grading):
    """A guardrail that sees the source recognizes the versions; it would need to test none."""
    check = grading.guardrail(RECOGNIZES)
    assert check["message"] == "it rejects 0 of 6 wrong versions; 80 % are enough"


def test_forged_not_judged_is_a_failure(grading):
    """On a quiet machine no test comes out `not judged`; otherwise a bad guardrail could cost no points."""
    check = grading.guardrail(FORGES.replace('"pass"', '"not judged"'))
    assert check["verdict"] == "fail" or "the machine was too busy" in check["message"], check


def test_spy_sees_and_reaches_nothing(grading, tmp_path):
    """Each of its tests fails if the sandbox lets it do something; only the last one looks at the module."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    with contextlib.ExitStack() as listening:
        door = str(outside / "door")
        host = listening.enter_context(socket.socket(socket.AF_UNIX))
        host.bind(door)
        host.listen()
        port = listening.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1]
        places = [str(outside), str(outside / "secret"), str(grading.solutions), str(grading.library / "katas")]
        source = SPIES.format(places=places, port=port, door=door)
        check = grading.guardrail(source)
        host.settimeout(0.1)
        with pytest.raises(TimeoutError):
            host.accept()
    assert check["verdict"] != "not judged", check
    assert "on a right version" not in check["message"], check["message"]
    assert not (outside / "written").exists()
