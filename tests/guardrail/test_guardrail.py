"""`kata guardrail`: tests that reject wrong versions of a module, and pass right ones."""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import msgspec
import pytest

from drill_katas.catalog.scaffold import scaffold
from drill_katas.guardrail.result import GuardrailResult
from drill_katas.practice.journal import Guarded, Journal
from tests.support.commands import kata, refused, words

if TYPE_CHECKING:
    from pathlib import Path

NAME = "cart"
TOTAL = """
def test_total_follows_additions(sut):
    with sut.open("Basket") as basket:
        for due in (250, 500):
            basket.add("pen", 250, 1)
            assert basket.total() == due
"""
IDLE = """
def test_new_basket_is_empty(sut):
    with sut.open("Basket") as basket:
        assert basket.total() == 0
"""
LATER = """
def test_two_articles_add_up(sut):
    with sut.open("Basket") as basket:
        basket.add("pen", 250, 1)
        assert basket.total() == 250
        basket.add("lamp", 4900, 1)
        assert basket.total() == 5150
"""


@pytest.fixture
def cart(tmp_path):
    """A workspace with a new kata; returns the path of its guardrail, which does not exist yet."""
    (tmp_path / "katas").mkdir()
    scaffold(tmp_path, NAME, "calls")
    return tmp_path / "katas" / NAME / "guardrail.py"


def root_of(cart: Path) -> Path:
    return cart.parents[2]


def tried(cart: Path, source: str | None = None, *options: str):
    """Write a guardrail and judge it; return the exit code and the output in one line."""
    if source is not None:
        cart.write_text(source)
    done = kata(root_of(cart), "guardrail", NAME, *options)
    return done.returncode, words(done.stdout + done.stderr)


def result_of(cart: Path, source: str) -> GuardrailResult:
    cart.write_text(source)
    return msgspec.json.decode(kata(root_of(cart), "guardrail", NAME, "--json").stdout, type=GuardrailResult)


def events_of(cart: Path):
    return [each for each in Journal(root_of(cart) / ".kata" / "journal.jsonl").read().events if type(each) is Guarded]


def test_first_call_writes_a_guardrail(cart):
    code, shown = tried(cart)
    assert code == 1
    assert cart.read_bytes() == cart.with_name("guardrail_start.py").read_bytes()
    assert "New: katas/cart/guardrail.py. Add tests to it" in shown
    assert "right designs passed 4 of 4 wrong versions rejected 0 of 6" in shown
    assert "score 0 of 100; 80 is enough" in shown


def test_old_workspace_starts_from_the_shipped_file(tmp_path):
    """It was made before the kata had a first guardrail."""
    assert kata(tmp_path, "init", ".").returncode == 0
    start = tmp_path / "katas" / "fp_drift" / "guardrail_start.py"
    shipped = start.read_bytes()
    start.unlink()
    assert kata(tmp_path, "guardrail", "fp_drift").returncode == 1
    assert start.with_name("guardrail.py").read_bytes() == shipped


def test_own_guardrail_is_never_overwritten(cart):
    tried(cart, IDLE)
    tried(cart)
    assert cart.read_text() == IDLE


def test_reference_guardrail_rejects_all(cart):
    shutil.copy(root_of(cart) / "solutions" / NAME / "guardrail.py", cart)
    code, shown = tried(cart)
    assert code == 0
    assert "wrong versions rejected 6 of 6" in shown
    assert "score 100 of 100; 80 is enough Next: `kata spec cart` keeps its rules" in shown
    (event,) = events_of(cart)
    assert (event.score, event.passed, event.right, event.rejected, event.wrong) == (100, 4, 4, 6, 6)
    assert "guardrail: 100 points; passes 4 of 4 right designs" in words(kata(root_of(cart), "history", NAME).stdout)


def test_guardrail_that_asserts_nothing_scores_0(cart):
    code, shown = tried(cart, "def test_nothing(sut):\n    pass\n")
    assert code == 1
    assert "score 0 of 100. It passes even a module in which no function does anything." in shown


def test_refused_design_is_explained(cart):
    shutil.copy(root_of(cart) / "solutions" / NAME / "guardrails" / "exact_words.py", cart)
    code, shown = tried(cart)
    assert code == 1
    assert "right designs passed 3 of 4 wrong versions do not count before the score is above 0" in shown
    assert "test_a_refusal_names_the_least_quantity fails on the design by_price:" in shown
    assert "The contract allows this design: It counts pieces by article and price" in shown
    assert "score 0 of 100. A guardrail that fails on a right design gets switched off." in shown


def test_wrong_test_fails_on_the_reference(cart):
    source = 'def test_sum(sut):\n    assert sut.open("Basket").total() == 7, "it should be 7"\n'
    result = result_of(cart, source)
    assert result.of("reference")[0].failed == {"test_sum": "it should be 7"}
    assert not result.of("broken", "near miss"), "they do not count any more"
    assert result.score == 0
    _, shown = tried(cart, source)
    assert "test_sum fails on the reference solution" in shown
    assert "it should be 7 Its last calls before that: Basket(...) basket.total() -> 0" in shown


def test_exception_of_the_test_itself_is_told_from_a_refusal(cart):
    _, shown = tried(cart, "def test_sum(sut):\n    sut.no_such_name\n")
    assert "AttributeError: " in shown
    assert "gets switched off. Correct the test that raises." in shown
    assert "The contract allows" not in shown


