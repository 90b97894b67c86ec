"""The result of a guardrail as text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from drill_katas.guardrail.result import ENOUGH
from drill_katas.report.text import TextLine, fit, line, wrapped
from drill_katas.text import plural

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drill_katas.guardrail.result import GuardrailResult

COUNT = 26  # columns of the name of a count
WORDS = {"accepted": "an accepted design", "reference": "the reference solution", "healthy": "a healthy version"}


def guardrail_lines(result: GuardrailResult, width: int, *, lessons: bool) -> list[TextLine]:
    """Return the score, its reasons, and the tests.

    With `lessons`, the wrong versions that passed are shown by what is wrong with them.
    """
    return [
        line((f"guardrail of {result.kata}: {plural(len(result.tests), 'test')}", "bold")),
        *_counts(result),
        line(),
        *_tests(result, width),
        *_refused(result, width),
        *_slipped(result, width, lessons=lessons),
        line(),
        *_score(result, width),
    ]


def _counts(result: GuardrailResult) -> Iterator[TextLine]:
    right = result.of("reference", "accepted", "healthy")
    yield _count("right designs passed", len(right) - len(result.refused), len(right))
    for label, kind in (("broken versions rejected", "broken"), ("near misses rejected", "near miss")):
        trials = result.of(kind)
        yield _count(label, sum(bool(trial.failed) for trial in trials), len(trials))


def _count(label: str, number: int, of: int) -> TextLine:
    return line(f"  {label:<{COUNT}}", (f"{number:>3} of {of}", "good" if number == of else "note"))


def _tests(result: GuardrailResult, width: int) -> Iterator[TextLine]:
    name = max(map(len, result.tests))
    for test, number in result.rejects.items():
        text = f"rejects {number}" if number else "rejects nothing"
        yield line(f"  {fit(test, width - 22):<{min(name, width - 22)}}  ", (text, "" if number else "note"))


def _refused(result: GuardrailResult, width: int) -> Iterator[TextLine]:
    for trial in result.refused:
        test, message = next(iter(trial.failed.items()))
        name = f" {trial.name}" if trial.kind in {"accepted", "healthy"} else ""
        yield line()
        yield from wrapped(f"It refuses {WORDS[trial.kind]}{name}: {test} fails.", width, "", "bad")
        yield from wrapped(message, width, "  ", "bad")
        if trial.lesson:
            yield from wrapped(f"The contract allows this design: {trial.lesson}", width, "  ")


def _slipped(result: GuardrailResult, width: int, *, lessons: bool) -> Iterator[TextLine]:
    slipped = [trial.lesson for trial in result.slipped if trial.lesson]
    if not slipped or result.refused or result.passes_everything:
        return
    yield line()
    if not lessons:
        yield from wrapped("Solve the kata to read what is wrong with the versions that passed.", width, "")
        return
    yield line("These wrong versions passed:")
    for lesson in slipped:
        yield from wrapped(f"- {lesson}", width, "  ")


def _score(result: GuardrailResult, width: int) -> Iterator[TextLine]:
    if result.passes_everything:
        text = "It passes everything, even a module in which no function works. Assert what the contract says."
        yield from wrapped(f"score 0. {text}", width, "", "bad")
    elif result.refused:
        text = "It refuses a right design, so the team would switch it off."
        yield from wrapped(f"score 0. {text} Assert only what the contract says.", width, "", "bad")
    else:
        style = "good" if result.score >= ENOUGH else "note"
        yield line((f"score {result.score} of 100", style), f"; {ENOUGH} is enough")
