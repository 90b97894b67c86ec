"""The result of a guardrail as text."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from drill_katas.guardrail.result import ENOUGH, RIGHT
from drill_katas.report.text import TextLine, fit, line, wrapped
from drill_katas.text import plural

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from drill_katas.guardrail.result import GuardrailResult, Kind, Trial
    from drill_katas.report.text import Style

COUNT: Final = 26  # columns of the name of a count
REJECTS: Final = 16  # columns of the number of rejected versions


def guardrail_lines(result: GuardrailResult, width: int, *, lessons: bool) -> list[TextLine]:
    """Return the counts, the tests, what went wrong, and the score.

    With `lessons`, the wrong versions that passed are shown by what is wrong with them.
    """
    return [
        line((f"guardrail of {result.kata}: {plural(len(result.tests), 'test')}", "bold")),
        line(),
        *_counts(result),
        *([line("  wrong versions were not tried")] if result.is_decided else [line(), *_tests(result, width)]),
        *_refused(result, width),
        *_slipped(result, width, lessons=lessons),
        line(),
        *_score(result, width),
    ]


def _counts(result: GuardrailResult) -> Iterator[TextLine]:
    right = result.of(*RIGHT)
    yield _count("right designs passed", len(right) - len(result.refused), len(right))
    if result.is_decided:
        return
    kinds: tuple[tuple[str, Kind], ...] = (
        ("broken versions rejected", "broken"),
        ("near misses rejected", "near miss"),
    )
    for label, kind in kinds:
        trials = result.of(kind)
        yield _count(label, sum(bool(trial.failed) for trial in trials), len(trials))


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
        for trial in designs[:3]:
            if trial.lesson:
                yield from wrapped(f"The contract allows this design: {trial.lesson}", width, "  ")


def _designs(trials: Sequence[Trial]) -> str:
    name = trials[0].shown_name
    return f"{name} and {plural(len(trials) - 1, 'other right design')}" if len(trials) > 1 else name


def _slipped(result: GuardrailResult, width: int, *, lessons: bool) -> Iterator[TextLine]:
    slipped = [trial.lesson for trial in result.slipped if trial.lesson]
    if not slipped or result.refused or result.passes_everything:
        return
    yield line()
    if not lessons:
        text = f"{plural(len(slipped), 'near miss', 'near misses')} passed. Solve the kata to read what is wrong."
        yield from wrapped(text, width, "")
        return
    yield line("These near misses passed:")
    for lesson in slipped:
        yield from wrapped(f"- {lesson}", width, "  ")


def _score(result: GuardrailResult, width: int) -> Iterator[TextLine]:
    if result.unjudged:
        yield from wrapped(f"No score: {result.unjudged[0]}", width, "", "note")
    elif result.passes_everything:
        text = "It passes even a module in which no function does anything. Assert what the contract says."
        yield from wrapped(f"score 0 of 100. {text}", width, "", "bad")
    elif result.refused:
        text = "A guardrail that fails on a right design gets switched off. Assert only what the contract says."
        yield from wrapped(f"score 0 of 100. {text}", width, "", "bad")
    else:
        style: Style = "good" if result.score >= ENOUGH else "note"
        yield line((f"score {result.score} of 100", style), f"; {ENOUGH} is enough")
        if result.score >= ENOUGH:
            yield from wrapped(f"Next: `kata spec {result.kata}` keeps its rules in your team's SPEC.md.", width, "")
