"""What is to be judged as a batch, what came of it, and which results stand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Protocol

import msgspec

from drill_katas.verdict import CheckResult, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

MOST_ALONE: Final = 3  # attempts to get a verdict on every check, because a busy machine has quieter moments
KILLED: Final = (
    "the judge was killed twice while it judged this fix, with nothing else running; it judges the broken version "
    "without trouble, so the fix takes more memory, time or processes of it than it has"
)


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A source to judge: the editable files of a kata, under a unique `key`.

    `checks` are the names of the checks to judge it on; without any, it is judged on all. `attempt` counts from 0.
    Nothing else is judged during a later attempt (`alone`), so that a failure of the judge then is caused by the source
    or by the grader.
    """

    key: str
    kata: str
    files: dict[str, bytes]
    seed: int
    checks: tuple[str, ...] = ()
    attempt: int = 0

    @property
    def alone(self) -> bool:
        """Whether nothing else is judged meanwhile."""
        return self.attempt > 0


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a task, after so many seconds.

    Without checks there was no verdict, and `problem` says why. What its judge said then, `said`, may quote checks.
    `lost` means that its judges ended while they judged it.
    """

    key: str
    checks: tuple[CheckResult, ...] = ()
    problem: str = ""
    said: str = ""
    lost: bool = False
    seconds: float = 0.0

    @property
    def unjudged(self) -> tuple[str, ...]:
        """The names of checks that the judge or the machine kept from a verdict."""
        return tuple(check.name for check in self.checks if check.not_judged)


class Judges(Protocol):
    """Judges tasks, here or on other machines."""

    def judged(self, tasks: Iterable[Task]) -> Iterator[Judged]:
        """Yield the result of each task, as soon as it is known."""


def all_judged(judged: Judged) -> bool:
    """Whether a result has a verdict on every check."""
    return not judged.unjudged


def settled(
    judges: Judges, tasks: Iterable[Task], is_enough: Callable[[Judged], bool] = all_judged
) -> Iterator[Judged]:
    """Yield the result of each task.

    One that is not enough, and one whose judges have ended, is judged again, alone, in the end: until `is_enough`
    accepts the verdicts of all attempts together, and `MOST_ALONE` times at most.
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
    """Return the result of a check of a source that its judge has died of, time after time."""
    return CheckResult(name=check.name, stage=check.stage, title=check.title, outcome=Outcome.LIMIT, message=KILLED)


def _with_verdicts_of(first: Judged, second: Judged) -> Judged:
    """Return the second result; a check that it has no verdict on gets the first one's."""
    if not second.checks:
        return first if first.checks else second
    known = {check.name: check for check in first.checks if not check.not_judged}
    checks = tuple(known.get(check.name, check) if check.not_judged else check for check in second.checks)
    return msgspec.structs.replace(second, checks=checks)
