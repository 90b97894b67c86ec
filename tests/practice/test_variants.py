"""Variants of a kata in the practice loop: progress apart, what to practice next, rotation, levels."""

from __future__ import annotations

import getpass
import json
import re
import tomllib
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest

from drill_katas.catalog.katas import shipped
from drill_katas.practice.causes import causes_of, rotated
from drill_katas.practice.journal import Checked, Diagnosed, Hinted, Journal, Ran, SolutionShown, Started, now
from drill_katas.practice.progress import standings
from drill_katas.verdict import Outcome, Stage
from tests.support.commands import done, kata, refused, words

DAY = date(2026, 1, 31)
GO_ON = {f"Go on with: {command} circular_deadlock" for command in ("pytest --kata", "kata run")}
OTHERS = {"n_plus_one": "original", "red_herring": "quarry", "fp_drift": "original"}


@pytest.fixture
def drill(tmp_path):
    """A workspace with the shipped katas and an empty journal."""
    done(tmp_path, "init", ".")
    return tmp_path


def write(folder, *events):
    for event in events:
        Journal(folder / ".kata" / Journal.NAME).append(event)


def round_of(name, variant, *, minutes=9, solved=True, ago=timedelta()):
    """A round of a variant: one attempt, that many minutes after its start."""
    at = now() - ago
    checks = (Checked("test_it", Stage.CAUSE, Outcome.PASS if solved else Outcome.FAIL, 0.1),)
    yield Started(kata=name, at=at - timedelta(minutes=minutes), variant=variant)
    yield Ran(kata=name, at=at, variant=variant, seed=0, seconds=1, checks=checks, solved=solved)


def variant_in(folder, name):
    """The variant of the last start in the journal."""
    events = Journal(folder / ".kata" / Journal.NAME).read().events
    return [event.variant for event in events if isinstance(event, Started) and event.kata == name][-1]


def mechanisms():
    for name in shipped().names():
        answer = tomllib.loads((shipped().get(name).solutions / "answer.toml").read_text())
        for truth in answer["diagnosis"].values():
            yield from truth["mechanisms"]


# Progress


def test_list_of_kata_shows_its_variants(drill):
    write(drill, *round_of("fp_drift", "original", minutes=4), *round_of("fp_drift", "harbour", solved=False))
    assert done(drill, "list", "fp_drift").splitlines() == [
        "fp_drift: System green, numbers wrong; 1 of 3 variants solved",
        "  ✓ original             1 attempt, 0 hints, best 4:00",
        "  … harbour (current)    1 attempt, 0 hints, clock 9:00",
        "  · orchard              untouched",
        "Start another one with: `kata start fp_drift --variant orchard`",
    ]
    assert not set(mechanisms()) & set(words(done(drill, "list", "fp_drift")).split())


def test_kata_with_all_variants_solved_is_mastered(drill):
    for variant, mark in (("original", "✓"), ("harbour", "✓"), ("orchard", "★")):
        assert f"{mark} 4 Staff" not in done(drill, "list") or variant == "harbour"
        write(drill, *round_of("fp_drift", variant))
        assert f"{mark} 4 Staff   fp_drift" in done(drill, "list")


def test_hints_are_counted_for_each_variant(drill):
    done(drill, "start", "fp_drift")
    done(drill, "hint", "fp_drift")
    done(drill, "start", "fp_drift", "--variant", "harbour")
    assert done(drill, "hint", "fp_drift").startswith("Hint 1 of ")
    assert done(drill, "hint", "fp_drift").startswith("Hint 2 of ")
    status = done(drill, "status")
    assert re.search(r"… original +0 attempts, 1 hint, not solved", status)
    assert re.search(r"… harbour \(current\) +0 attempts, 2 hints, clock 0:\d\d", status)


def test_solution_needs_the_current_variant_solved(drill):
    write(drill, *round_of("fp_drift", "original"))
    assert "class Ledger" in done(drill, "solution", "fp_drift", "--arm", "reference")
    done(drill, "start", "fp_drift", "--variant", "harbour")
    assert "Variant harbour of fp_drift is not solved yet." in words(done(drill, "solution", "fp_drift", code=1))
    done(drill, "start", "fp_drift", "--variant", "original")
    assert "class Ledger" in done(drill, "solution", "fp_drift", "--arm", "reference")


def test_best_times_of_variants_stay_apart(drill):
    write(drill, *round_of("fp_drift", "original", minutes=4), *round_of("fp_drift", "harbour", minutes=7))
    write(drill, *round_of("fp_drift", "original", minutes=5))
    output = done(drill, "status")
    assert re.search(r"✓ original \(current\) +2 attempts, 0 hints, best 4:00", output)
    assert re.search(r"✓ harbour +1 attempt, 0 hints, best 7:00", output)


