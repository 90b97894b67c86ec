"""What can go wrong with a system under test, as exceptions that name the outcome of the check.

Those that end a check at once derive from BaseException, so that Hypothesis neither swallows them nor
shrinks through them. `SutError`, an exception the learner's code raised, is an ordinary finding.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from drill_katas.verdict import Outcome

if TYPE_CHECKING:
    from collections.abc import Sequence

Place: TypeAlias = tuple[str, int]
"""An editable file, as the kata names it, and a line in it."""


class SutError(Exception):
    """The learner's code raised an exception: `raised` says which, without the call that led to it."""

    def __init__(self, call: str, raised: str, details: Sequence[str] = (), place: Place | None = None) -> None:
        super().__init__(f"{call} raised {raised}")
        self.raised = raised
        self.details = tuple(details)
        self.place = place


class KataMistake(Exception):
    """The kata itself is wrong: a check or an incident uses the kit in a way that cannot work."""


class Killed(Exception):
    """The judge killed the SUT, as the check wanted it to."""


class CheckEnded(BaseException):
    """The check is over; `outcome` says with which result, `details` and `place` are for who wants to look closer."""

    outcome = Outcome.FAIL

    def __init__(self, message: str = "", details: Sequence[str] = (), place: Place | None = None) -> None:
        super().__init__(message)
        self.details = tuple(details)
        self.place = place


class Broken(CheckEnded):
    """The learner's module cannot be imported, or does not keep the contract."""


class TooSlow(CheckEnded):
    """The budget is used up, and yet every call was answered."""


class Hang(CheckEnded):
    """No answer within the budget."""

    outcome = Outcome.HANG


class Crash(CheckEnded):
    """The SUT ended by itself."""

    outcome = Outcome.CRASH


class LimitExceeded(CheckEnded):
    """The SUT used more memory, processes or output than it may."""

    outcome = Outcome.LIMIT


class NotJudged(CheckEnded):
    """The judge or the machine failed; the message names the culprit and the remedy."""

    outcome = Outcome.NOT_JUDGED


class StopShrinking(CheckEnded):
    """A failure is known and enough has been tried to make it smaller."""
