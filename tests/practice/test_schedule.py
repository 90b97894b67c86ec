"""The schedule and the history of practice: `kata next`, `kata random`, `kata history`."""

from __future__ import annotations

import re
import shutil
from datetime import timedelta

import pytest

from drill_katas.practice.journal import Checked, Diagnosed, Hinted, Journal, Ran, Replayed, Started, now
from drill_katas.verdict import Outcome, Stage
from tests.support.commands import done


@pytest.fixture
def two(toy):
    """A workspace with the katas toy and toy_b, the second with a variant."""
    other = shutil.copytree(toy.folder, toy.root / "katas" / "toy_b")
    manifest = (other / "kata.toml").read_text().replace("A toy", "Another toy").replace("level = 1", "level = 2")
    (other / "kata.toml").write_text(f'{manifest}variants = ["harbour"]\n')
    return toy


def ran(kata, days_ago, *outcomes, variant="original", attempts=1):
    """Runs of a kata, the last with these outcomes."""
    at = now() - timedelta(days=days_ago)
    checks = tuple(
        Checked(name=f"check_{number}", stage=Stage.CAUSE, outcome=outcome, seconds=0.1)
        for number, outcome in enumerate(outcomes)
    )
    failed = (Checked(name="check_0", stage=Stage.CAUSE, outcome=Outcome.FAIL, seconds=0.1),)
    tries = [Ran(kata=kata, at=at, variant=variant, seed=0, seconds=1, checks=failed, solved=False)] * (attempts - 1)
    solved = all(outcome is Outcome.PASS for outcome in outcomes)
    last = Ran(kata=kata, at=at, variant=variant, seed=0, seconds=1, checks=checks, solved=solved)
    return [Started(kata=kata, at=at - timedelta(minutes=9), variant=variant), *tries, last]


def write(toy, *events):
    for event in events:
        toy.journal.append(event)


def test_next_is_the_first_unsolved_kata(two):
    assert done(two.root, "next").splitlines() == ["toy: A toy (not solved yet)", "Start with: kata start toy"]
    write(two, *ran("toy", 0, Outcome.PASS))
    assert "toy_b: Another toy (not solved yet)" in done(two.root, "next")


def test_a_solved_kata_is_due_tomorrow(two):
    """It comes back with another variant."""
    write(two, *ran("toy", 0, Outcome.PASS), *ran("toy_b", 1.5, Outcome.PASS))
    message = done(two.root, "next")
    assert re.search(r"toy_b: Another toy \(due again since \d{4}-\d\d-\d\d\)", message)
    assert "Start with: kata start toy_b --variant harbour" in message


@pytest.mark.parametrize("command", ["next", "random"])
def test_variant_is_offered_when_nothing_is_due(two, command):
    """Practice beyond what is due is no mistake: the exit code is 0."""
    write(two, *ran("toy_b", 0.5, Outcome.PASS), *ran("toy", 0, Outcome.PASS))
    if command == "random":
        two.root.joinpath("katas", "toy", "kata.toml").unlink()
    first, second, third = done(two.root, command).splitlines()
    day = r"\d{4}-\d\d-\d\d"
    assert re.fullmatch(rf"Every kata is solved, and none is due before {day}\. To practice now anyway:", first)
    assert re.fullmatch(rf"toy_b: Another toy \(due on {day}\)", second)
    assert third == "Start with: kata start toy_b --variant harbour"


@pytest.mark.parametrize(
    ("days", "attempts", "is_due"),
    [(3, 1, False), (5, 1, True), (3, 9, True)],  # of a third round after rounds 9 and 7 days ago
)
def test_intervals_double_with_success(two, days, attempts, is_due):
    write(two, *ran("toy_b", 0, Outcome.PASS), *ran("toy", 9, Outcome.PASS), *ran("toy", 7, Outcome.PASS))
    write(two, *ran("toy", days, Outcome.PASS, attempts=attempts))
    message = done(two.root, "next")
    assert ("toy: A toy (due again" in message) == is_due


def test_random_picks_an_unsolved_or_due_kata(two):
    write(two, *ran("toy_b", 0, Outcome.PASS))
    for _ in range(5):
        assert done(two.root, "random").startswith("toy: A toy (not solved yet)")


def test_history_lists_events_and_draws_progress(two):
    write(two, *ran("toy", 2, Outcome.PASS, Outcome.FAIL), Hinted(kata="toy", rung=1))
    write(two, Replayed(kata="toy", variant="original", seed=0, ablation="no_sale", good=0.5))
    right = {"component": "shop", "mechanisms": ("n-plus-one",), "state": "supported", "score": 100, "right": True}
    write(two, Diagnosed(kata="toy", variant="original", **right), *ran("toy", 0, Outcome.PASS, Outcome.PASS)[1:])
    message = done(two.root, "history", "toy")
    assert message.startswith("toy: 2 attempts, 1 hint, best ")
    for line in (
        "started, variant original",
        "attempt 1: 1 of 2 checks, 1.0 s",
        "hint 1",
        "experiment no_sale: 50% of requests good",
        "diagnosed n-plus-one in shop: supported, 100 points",
        "attempt 2: 2 of 2 checks, 1.0 s, solved",
        "checks that pass  ▅█",
    ):
        assert line in message


def test_a_history_of_nothing_is_one_line(two):
    assert done(two.root, "history", "toy") == "toy: 0 attempts, 0 hints, not solved\n"


def test_history_without_a_name_shows_every_kata(two):
    write(two, *ran("toy_b", 2, Outcome.PASS), *ran("toy", 1, Outcome.FAIL), *ran("gone", 1, Outcome.PASS))
    blocks = done(two.root, "history").split("\n\n")
    assert [block.partition(":")[0] for block in blocks] == ["toy", "toy_b", "gone"]
    assert all("attempt 1: " in block for block in blocks)


def test_empty_history_names_the_next_step(two):
    assert done(two.root, "history") == "The history is empty. `kata next` suggests a kata to practice.\n"


def test_history_shows_intact_part_of_damaged_journal(two):
    write(two, *ran("toy", 0, Outcome.PASS))
    file = two.root / ".kata" / Journal.NAME
    file.write_text(file.read_text() + "{\n")
    assert "attempt 1" in done(two.root, "history", "toy")