def test_history_has_a_part_for_each_variant(drill):
    write(drill, *round_of("fp_drift", "original"), Hinted(kata="fp_drift", rung=1), *round_of("fp_drift", "harbour"))
    first, second = done(drill, "history", "fp_drift").split("\n\n")
    assert first.startswith("fp_drift, variant original: 1 attempt, 1 hint, best 9:00")
    assert "hint 1" in first
    assert second.startswith("fp_drift, variant harbour: 1 attempt, 0 hints, best 9:00")
    assert "hint" not in second.partition("\n")[2]
    assert "attempt 1: 1 of 1 checks" in second


def test_wrong_diagnosis_costs_its_own_variant(drill):
    """The recorded incident can be that of the variant before."""
    write(drill, *round_of("fp_drift", "original", solved=False), *round_of("fp_drift", "harbour", solved=False))
    wrong = {"component": "ledger", "mechanisms": ("n-plus-one",), "state": "refuted", "score": 0, "right": False}
    write(drill, Diagnosed(kata="fp_drift", variant="original", wrong=True, **wrong))
    standing = standings(Journal(drill / ".kata" / Journal.NAME).read().events)["fp_drift"]
    assert standing.variant == "harbour"
    assert (standing.of("original").wrong_diagnoses, standing.of("harbour").wrong_diagnoses) == (1, 0)


def test_status_counts_variants_of_each_level(drill):
    write(drill, *round_of("fp_drift", "original"), *round_of("n_plus_one", "harbour", solved=False))
    output = done(drill, "status")
    assert re.search(r"^level 3 Senior  [█░]+ 0 of 9 variants solved, 1 in progress$", output, re.MULTILINE)
    assert re.search(r"^level 4 Staff   █{6}░{14} 1 of 3 variants solved, 0 in progress$", output, re.MULTILINE)
    assert output.splitlines()[-1] == "next: `kata start circular_deadlock`"


def test_journal_of_an_older_release_is_read(drill):
    """Its lines know nothing of variants but their names."""
    head = {"v": 1, "kata": "fp_drift"}
    lines = [
        {"kind": "hint", "id": "1", "at": "2026-01-31T03:00:00Z", "rung": 1},
        {"kind": "start", "id": "2", "at": "2026-01-31T03:07:00Z", "variant": "original"},
        {"kind": "query", "id": "3", "at": "2026-01-31T03:08:00Z", "about": "logs"},
        {"kind": "run", "id": "4", "at": "2026-01-31T03:10:00Z", "variant": "original", "seed": 0, "seconds": 1.5,
         "checks": [{"name": "a", "stage": "cause", "outcome": "pass", "seconds": 0.1}], "solved": True},
        {"kind": "reset", "id": "5", "at": "2026-01-31T04:00:00Z", "variant": "harbour", "kept": ".kata/kept/x"},
        {"kind": "hint", "id": "6", "at": "2026-01-31T04:01:00Z", "rung": 1},
        {"kind": "solution", "id": "7", "at": "2026-01-31T04:02:00Z", "gave_up": True},
    ]  # fmt: skip
    file = drill / ".kata" / Journal.NAME
    file.parent.mkdir(exist_ok=True)
    file.write_text("".join(json.dumps(head | line) + "\n" for line in lines))
    before = file.read_bytes()
    output = done(drill, "list", "fp_drift")
    assert re.search(r"✓ original +1 attempt, 1 hint, best 3:00", output)
    assert re.search(r"… harbour \(current\) +0 attempts, 1 hint, clock", output)
    assert file.read_bytes() == before


# What to practice next


def test_next_prefers_a_cause_not_met(drill):
    """The variants original and harbour of n_plus_one have the same cause."""
    causes = causes_of(shipped().get("n_plus_one"))
    assert causes["original"] == causes["harbour"] != causes["quarry"]
    solved_today = [*round_of("circular_deadlock", "original"), *round_of("red_herring", "original")]
    write(drill, *solved_today, *round_of("fp_drift", "original"))
    write(drill, *round_of("n_plus_one", "original", ago=timedelta(days=2)))
    output = done(drill, "next")
    assert "Start with: kata start n_plus_one --variant quarry" in output
    assert not set(mechanisms()) & set(words(output).split())
    write(drill, *round_of("n_plus_one", "quarry", ago=timedelta(days=1.5)))
    assert "Start with: kata start n_plus_one --variant harbour" in done(drill, "next")


