"""Turns the exception of a check into its result: outcome, message, details."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from drill_katas.failures import Broken, CheckEnded, NotJudged, StopShrinking, SutError
from drill_katas.text import terminal_safe, truncate
from drill_katas.verdict import CALLS, Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drill_katas.judge.check_context import CheckContext, Failure
    from drill_katas.verdict import CheckResult

MAX_MESSAGE_LINES = 6
MAX_MESSAGE = 3_000  # characters
MAX_OUTPUT_LINES = 20
ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+")  # of an object in its repr; it differs in every run
FINDINGS = (AssertionError, CheckEnded, SutError)  # exceptions about the SUT


def failure_result(result: CheckResult, error: BaseException, context: CheckContext) -> CheckResult:
    """Return the result of a check that raised `error`."""
    error = _cause(error)
    failure = context.failing_example(error)
    if context.failure and (isinstance(error, StopShrinking) or not isinstance(error, FINDINGS)):
        # because Hypothesis replaces a known failure by an exception of its own when its shrinking is stopped
        failure = context.failure
    error = failure.error
    if isinstance(error, NotJudged):
        return not_judged(result, str(error))
    return replace(
        result,
        outcome=error.outcome if isinstance(error, CheckEnded) else Outcome.FAIL,
        message=terminal_safe(_message(error)),
        in_words=_is_in_words(error),
        details=tuple(map(terminal_safe, _details(failure))),
        place=_seen(error, "place"),
        keeps_contract=not isinstance(error, Broken),
    )


def with_fault(result: CheckResult, context: CheckContext) -> CheckResult:
    """Return the result of a check; a fault of the judge or the machine replaces a failure."""
    if context.fault is None or not result.failed:
        return result
    return not_judged(result, context.fault, saw=result.message)


def not_judged(result: CheckResult, culprit: str, saw: str = "") -> CheckResult:
    """Return the result "not judged" because of the culprit; `saw` is the failure message of the check itself."""
    seen = f". The check saw: {' '.join(saw.split())}" if saw else ""
    return replace(
        result,
        outcome=Outcome.NOT_JUDGED,
        message=terminal_safe(f"not judged: {culprit}{seen}"),
        in_words=True,
        place=None,
        keeps_contract=True,
    )


def _cause(error: BaseException) -> BaseException:
    """Return the original exception behind one of Hypothesis.

    Hypothesis wraps a failure that it could not reproduce in a group. If a check ends in the middle of an example,
    Hypothesis may find the data inconsistent and raise an exception for that; the original one is its context.
    """
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    context: BaseException | None = None if isinstance(error, FINDINGS) else error.__context__
    while context is not None and not isinstance(context, CheckEnded):
        context = context.__context__
    return context or error


def _message(error: BaseException) -> str:
    if isinstance(error, AssertionError):
        text = str(error).partition("\nassert ")[0].removeprefix("assert ")
    elif isinstance(error, CheckEnded | SutError):
        text = str(error)
    elif isinstance(error, pytest.FixtureLookupError):
        text = f"there is no fixture {error.argname!r}"
    else:
        text = f"{type(error).__name__}: {error}"
    text = ADDRESS.sub("", "\n".join(text.splitlines()[:MAX_MESSAGE_LINES]))
    return truncate(text, MAX_MESSAGE)


def _details(failure: Failure) -> tuple[str, ...]:
    return (
        *_section(CALLS, failure.calls),
        *_section("Where it was:", _seen(failure.error, "details") or ()),
        *_section("What the program printed:", failure.output.splitlines()[-MAX_OUTPUT_LINES:]),
    )


def _is_in_words(error: BaseException) -> bool:
    """Return whether an exception has a message for people. A bare `assert` has none: its text quotes the code."""
    if isinstance(error, AssertionError):
        return not re.match(r"assert |\s*$", str(error))
    return isinstance(error, FINDINGS)


def _seen(error: BaseException, what: str) -> Any:
    """Return an attribute of the exception or of its cause, because a check may reword the learner's exception."""
    return getattr(error, what, None) or getattr(error.__cause__, what, None)


def _section(title: str, lines: Sequence[str]) -> tuple[str, ...]:
    return (title, *("  " + "\n  ".join(line.split("\n")) for line in lines)) if lines else ()
