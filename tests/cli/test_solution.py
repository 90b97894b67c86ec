"""`kata solution`: the explanation of a solved variant, the files of its fixes, and their difference from yours."""

from __future__ import annotations

import re
import shutil

import pytest

from drill_katas.catalog.answer import read_answer
from drill_katas.catalog.arms import near_misses_of, workspace_arm
from drill_katas.catalog.katas import shipped
from drill_katas.catalog.scaffold import scaffold
from drill_katas.explanation.arms import visible_arm
from drill_katas.explanation.explaining import explain
from drill_katas.practice.journal import Checked, Guarded, Journal, Ran, SolutionShown, Started
from drill_katas.practice.workspace import Workspace
from drill_katas.report.explanation import diff_lines, explanation_lines
from drill_katas.verdict import Outcome, Stage
from drill_katas.verify.declared import arms_of, missing
from tests.support.commands import done, kata, refused, words

NAME = "cart"
VARIANTS = [(of.name, variant) for of in shipped() for variant in of.variants]
CHECKS = (Checked("test_it", Stage.CAUSE, Outcome.PASS, 0.1),)
HEADINGS = [
    "The cause",
    "The alerts",
    "The experiments that prove it",
    "Wrong fixes that fail a check that failed before",
    "Wrong fixes that fail a check that passed before",
    "Right designs",
    "Your guardrail",
    "Next",
]


@pytest.fixture
def cart(tmp_path):
    """A workspace with a new kata, which is not solved."""
    (tmp_path / "katas").mkdir()
    scaffold(tmp_path, NAME, "calls")
    return tmp_path


@pytest.fixture
def drill(tmp_path):
    """A workspace with the shipped katas."""
    done(tmp_path, "init", ".")
    return tmp_path


def write(folder, *events):
    for event in events:
        Journal(folder / ".kata" / Journal.NAME).append(event)


def solve(folder, name=NAME, variant="original"):
    """Record a round of a variant that was solved."""
    solved = Ran(kata=name, variant=variant, seed=0, seconds=1, checks=CHECKS, solved=True)
    write(folder, Started(kata=name, variant=variant), solved)


def guarded(score):
    return Guarded(kata=NAME, variant="original", score=score, passed=4, right=4, rejected=score, wrong=100)


def solution(folder, *options, name=NAME):
    return done(folder, "solution", name, *options)


def parts(output):
    """The text below each heading, in one line."""
    pieces = re.split(r"\n\n(\S.*)\n", output.rstrip())
    return {heading: words(text) for heading, text in zip(pieces[1::2], pieces[2::2], strict=True)}


def answer_of(cart):
    return cart / "solutions" / NAME / "answer.toml"


# The explanation


def test_explanation_has_a_part_for_each_question(cart):
    solve(cart)
    output = solution(cart)
    found = parts(output)
    assert list(found) == HEADINGS
    assert output.startswith("cart: ")
    assert "; variant original\n" in output
    assert "\n  overwrites the first. The flyer at 09:10 brought baskets with several\n" in output
    assert found["The cause"].startswith("A basket has one entry for each article, so a second addition")
    assert "component: basket mechanism: lost-update (two writers" in found["The cause"]
    assert found["The cause"].endswith("first harm: 09:10")
    assert "BasketsTooCheap: caused. Additions before the last one were free" in found["The alerts"]
    assert "PriceImportSlow: noise. The import has been slow since 09:05" in found["The alerts"]
    assert (
        "kata experiment cart repeats: if no article is added twice, the harm is gone: at least 98 of 100 requests "
        "are good. kata experiment cart looks: if no total is shown early, the harm is unchanged"
    ) in found["The experiments that prove it"]
    assert found[HEADINGS[3]].startswith("equal_additions_once: Two equal additions are two additions")
    assert "checked_too_late: The addition is refused after it has changed" in found[HEADINGS[4]]
    assert found["Right designs"].startswith("reference: the reference solution by_price: It counts pieces")
    assert "Better when: Baskets get many additions of few articles." in found["Right designs"]
    assert "`kata solution cart --diff` compares" in found["Next"]
    assert "`kata list cart` lists the other variants." in found["Next"]


def test_explanation_belongs_to_the_current_variant(cart):
    solve(cart)
    solve(cart, variant="harbour")
    output = solution(cart)
    assert "; variant harbour\n" in output
    assert "stale-cache" in output
    assert "lost-update" not in output


def test_healthy_variant_was_not_broken(cart):
    solve(cart, variant="orchard")
    found = parts(solution(cart))
    assert found["The cause"].startswith("Nothing was broken. The right answer is to change no code. Since the flyer")
    assert "first harm: never" in found["The cause"]
    assert "BasketsTooCheap: noise." in found["The alerts"]
    assert "nothing gets better" in found["The experiments that prove it"]
    assert HEADINGS[3] not in found
    assert "last_price: " in found[HEADINGS[4]]