@pytest.mark.parametrize("how", ["gave up", "diagnosed"])
def test_known_cause_counts_as_met(drill, how):
    """Also after a new round of that variant has begun."""
    events = list(round_of("circular_deadlock", "original", solved=False))
    if how == "gave up":
        events.append(SolutionShown(kata="circular_deadlock", gave_up=True))
    else:
        right = {"component": "stock", "mechanisms": ("circular-wait",), "state": "supported", "score": 100}
        events.append(Diagnosed(kata="circular_deadlock", variant="original", right=True, wrong=False, **right))
    quarry = round_of("circular_deadlock", "quarry")
    write(drill, *events, next(round_of("circular_deadlock", "original")), *quarry)
    for name, variant in OTHERS.items():
        write(drill, *round_of(name, variant))
    assert "kata start circular_deadlock --variant orchard" in done(drill, "next")


def test_cause_met_in_another_kata_counts(drill):
    """The original of red_herring has the mechanism of circular_deadlock's orchard."""
    write(drill, *round_of("circular_deadlock", "original"))
    for name, variant in OTHERS.items():
        write(drill, *round_of(name, variant))
    assert "kata start circular_deadlock --variant orchard" in done(drill, "next")
    write(drill, *round_of("red_herring", "original"))
    assert "kata start circular_deadlock --variant quarry" in done(drill, "next")


def test_next_goes_on_with_begun_round(drill):
    done(drill, "start", "circular_deadlock", "--variant", "quarry")
    assert done(drill, "next").splitlines()[-1] in GO_ON


def test_next_names_original_after_another_variant(drill):
    """The files of harbour are in place, so the command must name the variant."""
    write(drill, *round_of("circular_deadlock", "orchard", solved=False))
    write(drill, SolutionShown(kata="circular_deadlock", gave_up=True))
    assert "kata start circular_deadlock --variant original" in done(drill, "next")


def test_start_restores_a_solved_variant(drill):
    file = drill / "katas" / "fp_drift" / "ledger.py"
    broken = file.read_bytes()
    write(drill, *round_of("fp_drift", "original"))
    file.write_text("# solved\n")
    assert "Your files were moved to " in done(drill, "start", "fp_drift", "--variant", "original")
    assert file.read_bytes() == broken


# Rotation


def test_neighbours_get_different_causes(drill):
    for name in shipped().names():
        chosen = shipped().get(name)
        causes = causes_of(chosen)
        seats = [causes[rotated(chosen, f"Seat {number}", DAY)] for number in range(20)]
        assert all(one != other for one, other in pairwise(seats))
        assert set(seats) == set(causes.values())


def test_rotation_reaches_every_variant(drill):
    """For any names, and over the days for one name."""
    chosen = shipped().get("n_plus_one")
    names = {rotated(chosen, name, DAY) for name in ("ana", "ben", "carla", "dirk", "eva", "finn", "gus", "hana")}
    days = {rotated(chosen, "ana", DAY + timedelta(days=number)) for number in range(30)}
    assert names == days == set(chosen.variants)
    assert rotated(chosen, "Ana ", DAY) == rotated(chosen, "ana", DAY)


def test_rotate_starts_the_variant_of_today(drill):
    """It says which, and neither what is broken nor which others there are."""
    for name in ("team-1", "team-2", ""):
        days = [datetime.now(UTC).astimezone().date()]
        output = done(drill, "start", "n_plus_one", "--rotate", *(["--as", name] if name else []))
        days.append(datetime.now(UTC).astimezone().date())
        variant = variant_in(drill, "n_plus_one")
        assert variant in {rotated(shipped().get("n_plus_one"), name or getpass.getuser(), day) for day in days}
        assert f"Your variant today is {variant}." in output
        assert "Other causes" not in output
        assert not set(mechanisms()) & set(words(output).split())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--as", "ana"], "--as needs --rotate; only the rotation depends on the participant"),
        (["--rotate", "--as", " "], "--as is empty; it needs the name of the participant"),
        (["--rotate", "--variant", "quarry"], "--variant and --rotate both choose the variant; use one of them"),
    ],
)
def test_rotation_options_must_fit_together(drill, options, message):
    assert refused(kata(drill, "start", "n_plus_one", *options)) == message
    assert not (drill / ".kata" / Journal.NAME).exists()


# Levels


def test_level_starts_its_next_kata(drill):
    write(drill, *round_of("circular_deadlock", "original"))
    assert "Judge it with: pytest --kata n_plus_one" in done(drill, "start", "level:3")
    assert variant_in(drill, "n_plus_one") == "original"
    for name in ("n_plus_one", "red_herring"):
        write(drill, *round_of(name, "original"))
    write(drill, *round_of("circular_deadlock", "original", ago=timedelta(days=3)))
    output = done(drill, "start", "level:3", "--variant", "quarry")
    assert variant_in(drill, "circular_deadlock") == "quarry"
    assert "Your files were moved to " in output


def test_unknown_level_names_the_known_ones(drill):
    message = "there is no kata of level '1' here; known levels are 3, 4"
    assert refused(kata(drill, "start", "level:1")) == message
