"""Tasks of a batch, their results, and the rules for judging a task again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from drill_katas.verdict import CheckResult, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

MOST_ALONE: Final = 3  # attempts per task to get every check judged, because a busy machine may be quieter later
KILLED: Final = (
    "the judge was killed twice while it judged this fix, with nothing else running; the same judge can judge the "
    "broken version, so this fix takes more of the judge's memory, time or processes than there is"
)


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A source to judge: the editable files of a kata, with a unique `key`.

    With `tests`, the content of a file with hostile tests, these tests judge in place of the kata's checks.
    `checks` are the names of the checks to run; empty means all. With `stop_at_failure` the checks after the first that
    fails do not run. `attempt` counts from 0. Later attempts run `alone`,
    with no other task beside them, so that only the source or the grader's machine can make the judge fail.
    """

    key: str
    kata: str
    files: dict[str, bytes]
    seed: int
    checks: tuple[str, ...] = ()
    stop_at_failure: bool = False
    tests: bytes = b""
    attempt: int = 0

    @property
    def alone(self) -> bool:
        """Whether no other task may run at the same time."""
        return self.attempt > 0


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """The result of a task.

    | field | meaning |
    | --- | --- |
    | `checks` | the results of the checks; empty without a verdict |
    | `problem` | why there is no verdict |
    | `log` | the judge's log if there is no verdict; it may quote checks |
    | `lost` | its judges ended during the run |
    """

    key: str
    checks: tuple[CheckResult, ...] = ()
    problem: str = ""
    log: str = ""
    lost: bool = False
    seconds: float = 0.0

    @property
    def unjudged(self) -> tuple[str, ...]:
        """The names of the checks that were not judged because of the judge or the machine."""
        return tuple(check.name for check in self.checks if check.not_judged)


class Judges(Protocol):
    """Judges tasks, here or on other machines."""

    def judged(self, tasks: Iterable[Task]) -> Iterator[Judged]:
        """Yield each result as soon as it is known."""


def all_judged(judged: Judged) -> bool:
    """Return whether every check was judged."""
    return not judged.unjudged


def settled(
    judges: Judges, tasks: Iterable[Task], is_enough: Callable[[Judged], bool] = all_judged
) -> Iterator[Judged]:
    """Yield the final result of each task.

    A task whose judges ended, or whose result fails `is_enough`, is judged again alone after all others: until
    `is_enough` accepts the combined verdicts of its attempts, at most `MOST_ALONE` times.
    """
    sent: dict[str, Task] = {}
    again: list[tuple[Task, Judged]] = []

    def noted() -> Iterator[Task]:
        for task in tasks:
            sent[task.key] = task
            yield task

    for judged in judges.judged(noted()):
        task = sent.pop(judged.key)
        if judged.lost or not is_enough(judged):
            again.append((task, judged))
        else:
            yield judged
    for task, first in again:
        yield _judged_alone(judges, task, first, is_enough)


def _judged_alone(judges: Judges, task: Task, result: Judged, is_enough: Callable[[Judged], bool]) -> Judged:
    for attempt in range(1, MOST_ALONE + 1):
        for judged in judges.judged([msgspec.structs.replace(task, attempt=attempt)]):
            result = _with_verdicts_of(result, judged)
        if is_enough(result):
            break
    return result


def killed_its_judge(check: CheckResult) -> CheckResult:
    """Return the result of a check whose source killed its judge repeatedly."""
    return CheckResult(name=check.name, stage=check.stage, title=check.title, outcome=Outcome.LIMIT, message=KILLED)


def _with_verdicts_of(first: Judged, second: Judged) -> Judged:
    """Return the second result; checks that were not judged in it take their verdict from the first result."""
    if not second.checks:
        return first if first.checks else second
    known = {check.name: check for check in first.checks if not check.not_judged}
    checks = tuple(known.get(check.name, check) if check.not_judged else check for check in second.checks)
    return msgspec.structs.replace(second, checks=checks)