def test_each_test_shows_what_it_rejects(cart):
    """A test that is never reached, because an earlier one fails first, is tried on its own."""
    result = result_of(cart, TOTAL + IDLE + LATER)
    assert result.rejects["test_total_follows_additions"] == 3
    assert result.rejects["test_new_basket_is_empty"] == 0
    assert result.rejects["test_two_articles_add_up"] >= 1
    assert {trial.name for trial in result.slipped} == {"last_price", "checked_too_late"}
    assert result.score == 66


def test_lessons_are_shown_after_the_solve(cart):
    lesson = "The addition is refused after it has changed the basket."
    _, shown = tried(cart, TOTAL)
    assert lesson not in shown
    assert "3 wrong versions passed. Solve the kata to read what is wrong with them." in shown
    shutil.copy(root_of(cart) / "solutions" / NAME / "basket.py", cart.with_name("basket.py"))
    assert kata(root_of(cart), "run", NAME).returncode == 0
    code, shown = tried(cart)
    assert code == 1
    assert "These wrong fixes passed:" in shown
    assert lesson in shown


def test_versions_held_back_are_not_tried(cart):
    answer = root_of(cart) / "solutions" / NAME / "answer.toml"
    text = answer.read_text()
    answer.write_text(text.replace("[near_misses.last_price]", "[near_misses.last_price]\nheld_back = true"))
    assert {trial.name for trial in result_of(cart, TOTAL).slipped} == {
        "checked_too_late",
        "refreshed_for_known_articles",
    }


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def test_x(:\n", "line 1 is not Python: invalid syntax"),
        ("\0", "is not Python"),
        ("def helper(sut):\n    pass\n", "has no test; write a function `test_...(sut)`"),
        (
            "from .basket import Basket\n\ndef test_x(sut):\n    pass\n",
            "line 1 has a relative import; a guardrail is one file",
        ),
        ("import nothing_here\n\ndef test_x(sut):\n    pass\n", "No module named 'nothing_here'"),
        ("import os\nos._exit(0)\n\ndef test_x(sut):\n    pass\n", "ended the process that runs it"),
        ("import os\n\ndef test_x(sut):\n    os._exit(0)\n", "ended the process that runs it"),
        ("#" * 300_000, "has 300,000 bytes; a guardrail has at most 200,000"),
        ("def test_x(no_such_fixture):\n    pass\n", "no_such_fixture"),
    ],
)
def test_bad_guardrail_gets_one_sentence(cart, source, message):
    cart.write_text(source)
    done = kata(root_of(cart), "guardrail", NAME)
    assert done.returncode in {1, 2}
    assert message in words(done.stdout + done.stderr)
    assert "Traceback" not in done.stdout + done.stderr
    assert cart.read_text() == source


def test_guardrail_in_latin_1_is_refused(cart):
    cart.write_bytes("def test_x(sut):\n    assert 'caf\xe9'\n".encode("latin-1"))
    assert "is not Python" in refused(kata(root_of(cart), "guardrail", NAME))


@pytest.mark.long
def test_endless_test_is_a_hang(cart):
    kata_toml = cart.with_name("kata.toml")
    kata_toml.write_text(kata_toml.read_text() + "\n[limits]\ncheck_seconds = 1\n")
    result = result_of(cart, "def test_x(sut):\n    while True:\n        pass\n")
    assert "did not end within its 1 s" in result.refused[0].failed["test_x"]


def test_endless_output_fails_the_test(cart):
    result = result_of(cart, 'def test_x(sut):\n    while True:\n        print("x" * 9999)\n')
    assert "File too large" in result.refused[0].failed["test_x"]


def test_skipped_test_rejects_nothing(cart):
    result = result_of(cart, "import pytest\n\ndef test_x(sut):\n    pytest.skip('later')\n")
    assert result.passes_everything


def test_guardrail_remembers_no_other_version(cart):
    """Each version is judged in a fresh process."""
    memory = "seen = []\n\n\ndef test_first(sut):\n    seen.append(1)\n    assert len(seen) == 1\n"
    source = TOTAL + memory
    assert not result_of(cart, source).refused


@pytest.mark.parametrize("arguments", [["katas/cart/guardrail.py"], ["--kata", NAME, "--kata-guardrail=mine.py"]])
def test_guardrail_runs_on_own_files(cart, arguments):
    """It is not an attempt, and solves nothing."""
    cart.write_text(IDLE)
    (root_of(cart) / "mine.py").write_text(IDLE)
    done = pytest_in(root_of(cart), *arguments)
    shown = words(done.stdout)
    assert done.returncode == 0, done.stdout
    assert "guardrail ✓ test_new_basket_is_empty" in shown
    assert "cart: ran your guardrail on your files" in shown
    assert "not an attempt next: `kata guardrail cart` shows which wrong versions it rejects" in shown
    assert not Journal(root_of(cart) / ".kata" / "journal.jsonl").read().events


def test_checks_and_guardrail_never_mix(cart):
    cart.write_text(IDLE)
    done = pytest_in(root_of(cart), "katas/cart/guardrail.py", "katas/cart/test_cart.py")
    assert "a guardrail runs alone" in words(done.stdout + done.stderr)
    missing = pytest_in(root_of(cart), "--kata", NAME, "--kata-guardrail=nowhere.py")
    assert "`kata guardrail cart` writes a first guardrail" in words(missing.stdout + missing.stderr)


def test_kata_run_leaves_guardrail_out(cart):
    cart.write_text("def test_x(sut):\n    assert False\n")
    assert "test_x" not in pytest_in(root_of(cart), "--kata", NAME).stdout


def pytest_in(folder: Path, *arguments: str):
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True, timeout=120)
