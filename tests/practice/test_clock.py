"""The clock of a round: wrong diagnoses are on it wherever it is shown, and in the best time."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from drill_katas.practice.journal import Diagnosed, Queried, Ran, Started, now
from drill_katas.practice.progress import progress
from tests.support.commands import done, words
from tests.support.toy import FINE

AGO = timedelta(minutes=2)


def diagnosed(minutes, *, wrong):
    """A diagnosis, `minutes` ago."""
    named = {"component": "shop", "mechanisms": ("n-plus-one",), "state": "supported", "score": 100 - 90 * wrong}
    at = now() - timedelta(minutes=minutes)
    return Diagnosed(kata="toy", at=at, variant="original", right=not wrong, wrong=wrong, **named)


def write(toy, *events):
    for event in events:
        toy.journal.append(event)


@pytest.fixture
def guessed(toy):
    """The toy, broken and begun two minutes ago, with one wrong diagnosis since."""
    toy.body("return 'here'")
    write(toy, Started(kata="toy", at=now() - AGO, variant="original"), diagnosed(1, wrong=True))
    return toy


def test_the_summary_shows_the_penalty(guessed):
    assert re.search(r"toy · attempt 1 · clock 7:\d\d of 5:00", guessed.pytest().stdout)


def test_the_best_time_has_the_penalty(guessed):
    guessed.module(FINE)
    assert re.search(r"clock (7:\d\d) of 5:00 · best time \1\n", guessed.pytest().stdout)
    assert re.search(r"toy +1 attempt, 0 hints, best 7:\d\d", done(guessed.root, "status"))
    assert re.match(r"toy: 1 attempt, 0 hints, best 7:\d\d\n", done(guessed.root, "history", "toy"))


def test_status_and_history_show_the_penalty(guessed):
    status = words(done(guessed.root, "status"))
    assert re.search(r"toy 0 attempts, 0 hints, clock 7:\d\d 1 wrong diagnosis \(\+5:00\) next: ", status)
    message = done(guessed.root, "history", "toy")
    assert re.match(r"toy: 0 attempts, 0 hints, clock 7:\d\d\n", message)
    assert "diagnosed n-plus-one in shop: supported, 10 points, +5:00\n" in message


def test_each_reading_has_the_penalties_until_then(toy):
    """The first look came before the wrong diagnoses, the right one after, and the fix last."""
    begun = now() - timedelta(minutes=9)
    write(toy, Started(kata="toy", at=begun, variant="original"))
    write(toy, Queried(kata="toy", at=begun + timedelta(minutes=1), about="logs"))
    write(toy, diagnosed(7, wrong=True), diagnosed(6, wrong=True), diagnosed(5, wrong=False))
    solved_at = begun + timedelta(minutes=8)
    write(toy, Ran(kata="toy", at=solved_at, variant="original", seed=0, seconds=1, checks=(), solved=True))
    message = "detected 1:00, 2 wrong diagnoses (+10:00), diagnosed 14:00, resolved 18:00"
    assert message in words(done(toy.root, "status"))


def test_a_diagnosis_after_the_fix_costs_nothing(toy):
    begun = now() - timedelta(minutes=9)
    run = Ran(kata="toy", at=begun + AGO, variant="original", seed=0, seconds=1, checks=(), solved=True)
    write(toy, Started(kata="toy", at=begun, variant="original"), run, diagnosed(1, wrong=True))
    standing = progress(toy.journal.read().events)["toy"]
    assert standing.clock(now()) == standing.best == AGO
    assert "wrong" not in done(toy.root, "status")
    assert "+5:00" not in done(toy.root, "history", "toy")
