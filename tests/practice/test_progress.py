"""The journal's totals: rounds, attempts, the clock, best times, hints, giving up, changes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drill_katas.practice.attempts import NoAttempt
from drill_katas.practice.journal import Checked, Hinted, Ran, Reset, SolutionShown, Started
from drill_katas.practice.progress import KataProgress, KataStanding, progress, standings
from drill_katas.verdict import Outcome, Stage

EPOCH = datetime(2026, 1, 31, 3, 0, tzinfo=UTC)
NONE = timedelta()


def at(minutes):
    return EPOCH + timedelta(minutes=minutes)


def start(minutes, variant="original", kata="toy"):
    return Started(kata=kata, at=at(minutes), variant=variant)


def reset(minutes, variant="original"):
    return Reset(kata="toy", at=at(minutes), variant=variant, kept=".kata/kept/toy-1")


def hint(minutes):
    return Hinted(kata="toy", at=at(minutes), rung=1)


def shown(minutes, *, gave_up):
    return SolutionShown(kata="toy", at=at(minutes), gave_up=gave_up)


def run(minutes, *, solved=False, kata="toy", variant="original", seconds=1.0, no_attempt="", **outcomes):
    """A run that ended at `minutes`; `outcomes` gives its checks by name, as in `loses=Outcome.FAIL`."""
    checks = tuple(Checked(name, Stage.CAUSE, outcome, 0.1) for name, outcome in outcomes.items())
    more = {"variant": variant, "seed": 0, "seconds": seconds, "checks": checks, "no_attempt": no_attempt}
    return Ran(kata=kata, at=at(minutes), solved=solved, **more)


def is_attempt(event):
    """A run is not an attempt if a check was not judged, or if it records a reason."""
    judged = isinstance(event, Ran) and not any(check.outcome is Outcome.NOT_JUDGED for check in event.checks)
    return judged and not event.no_attempt


def solve(minutes, **more):
    return run(minutes, solved=True, **more)


def stands(*events):
    """The progress of the current variant of the kata `toy` after these events."""
    return progress(events).get("toy", KataProgress("toy"))


def standing_of(*events):
    """The progress of the kata `toy` in each variant."""
    return standings(events).get("toy", KataStanding("toy"))


# Rounds and the clock


def test_untouched_kata_has_no_clock():
    standing = stands()
    assert standing.state == "untouched"
    assert standing.clock(at(5)) == NONE
    assert standing.best is None
    assert standing.change() is None


def test_the_clock_runs_until_solved():
    assert stands(start(0)).clock(at(7)) == timedelta(minutes=7)
    assert stands(start(0), run(5)).clock(at(7)) == timedelta(minutes=7)
    assert stands(start(0), run(5), solve(6)).clock(at(7)) == timedelta(minutes=6)
    assert stands(start(0), run(5), solve(6), run(9), solve(10)).clock(at(11)) == timedelta(minutes=6)


def test_a_first_run_starts_the_round():
    assert stands(run(5, seconds=60)).clock(at(7)) == timedelta(minutes=3)
    assert stands(run(5, seconds=60), run(6, seconds=60)).clock(at(7)) == timedelta(minutes=3)


@pytest.mark.parametrize("again", [start, reset])
def test_start_and_reset_zero_the_clock(again):
    standing = stands(start(0), run(5), again(10, "harbour"))
    assert standing.clock(at(12)) == timedelta(minutes=2)
    assert standing.variant == "harbour"


def test_a_solved_kata_stays_solved():
    """It is in progress from its first event on."""
    assert stands(start(0)).state == "in progress"
    assert stands(run(5)).state == "in progress"
    assert stands(start(0), solve(5)).state == "solved"
    assert stands(start(0), solve(5), reset(6), run(7)).state == "solved"


def test_two_katas_do_not_mix():
    standings = progress([start(0), start(1, kata="other"), run(2), solve(3, kata="other"), run(4)])
    assert standings["toy"].attempts == 2
    assert standings["toy"].state == "in progress"
    assert standings["other"].attempts == 1
    assert standings["other"].best == timedelta(minutes=2)


# Attempts


def test_attempts_count_since_the_last_start():
    """The total counts all of them."""
    events = [run(1), run(2), start(3), run(4), run(5), run(6), reset(7), run(8)]
    counts = [(stands(*events[:end]).attempts, stands(*events[:end]).total_attempts) for end in range(len(events) + 1)]
    assert counts == [(0, 0), (1, 1), (2, 2), (0, 2), (1, 3), (2, 4), (3, 5), (0, 5), (1, 6)]


def test_run_after_solution_is_also_an_attempt():
    assert stands(start(0), solve(1), run(2), solve(3)).attempts == 3


# Best times


def test_best_time_is_the_quickest_solved_round():
    first = [start(0), solve(30)]
    assert stands(*first).best == timedelta(minutes=30)
    assert stands(*first, start(100), solve(140)).best == timedelta(minutes=30)
    assert stands(*first, start(100), solve(120)).best == timedelta(minutes=20)
    assert stands(*first, start(100), run(101), reset(102), run(103)).best == timedelta(minutes=30)


def test_a_round_may_take_no_time():
    """A clock with coarse ticks, or one that was set back, gives the start and the run the same time."""
    assert stands(start(5), solve(5)).best == NONE
    assert stands(solve(5, seconds=0.0)).best == NONE
    assert stands(start(5), solve(5), start(6), solve(8)).best == NONE


def test_times_are_never_negative():
    standing = stands(start(5), solve(3))
    assert standing.state == "solved"
    assert standing.best == NONE
    assert standing.clock(at(3)) == NONE
    assert stands(start(5)).clock(at(3)) == NONE


# Hints, and giving up


def test_hints_count_per_round_and_in_total():
    events = [start(0), hint(1), hint(2), run(3), reset(4), hint(5)]
    assert (stands(*events).hints, stands(*events).total_hints) == (1, 3)


def test_early_hints_count_for_the_round():
    """Otherwise `kata hint` would show its first rung again after that run."""
    standing = stands(hint(0), hint(1), run(2))
    assert (standing.hints, standing.total_hints) == (2, 2)


def test_a_given_up_round_is_not_solved():
    standing = stands(start(0), run(1), shown(2, gave_up=True), solve(3))
    assert standing.state == "in progress"
    assert not standing.solved_once
    assert standing.best is None
    assert standing.attempts == 2


def test_giving_up_before_first_run_counts():
    standing = stands(shown(0, gave_up=True), solve(3))
    assert standing.state == "in progress"
    assert standing.best is None


def test_giving_up_spoils_one_round():
    given_up = [start(0), run(1), shown(2, gave_up=True), solve(3)]
    assert stands(*given_up, reset(4), solve(9)).state == "solved"
    assert stands(*given_up, reset(4), solve(9)).best == timedelta(minutes=5)
    assert stands(start(-9), solve(-5), *given_up).state == "solved"
    assert stands(start(-9), solve(-5), *given_up).best == timedelta(minutes=4)


def test_a_solved_kata_keeps_its_solution():
    standing = stands(start(0), solve(3), shown(4, gave_up=False), reset(5), solve(6))
    assert standing.state == "solved"
    assert standing.best == timedelta(minutes=1)
    assert not standing.gave_up


# Changes between two attempts

PASS, FAIL, HANG, NOT_REACHED = Outcome.PASS, Outcome.FAIL, Outcome.HANG, Outcome.NOT_REACHED


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        ({"a": FAIL, "b": FAIL, "c": PASS}, {"a": PASS, "b": PASS, "c": FAIL}, "2 checks newly pass, 1 regressed"),
        ({"a": FAIL, "b": FAIL}, {"a": PASS, "b": FAIL}, "1 check newly passes"),
        ({"a": PASS, "b": PASS}, {"a": FAIL, "b": HANG}, "2 regressed"),
        ({"a": FAIL, "b": PASS}, {"a": PASS, "b": FAIL}, "1 check newly passes, 1 regressed"),
        ({"a": FAIL, "b": PASS}, {"a": FAIL, "b": PASS}, "nothing changed"),
        ({"a": FAIL}, {"a": HANG}, "nothing changed"),
        ({"a": FAIL, "b": NOT_REACHED}, {"a": PASS, "b": PASS}, "2 checks newly pass"),
        ({"a": PASS, "b": PASS}, {"a": FAIL, "b": NOT_REACHED}, "1 regressed"),
        ({"a": PASS, "b": PASS}, {"a": PASS}, "nothing changed"),  # the second run was `-k a`
        ({"a": FAIL}, {"a": FAIL, "b": PASS}, "1 check newly passes"),
    ],
)
def test_changes_since_the_last_attempt_are_shown(before, after, change):
    assert str(stands(start(0), run(1, **before), run(2, **after)).change()) == change


def test_a_first_attempt_has_no_comparison():
    assert stands(run(1, a=FAIL)).change() is None
    assert stands(start(0), run(1, a=FAIL), run(2, a=PASS), reset(3), run(4, a=FAIL)).change() is None


def test_change_compares_with_the_previous_attempt():
    assert str(stands(run(1, a=FAIL), run(2, a=PASS), run(3, a=PASS)).change()) == "nothing changed"


def test_unloadable_run_is_not_compared():
    """The runs before and after it are compared with each other."""
    unloadable = run(2, no_attempt=NoAttempt.UNLOADABLE, a=FAIL)
    assert stands(run(1, a=PASS), unloadable).change() is None
    assert str(stands(run(1, a=PASS), unloadable, run(3, a=PASS)).change()) == "nothing changed"


def test_real_run_shows_changes_of_its_edit(toy):
    toy.checks(
        "".join(
            f'''
@pytest.mark.stage("symptom")
def test_{name}(sut):
    """It does {name}."""
    with sut.open("Thing") as thing:
        assert thing.{name}() == "{name}", "it does something else"
'''
            for name in "abc"
        )
    )

    def attempt(**answers):
        methods = "".join(f"    def {name}(self):\n        return {answer!r}\n" for name, answer in answers.items())
        toy.module(f"class Thing:\n{methods}")
        return toy.pytest().stdout

    first = attempt(a="a", b="", c="")
    assert "attempt 1" in first
    assert "since the last attempt" not in first
    second = attempt(a="", b="b", c="c")
    assert "attempt 2" in second
    assert "since the last attempt: 2 checks newly pass, 1 regressed\n" in second
    assert "since the last attempt: nothing changed\n" in attempt(a="", b="b", c="c")
    fourth = attempt(a="a", b="b", c="c")
    assert "attempt 4" in fourth
    assert "since the last attempt: 1 check newly passes\n" in fourth


# Any content of the journal

MINUTES = st.integers(-60 * 24 * 365, 60 * 24 * 365)  # in any order: a machine's clock can be set back
OUTCOMES = st.dictionaries(st.sampled_from("abc"), st.sampled_from(Outcome))
RUNS = st.builds(
    lambda minutes, solved, seconds, no_attempt, outcomes: run(
        minutes, solved=solved, seconds=seconds, no_attempt=no_attempt, **outcomes
    ),
    MINUTES,
    st.booleans(),
    st.floats(0, 1e6),
    st.sampled_from(["", *NoAttempt]),
    OUTCOMES,
)
EVENTS = st.lists(
    st.one_of(
        st.builds(start, MINUTES, st.sampled_from(["original", "harbour"])),
        st.builds(reset, MINUTES),
        st.builds(hint, MINUTES),
        st.builds(lambda minutes, gave_up: shown(minutes, gave_up=gave_up), MINUTES, st.booleans()),
        RUNS,
    ),
    max_size=12,
).map(lambda events: list(with_variants(events)))


def with_variants(events):
    """A run names the variant of the last start or reset, as in a real journal."""
    variant = "original"
    for event in events:
        if isinstance(event, Started | Reset):
            variant = event.variant
        yield msgspec.structs.replace(event, variant=variant) if isinstance(event, Ran) else event


@given(EVENTS, MINUTES)
def test_any_sequence_of_events_gives_a_standing(events, now):
    standing = stands(*events)
    assert standing.state in {"untouched", "in progress", "solved"}
    assert standing.clock(at(now)) >= NONE
    assert str(standing.change())
    hints = [each.total_hints for each in standing_of(*events).touched.values()]
    assert sum(hints) == sum(isinstance(event, Hinted) for event in events)


@given(EVENTS)
def test_any_journal_counts_attempts_since_start(events):
    rounds = [index for index, event in enumerate(events, 1) if isinstance(event, Started | Reset)]
    since = events[max(rounds, default=0) :]
    assert stands(*events).attempts == sum(map(is_attempt, since))
    attempts = [each.total_attempts for each in standing_of(*events).touched.values()]
    assert sum(attempts) == sum(map(is_attempt, events))


@given(EVENTS, st.sampled_from(["original", "harbour"]))
def test_best_time_never_grows_or_disappears(events, variant):
    bests = [standing_of(*events[:end]).of(variant).best for end in range(len(events) + 1)]
    known = [best for best in bests if best is not None]
    assert bests[len(bests) - len(known) :] == known
    assert known == sorted(known, reverse=True)
    assert all(best >= NONE for best in known)


@given(EVENTS, st.sampled_from(["original", "harbour"]))
def test_a_variant_that_was_solved_stays_solved(events, variant):
    states = [standing_of(*events[:end]).of(variant).state for end in range(len(events) + 1)]
    solved = states.count("solved")
    assert states[len(states) - solved :] == ["solved"] * solved


@pytest.mark.parametrize(
    "fields",
    [
        {"seconds": 1e300},
        {"seconds": -1e300},
        {"at": "0001-01-01T00:00:00Z"},
        {"at": "9999-12-31T23:59:59Z", "seconds": -5.0},
        {"at": "2026-01-31T03:07:00"},
        {"at": "2026-01-31T03:07:00+14:00"},
    ],
    ids=str,
)
def test_damaged_journal_times_stop_no_command(toy, fields):
    line = msgspec.to_builtins(solve(5)) | fields
    toy.journal.path.parent.mkdir()
    toy.journal.path.write_bytes(msgspec.json.encode(line) + b"\n" + msgspec.json.encode(start(9)) + b"\n")
    done = toy.kata("status")
    assert "Traceback" not in done.stderr
    assert done.returncode == 0
    assert "toy" in done.stdout