@pytest.mark.parametrize("options", [(), ("--arm", "reference"), ("--diff",), ("--arm", "last_price", "--diff")])
def test_every_form_is_locked_until_solved(cart, options):
    refusal = done(cart, "solution", NAME, *options, code=1)
    assert words(refusal).startswith("cart is not solved yet. `kata hint cart` shows a hint; --give-up shows")
    assert not (cart / ".kata").exists()
    assert len(solution(cart, *options, "--give-up").splitlines()) > 10
    (event,) = Journal(cart / ".kata" / Journal.NAME).read().events
    assert isinstance(event, SolutionShown)
    assert event.gave_up


def test_other_variants_are_listed_until_mastered(cart):
    solve(cart, variant="harbour")
    solve(cart, variant="orchard")
    assert "`kata list cart` lists the other variants." in parts(solution(cart))["Next"]
    solve(cart)
    assert "kata list" not in parts(solution(cart))["Next"]


def test_next_commands_work_after_giving_up(cart):
    assert "`kata solution cart --give-up --diff`" in words(solution(cart, "--give-up"))
    solve(cart)
    assert "--give-up" not in solution(cart)


def test_last_guardrail_is_good_from_80_on(cart):
    solve(cart)
    assert "You have none yet. `kata guardrail cart` writes" in parts(solution(cart))["Your guardrail"]
    write(cart, guarded(95), guarded(79))
    below = parts(solution(cart))["Your guardrail"]
    assert below.startswith("The last one scored 79 of 100; 80 is enough. `kata guardrail cart` shows")
    write(cart, guarded(80))
    assert parts(solution(cart))["Your guardrail"] == "The last one scored 80 of 100: it is good."


def test_undescribed_design_is_shown_by_name(cart):
    text = answer_of(cart).read_text()
    begin, end = text.index("[accepted.by_price]"), text.index("[accepted.running_total]")
    answer_of(cart).write_text(text[:begin] + text[end:])
    solve(cart)
    assert "reference solution by_price running_total: It keeps" in parts(solution(cart))["Right designs"]


def test_undiagnosed_variant_is_explained_without_cause(cart):
    text = answer_of(cart).read_text()
    answer_of(cart).write_text(text[: text.index("# The right diagnosis")])
    solve(cart)
    found = parts(solution(cart))
    assert found["The cause"] == "The author did not explain the cause of this variant."
    assert list(found) == [HEADINGS[0], *HEADINGS[3:]]


def test_labels_and_differences_have_colors(cart):
    solve(cart)
    workspace = Workspace(cart)
    of = workspace.library.get(NAME)
    styles = styles_of(explanation_lines(explain(workspace, of), 80))
    assert [styles[text] for text in ("The cause", "caused", "noise", "last_price")] == ["bold", "bad", "dim", "bold"]
    styles = styles_of(diff_lines(workspace_arm(of), visible_arm(of, "original", "reference"), "reference"))
    assert styles["--- yours/basket.py"] == "bold"
    assert styles["-        self._articles[sku] = (price, quantity)"] == "bad"


def styles_of(lines):
    return {segment.text: segment.style for line in lines for segment in line}


@pytest.mark.parametrize(("name", "variant"), VARIANTS)
def test_shipped_explanations_fit_80_columns(drill, name, variant):
    write(drill, Started(kata=name, variant=variant))
    output = solution(drill, "--give-up", name=name)
    assert [line for line in output.splitlines() if len(line) > 80] == []
    answer = read_answer(shipped().get(name).solutions)
    held_back = {miss for miss, declared in answer.near_misses.items() if declared.held_back}
    assert not held_back & set(re.findall(r"^  (\w+):", output, re.MULTILINE))
    truth = answer.diagnosis[variant]
    assert len(re.findall(r"[.!?](?=\s|$)", truth.cause)) == 2
    assert all(words(reason) in words(output) for reason in (truth.cause, *truth.why.values()))
    assert ("Nothing was broken." in output) == (variant in answer.healthy)


# Arms


def test_near_misses_of_other_variants_are_hidden(drill):
    solve(drill, "red_herring", "harbour")
    output = solution(drill, name="red_herring")
    assert "more_lines: " in output
    assert "bigger_pool" not in output
    assert "bigger_pool" not in refused(kata(drill, "solution", "red_herring", "--arm", "biggerpool"))
    assert "lists no fix 'bigger_pool'" in refused(kata(drill, "solution", "red_herring", "--arm", "bigger_pool"))
    solve(drill, "red_herring")
    output = solution(drill, name="red_herring")
    assert "more_lines" not in output
    assert "bigger_pool: " in output


def test_held_back_near_miss_is_never_shown(cart):
    text = answer_of(cart).read_text()
    answer_of(cart).write_text(text.replace("[near_misses.last_price]", "[near_misses.last_price]\nheld_back = true"))
    solve(cart)
    output = solution(cart)
    assert "last_price" not in output
    assert "get the price of the last addition" not in words(output)
    refusal = refused(kata(cart, "solution", NAME, "--arm", "last_price"))
    assert refusal.startswith("`kata solution cart` lists no fix 'last_price' for this variant; ")
    assert refusal.count("last_price") == 1
    refused(kata(cart, "solution", NAME, "--arm", "last_price", "--diff"))


