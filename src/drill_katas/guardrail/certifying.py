"""Proves the guardrails in a kata's solutions: the reference guardrail scores high, and wrong guardrails score 0."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drill_katas.catalog.katas import GUARDRAIL
from drill_katas.errors import UserError
from drill_katas.guardrail.judging import judge
from drill_katas.guardrail.result import WRONG
from drill_katas.guardrail.versions import versions_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from drill_katas.catalog.katas import Kata

LEAST: Final = 90  # the score of a reference guardrail
WRONG_ONES: Final = "guardrails"  # the folder of the wrong guardrails in a kata's solutions


def guardrail_faults(kata: Kata, report_progress: Callable[[int, int], None]) -> Iterator[str]:
    """Yield a message for each guardrail in the kata's solutions that does not get the score that it must have."""
    file = kata.solutions / GUARDRAIL
    if not file.is_file():
        yield f"there is no {GUARDRAIL} in {kata.solutions}; a kata proves that a good guardrail exists"
        return
    try:
        result = judge(kata, file, list(versions_of(kata, held_back=True)), report_progress)
    except UserError as mistake:
        yield f"{GUARDRAIL}: {mistake}"
        return
    yield from (f"{GUARDRAIL}: not judged: {reason}" for reason in result.unjudged)
    of_reference = [trial for trial in result.refused if trial.kind == "reference"]
    for trial in of_reference or result.refused:
        test, message = next(iter(trial.failed.items()))
        yield f"{GUARDRAIL}: {test} fails on {trial.shown_name}: {message}"
    if result.score < LEAST and not result.refused:
        slipped = ", ".join(trial.name for trial in result.slipped)
        yield f"{GUARDRAIL}: the score is {result.score}; it should be at least {LEAST}. These pass: {slipped}"
    yield from _wrong_ones(kata, report_progress)


def _wrong_ones(kata: Kata, report_progress: Callable[[int, int], None]) -> Iterator[str]:
    """Yield a message for each wrong guardrail that gets points; the right versions and the canary decide that."""
    files = sorted((kata.solutions / WRONG_ONES).glob("*.py"))
    if len(files) < 2:  # noqa: PLR2004
        needed = "one that asserts nothing, and one that forbids a right design"
        yield f"{kata.solutions / WRONG_ONES} has {len(files)} wrong guardrails; 2 are needed: {needed}"
    versions = [version for version in versions_of(kata) if version.kind not in WRONG]
    for file in files:
        result = judge(kata, file, versions, report_progress)
        if not result.is_decided:
            yield f"{WRONG_ONES}/{file.name} is not refused: it passes every right design, and fails on the canary"
