"""The score of a post-mortem: the reference, and texts that must get nothing."""

from __future__ import annotations

import re
import shutil

import pytest

from drill_katas.catalog.answer import read_answer
from drill_katas.catalog.katas import ORIGINAL, Library, shipped
from drill_katas.postmortem.certifying import postmortem_faults
from tests.support.commands import done, kata, words
from tests.support.replays import NAMES
from tests.support.studied import checked, edit, factors_of, file_of, found, review_of, studied, use_reference

FILLER = "We take incidents seriously. The team learned a lot, and the system is more reliable now. " * 6


def test_the_reference_passes_its_check(reference, tmp_path):
    review = checked(tmp_path)
    assert found(review) == []
    assert review["score"] >= 90
    assert (review["named"], review["missing"]) == (review["of"], [])
    assert "no finding" in done(tmp_path, "postmortem", "red_herring", "--check")


@pytest.mark.long
@pytest.mark.parametrize("name", [name for name in NAMES if name != "red_herring"])
def test_other_references_pass_their_checks(shared, tmp_path, name):
    folder = studied(shared, tmp_path, name)
    use_reference(folder, name)
    review = checked(folder, name)
    assert found(review) == []
    assert review["score"] >= 90


def test_an_untouched_draft_scores_nothing(herring):
    done(herring, "postmortem", "red_herring")
    review = checked(herring)
    assert review["score"] == 0
    assert len(review["findings"]) > 10


def test_an_empty_file_scores_nothing(herring):
    file_of(herring).touch()
    review = checked(herring)
    assert review["score"] == 0
    assert review["findings"]


def test_filler_scores_near_nothing(reference, tmp_path):
    """All headings and tables are there, and every cell has words and real ids, but no factor of the incident."""
    text = reference.read_text(encoding="utf-8")
    rows = [
        f"| F{number} | {kind} | {FILLER[:88]} | CheckoutErrors | prolonged harm |"
        for number, kind in enumerate(["trigger", "condition", "amplifier", "detection gap", "mitigation gap"], 1)
    ]
    text = re.sub(r"(\| F\d .*\n)+", "\n".join(rows) + "\n", text)
    text = re.sub(r"(- Why [\w ]+: ).*", r"\1F1 -> harm", text)
    file_of(tmp_path).write_text(text, encoding="utf-8")
    review = review_of(tmp_path)
    assert review["named"] == 0
    assert 0 < review["score"] < 15


def test_a_page_of_words_scores_nothing(herring):
    headings = re.findall(
        "^## .+", (shipped().get("red_herring").solutions / "POSTMORTEM.md").read_text(), re.MULTILINE
    )
    file_of(herring).write_text("".join(f"{heading}\n\n{FILLER}\n\n" for heading in headings), encoding="utf-8")
    assert checked(herring)["score"] == 0


def test_one_row_names_one_factor(reference, tmp_path):
    """A row with the words of all factors counts once."""
    every = "drop connection not returned pool five no alert export first restart earlier"
    text = re.sub(r"(\| F2 .*\n)(\| F\d .*\n)+", f"| F2 | condition | {every} | no_drop | prolonged harm |\n",
                  reference.read_text(encoding="utf-8"))  # fmt: skip
    reference.write_text(text, encoding="utf-8")
    assert review_of(tmp_path)["named"] == 2


def test_missing_factors_are_shown_by_kind(reference, tmp_path):
    edit(reference, "A restart had ended the trouble", "Something had ended the trouble")
    result = kata(tmp_path, "postmortem", "red_herring", "--check")
    assert "names 5 of the 6 factors that the author knows. It lacks: 1 mitigation gap." in words(result.stdout)


def test_a_factor_without_evidence_is_not_counted(reference, tmp_path):
    edit(reference, "| no_drop, restart | made possible F3", "| unknown | made possible F3")
    review = review_of(tmp_path)
    assert (review["named"], found(review)) == (review["of"] - 1, [])


@pytest.mark.parametrize("name", NAMES)
def test_every_variant_has_its_factors(name):
    answer = read_answer(shipped().get(name).solutions)
    variants = [ORIGINAL, *shipped().get(name).manifest.variants]
    for variant in variants:
        kinds = {factor.kind for factor in factors_of(name, variant)}
        assert {"trigger", "condition", "detection gap", "mitigation gap"} <= kinds, variant
    assert {each for factor in answer.factors for each in factor.variants} == set(variants)


@pytest.mark.parametrize("name", NAMES)
def test_declared_factors_match_their_terms(name):
    """The sentence of each factor matches its own terms."""
    answer = read_answer(shipped().get(name).solutions)
    wrong = [
        f"{factor.factor}: {term}"
        for factor in answer.factors
        for term in factor.terms
        if not re.search(term, factor.factor, re.IGNORECASE)
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.long
def test_certification_checks_the_reference():
    """`kata verify` replays the incident and its experiments, and finds nothing to say about the reference."""
    progress = []
    assert list(postmortem_faults(shipped().get("red_herring"), lambda *done: progress.append(done))) == []
    assert progress[-1] == (len(progress), len(progress))


@pytest.mark.long
def test_certification_reports_a_wrong_reference(tmp_path):
    for part in ("katas", "solutions"):
        shutil.copytree(shipped().katas.parent / part / "red_herring", tmp_path / part / "red_herring")
    file = tmp_path / "solutions" / "red_herring" / "POSTMORTEM.md"
    line = edit(file, "author: the on-call team", "author:")
    (fault,) = postmortem_faults(Library(tmp_path / "katas").get("red_herring"), lambda *_: None)
    assert fault.startswith(f"POSTMORTEM.md, line {line}: author is empty")
    file.unlink()
    (fault,) = postmortem_faults(Library(tmp_path / "katas").get("red_herring"), lambda *_: None)
    assert fault.startswith("there is no POSTMORTEM.md")