def test_undeclared_near_miss_is_not_shown(cart):
    """It may be meant to be held back."""
    folder = cart / "solutions" / NAME / "near_misses"
    shutil.copy(folder / "last_price.patch", folder / "undeclared.patch")
    solve(cart)
    assert "undeclared" not in solution(cart)
    refused(kata(cart, "solution", NAME, "--arm", "undeclared"))


@pytest.mark.parametrize("name", ["reference", "running_total", "last_price"])
def test_files_of_an_arm_are_printed(cart, name):
    solve(cart)
    output = solution(cart, "--arm", name)
    first, _, source = output.partition("\n")
    solutions = cart / "solutions" / NAME
    shown = {
        "reference": solutions / "basket.py",
        "running_total": solutions / "accepted" / "running_total" / "basket.py",
        "last_price": solutions / "near_misses" / "last_price.patch" / "basket.py",
    }[name]
    assert first == f"# {shown}"
    compile(output, "basket.py", "exec")
    if name == "last_price":
        assert source != (solutions / "basket.py").read_text() + "\n"
    else:
        assert source == shown.read_text() + "\n"


def test_unknown_arm_gets_nearest_names(cart):
    solve(cart)
    refusal = refused(kata(cart, "solution", NAME, "--arm", "last_prise"))
    assert refusal == "`kata solution cart` lists no fix 'last_prise' for this variant; did you mean 'last_price'?"
    events = Journal(cart / ".kata" / Journal.NAME).read().events
    assert not any(isinstance(event, SolutionShown) for event in events)


def test_all_editable_files_are_printed(drill):
    solve(drill, "circular_deadlock")
    output = solution(drill, "--arm", "asked_by_checkout", name="circular_deadlock")
    solutions = shipped().get("circular_deadlock").solutions
    assert re.findall(r"^# (/\S+)$", output, re.MULTILINE) == [
        str(solutions / "accepted" / "asked_by_checkout" / "checkout.py"),
        str(solutions / "accepted" / "asked_by_checkout" / "stock.py"),
        str(solutions / "pricing.py"),
    ]


# Differences


def test_difference_goes_from_yours_to_reference(cart):
    solve(cart)
    lines = solution(cart, "--diff").splitlines()
    assert lines[:2] == ["--- yours/basket.py", "+++ reference/basket.py"]
    assert "-        self._articles[sku] = (price, quantity)" in lines
    reference = (cart / "solutions" / NAME / "basket.py").read_text()
    added = [line[1:] for line in lines[2:] if line.startswith("+")]
    assert added
    assert set(added) <= set(reference.splitlines())


def test_equal_files_have_no_difference(cart):
    shutil.copy(cart / "solutions" / NAME / "basket.py", cart / "katas" / NAME / "basket.py")
    solve(cart)
    assert solution(cart, "--diff") == "Your files have the same lines as reference.\n"
    assert "+++ by_price/basket.py" in solution(cart, "--diff", "--arm", "by_price")


def test_difference_has_only_files_that_differ(drill):
    solve(drill, "red_herring")
    output = solution(drill, "--diff", "--arm", "try_finally", name="red_herring")
    differing = re.findall(r"^--- yours/(\S+)$", output, re.MULTILINE)
    assert differing == re.findall(r"^\+\+\+ try_finally/(\S+)$", output, re.MULTILINE) == ["checkout.py"]
    solve(drill, "circular_deadlock")
    output = solution(drill, "--diff", name="circular_deadlock")
    assert re.findall(r"^--- yours/(\S+)$", output, re.MULTILINE) == ["checkout.py", "stock.py", "pricing.py"]


def test_missing_file_of_yours_is_named(cart):
    (cart / "katas" / NAME / "basket.py").unlink()
    solve(cart)
    assert "there is no basket.py of cart" in refused(kata(cart, "solution", NAME, "--diff"))
    assert "Right designs" in solution(cart)


def test_unreadable_bytes_of_yours_are_replaced(cart):
    """Whatever is in the learner's file, no terminal is sent its control sequences."""
    (cart / "katas" / NAME / "basket.py").write_bytes(b"# \xff \x1b[31m\n")
    solve(cart)
    output = solution(cart, "--diff")
    assert "-# � \\x1b[31m" in output
    assert "\x1b" not in output


# The texts of the shipped katas


@pytest.mark.parametrize("of", list(shipped()), ids=lambda of: of.name)
def test_shipped_katas_explain_every_alert(of):
    answer = read_answer(of.solutions)
    assert set(answer.diagnosis) == set(of.variants)
    assert [fault for fault in missing(answer, arms_of(of, answer)) if "diagnosis" in fault] == []
    assert set(answer.near_misses) == set(near_misses_of(of))
