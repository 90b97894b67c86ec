"""The failures of a system under test, as exceptions with the outcome of the check.

An exception that ends the check at once derives from BaseException, so that Hypothesis does not catch it and does not
shrink its example. `SutError`, an exception from the learner's code, is an ordinary finding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from drill_katas.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

Place: TypeAlias = tuple[str, int]
"""The name of an editable file within its kata, and a line number."""


class SutError(Exception):
    """The learner's code raised an exception; `raised` is its type and message."""

    def __init__(self, call: str, raised: str, details: Sequence[str] = (), place: Place | None = None) -> None:
        super().__init__(f"{call} raised {raised}")
        self.raised = raised
        self.details = tuple(details)
        self.place = place


class KataMistake(Exception):
    """The kata itself is wrong: a check or an incident uses the kit in a way that cannot work."""


class Killed(Exception):
    """The judge killed the SUT because the check requested it."""


class CheckEnded(BaseException):
    """The check ended with `outcome`; `details` and `place` help to find the cause."""

    outcome = Outcome.FAIL

    def __init__(self, message: str = "", details: Sequence[str] = (), place: Place | None = None) -> None:
        super().__init__(message)
        self.details = tuple(details)
        self.place = place


class Broken(CheckEnded):
    """The learner's module cannot be imported or breaks the contract."""


class TooSlow(CheckEnded):
    """The budget is used up although the SUT answered every call."""


class Hang(CheckEnded):
    """The SUT did not answer in time."""

    outcome = Outcome.HANG


class Crash(CheckEnded):
    """The SUT exited, and the judge did not kill it."""

    outcome = Outcome.CRASH


class LimitExceeded(CheckEnded):
    """The SUT exceeded a limit, for example on memory, processes or output."""

    outcome = Outcome.LIMIT


class NotJudged(CheckEnded):
    """The judge or the machine failed. The message names the culprit and the remedy."""

    outcome = Outcome.NOT_JUDGED


class StopShrinking(CheckEnded):
    """The check has a failing example, and Hypothesis tried long enough to shrink it."""
