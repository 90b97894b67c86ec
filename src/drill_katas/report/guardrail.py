"""The result of a guardrail as text."""

from __future__ import annotations

import re
from itertools import groupby
from typing import TYPE_CHECKING, Final

from drill_katas.guardrail.result import ENOUGH, RIGHT, WRONG
from drill_katas.report.text import TextLine, filled, fit, line, wrapped
from drill_katas.text import plural

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from drill_katas.guardrail.result import GuardrailResult, Trial
    from drill_katas.report.text import Style

COUNT: Final = 26  # columns of the name of a count
MOST_CALLS: Final = 4  # that are shown of a failed test
MOST_LESSONS: Final = 8  # at once
OWN_ERROR: Final = re.compile(r"[A-Z]\w*(Error|Exception): ")  # an exception of the test itself
REJECTS: Final = 16  # columns of the number of rejected versions


def guardrail_lines(result: GuardrailResult, width: int, lessons: Collection[str] | None) -> list[TextLine]:
    """Return the counts, the tests, what went wrong, and the score.

    `lessons` has the names of the near misses that the learner may see; None before the solve.
    """
    return [
        line((f"guardrail of {result.kata}: {plural(len(result.tests), 'test')}", "bold")),
        line(),
        *_counts(result),
        *([] if result.is_decided else [line(), *_tests(result, width)]),
        *_refused(result, width),
        *_slipped(result, width, lessons),
        line(),
        *_score(result, width),
    ]


def _counts(result: GuardrailResult) -> Iterator[TextLine]:
    right, wrong = result.of(*RIGHT), result.of(*WRONG)
    yield _count("right designs passed", len(right) - len(result.refused), len(right))
    if any(trial.kind == "reference" for trial in result.refused):
        yield line("  no more versions were tried, because it fails on the reference solution")
    if result.is_decided:
        yield line("  wrong versions do not count before the score is above 0")
    else:
        yield _count("wrong versions rejected", len(wrong) - len(result.slipped), len(wrong))


def _count(label: str, number: int, of: int) -> TextLine:
    return line(f"  {label:<{COUNT}}", (f"{number:>3} of {of}", "good" if number == of else "note"))


def _tests(result: GuardrailResult, width: int) -> Iterator[TextLine]:
    room = min(max(map(len, result.tests)), width - REJECTS - 4)
    for test, number in result.rejects.items():
        text = f"rejects {number}" if number else "rejects nothing"
        yield line(f"  {fit(test, room):<{room}}  ", (text, "" if number else "note"))


def _refused(result: GuardrailResult, width: int) -> Iterator[TextLine]:
    """Yield the tests that fail on right designs, once for all designs with the same message."""

    def first_failure(trial: Trial) -> tuple[str, str]:
        return next(iter(trial.failed.items()))

    for (test, message), refused in groupby(sorted(result.refused, key=first_failure), key=first_failure):
        designs = list(refused)
        yield line()
        yield from wrapped(f"{test} fails on {_designs(designs)}:", width, "", "bad")
        yield from wrapped(message, width, "  ", "bad")
        yield from _calls(designs[0].calls.get(test, ()), width)
        if any(trial.kind == "reference" for trial in designs):
            continue  # it does not depend on the design
        for trial in designs[:3]:
            if trial.lesson:
                yield from wrapped(f"The contract allows this design: {trial.lesson}", width, "  ")


def _calls(calls: Sequence[str], width: int) -> Iterator[TextLine]:
    if calls:
        yield line("  Its last calls before that:")
    for call in calls[-MOST_CALLS:]:
        yield from wrapped(call.strip(), width, "    ")


def _designs(trials: Sequence[Trial]) -> str:
    name = trials[0].shown_name
    return f"{name} and {plural(len(trials) - 1, 'other right design')}" if len(trials) > 1 else name


def _slipped(result: GuardrailResult, width: int, lessons: Collection[str] | None) -> Iterator[TextLine]:
    """Yield what is wrong with the near misses that passed: those whose names are in `lessons`."""
    slipped = [] if result.is_decided else result.slipped
    if not slipped:
        return
    yield line()
    if lessons is None:
        text = f"{plural(len(slipped), 'wrong version')} passed. Solve the kata to read what is wrong with them."
        yield from wrapped(text, width, "")
        return
    shown = [trial for trial in slipped if trial.name in lessons and trial.lesson][:MOST_LESSONS]
    if shown:
        yield line("These wrong fixes passed:")
    for trial in shown:
        first, *rest = filled(f"{trial.name}: {trial.lesson}", width, "  ", "    ")
        yield line("  ", (trial.name, "bold"), first[2 + len(trial.name) :])
        yield from map(line, rest)
    if more := len(slipped) - len(shown):
        yield from wrapped(f"{plural(more, 'other wrong version')} passed, too.", width, "")


def _score(result: GuardrailResult, width: int) -> Iterator[TextLine]:
    if result.unjudged:
        yield from wrapped(f"No score: {result.unjudged[0]}", width, "", "note")
    elif result.passes_everything:
        text = "It passes even a module in which no function does anything. Assert what the contract says."
        yield from wrapped(f"score 0 of 100. {text}", width, "", "bad")
    elif result.refused:
        own_error = any(OWN_ERROR.match(message) for trial in result.refused for message in trial.failed.values())
        advice = "Correct the test that raises." if own_error else "Assert only what the contract says."
        text = f"A guardrail that fails on a right design gets switched off. {advice}"
        yield from wrapped(f"score 0 of 100. {text}", width, "", "bad")
    else:
        style: Style = "good" if result.score >= ENOUGH else "note"
        yield line((f"score {result.score} of 100", style), f"; {ENOUGH} is enough")
        if result.score >= ENOUGH:
            yield from wrapped(f"Next: `kata spec {result.kata}` keeps its rules in your team's SPEC.md.", width, "")
