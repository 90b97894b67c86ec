"""`kata verify` proves the guardrails in a kata's solutions."""

from __future__ import annotations

import pytest

from drill_katas.catalog.katas import Library
from drill_katas.catalog.scaffold import scaffold
from drill_katas.guardrail.certifying import guardrail_faults
from tests.support.commands import kata, words

pytestmark = pytest.mark.long
NAME = "cart"
TOTAL = """
def test_total_follows_additions(sut):
    with sut.open("Basket") as basket:
        for due in (250, 500):
            basket.add("pen", 250, 1)
            assert basket.total() == due
"""
STRICT = """
def test_first_total(sut):
    assert sut.open("Basket").total() == 7, "it should be 7"
"""


@pytest.fixture
def solutions(tmp_path):
    """The solutions of a new kata in a workspace."""
    (tmp_path / "katas").mkdir()
    scaffold(tmp_path, NAME, "calls")
    return tmp_path / "solutions" / NAME


def faults(solutions) -> list[str]:
    library = Library(solutions.parents[1] / "katas")
    return list(guardrail_faults(library.get(NAME), lambda *_: None))


def test_scaffold_has_no_fault(solutions):
    assert faults(solutions) == []


def test_missing_reference_is_a_fault(solutions):
    (solutions / "guardrail.py").unlink()
    (fault,) = faults(solutions)
    assert fault.startswith("there is no guardrail.py in ")


def test_weak_reference_is_a_fault(solutions):
    (solutions / "guardrail.py").write_text(TOTAL)
    (fault,) = faults(solutions)
    assert fault.startswith("guardrail.py: the score is 50; it should be at least 90. These pass: ")


def test_reference_that_refuses_a_right_version_is_a_fault(solutions):
    (solutions / "guardrail.py").write_text(STRICT)
    assert faults(solutions) == ["guardrail.py: test_first_total fails on the reference solution: it should be 7"]


def test_wrong_guardrail_with_points_is_a_fault(solutions):
    (solutions / "guardrails" / "exact_words.py").write_text(TOTAL)
    (fault,) = faults(solutions)
    assert fault == "guardrails/exact_words.py is not refused: it passes every right design, and fails on the canary"


def test_one_wrong_guardrail_is_too_few(solutions):
    (solutions / "guardrails" / "exact_words.py").unlink()
    (fault,) = faults(solutions)
    assert "has 1 wrong guardrails; 2 are needed" in fault


def test_verify_shows_a_fault_of_the_guardrail(solutions):
    (solutions / "guardrail.py").write_text(TOTAL)
    done = kata(solutions.parents[1], "verify", NAME)
    assert done.returncode == 1
    assert "guardrail.py: the score is 50; it should be at least 90." in words(done.stdout + done.stderr)
