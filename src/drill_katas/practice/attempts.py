"""The rule for which runs count as attempts; `kata status --help` prints it, and `docs/practice.md` repeats it."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Final

from drill_katas.verdict import Outcome, Stage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drill_katas.verdict import CheckResult


class Way(enum.StrEnum):
    """How a run was started."""

    NAMED = "named"  # by --kata or a path
    BARE = "bare"  # by pytest's testpaths or the current folder
    WATCH = "watch"


class NoAttempt(enum.StrEnum):
    """Why a run on the learner's own files is not an attempt; the values are shown, and stored in the journal."""

    WATCH = "a run of `kata watch`"
    BARE = "no kata was named"
    GUARDRAIL = "only the guardrail ran"
    INLINE = "--kata-inline is for debugging"
    NARROWED = "some checks were left out"
    UNLOADABLE = "your files do not load"
    NOT_JUDGED = "a check was not judged"


RULE: Final = """An attempt is a run on your own files in which you name the kata and leave out
no check: `pytest --kata NAME`, `pytest katas/NAME`, or `kata run NAME`. NAME can
also stand for several katas, such as `all`. The run may stop at the first
failure (-x). These runs are not attempts:

  any run of `kata watch`
  a bare `pytest` in a workspace, which judges every kata
  a run with --kata-inline, which is for debugging
  a run of your guardrail
  a run with -k or a similar option, or of a single test
  a run in which your module does not load, such as after a syntax error
  a run with a check that was `not judged`
  a run ended by Ctrl-C
  a run with --kata-from, which judges the files in another folder

If every check of the kata passes in a run, the kata is solved, even if the run
is not an attempt. A run with --kata-inline or --kata-from never solves a kata."""
"""The text of the rule."""
UNSEEN: Final = frozenset({NoAttempt.UNLOADABLE, NoAttempt.NOT_JUDGED})
"""Runs that show nothing about the learner's code, so that comparisons skip them."""


def why_no_attempt(way: Way, checks: Sequence[CheckResult], *, inline: bool, narrowed: bool) -> NoAttempt | None:
    """Return why a run on the learner's own files is not an attempt, or None for an attempt.

    `checks` are the results so far; `narrowed` is true if the run left out some checks on purpose.
    """
    reached = [check for check in checks if check.passed or check.failed]
    rules = (
        (any(check.outcome is Outcome.NOT_JUDGED for check in checks), NoAttempt.NOT_JUDGED),
        (any(check.stage is Stage.GUARDRAIL for check in checks), NoAttempt.GUARDRAIL),
        (bool(reached) and not any(check.keeps_contract for check in reached), NoAttempt.UNLOADABLE),
        (way is Way.WATCH, NoAttempt.WATCH),
        (inline, NoAttempt.INLINE),
        (narrowed, NoAttempt.NARROWED),
        (way is Way.BARE, NoAttempt.BARE),
    )
    return next((reason for holds, reason in rules if holds), None)
