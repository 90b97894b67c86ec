"""Judges submissions, several at once, and grades them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from drill_katas.batch.tasks import Judged, Task, settled
from drill_katas.grading.grades import Grade, graded, score_of
from drill_katas.grading.intake import Inbox
from drill_katas.grading.keys import key_of, seed_of
from drill_katas.grading.weights import started_from, versions_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from drill_katas.batch.tasks import Judges
    from drill_katas.catalog.katas import Kata
    from drill_katas.grading.grade_store import GradeStore
    from drill_katas.grading.submission import Entry, Submission
    from drill_katas.grading.weights import Version
    from drill_katas.sandbox.tier import Tier


@dataclass(frozen=True)
class _Left:
    """What is to be judged: for which kata, and where it lies."""

    kata: Kata
    entry: Entry
    version: Version | None


class Grader:
    """Grades what was handed in for one of the katas, with seeds that nobody knows without the secret."""

    def __init__(self, katas: Sequence[Kata], secret: bytes, tier: Tier) -> None:
        self._katas = katas
        self._secret = secret
        self._tier = tier
        self._inbox = Inbox()

    def grade(
        self,
        inputs: Sequence[Entry],
        store: GradeStore,
        judges: Judges,
        tell: Callable[[int, int], None],
    ) -> None:
        """Grade inputs into a store. Each gets one grade, whatever is wrong with it.

        Inputs with the same key are judged once, and not at all if the store has their grade. `tell(done, of)` is
        called after each input that is judged.
        """
        with self._inbox:
            self._grade(inputs, store, judges, tell)

    def _grade(
        self, inputs: Sequence[Entry], store: GradeStore, judges: Judges, tell: Callable[[int, int], None]
    ) -> None:
        left = self._survey(inputs, store)
        done = 0
        tell(done, len(left))
        for judged in settled(judges, self._tasks(left, store)):
            if judged.checks:
                store.add(_graded(judged, left[judged.key]))
                done += 1
            else:
                store.fail(judged)
            tell(done + len(store.failures), len(left))

    def _survey(self, inputs: Sequence[Entry], store: GradeStore) -> dict[str, _Left]:
        """Read all inputs, note them in the store, and return by key what is to be judged, kata after kata."""
        left: dict[str, _Left] = {}
        for entry in inputs:
            submission = self._inbox.read(entry, self._katas)
            kata = submission.kata
            key = self._key(submission)
            store.expect(
                Grade(
                    id=submission.id,
                    key=key,
                    kata=kata.name if kata else None,
                    notes=submission.notes,
                    places=dict(submission.places),
                )
            )
            if kata is not None and key is not None and key not in store:
                left.setdefault(key, _Left(kata, entry, started_from(submission.files, versions_of(kata))))
        return dict(sorted(left.items(), key=lambda each: each[1].kata.name))

    def _tasks(self, left: Mapping[str, _Left], store: GradeStore) -> Iterator[Task]:
        """Read once more what is to be judged; should it have changed, there will be no verdict on it."""
        for key, each in left.items():
            submission = self._inbox.read(each.entry, [each.kata])
            if self._key(submission) == key:
                seed = seed_of(submission, self._secret)
                yield Task(key=key, kata=each.kata.name, files=dict(submission.files), seed=seed)
            else:
                store.fail(Judged(key=key, problem=f"{submission.id} has changed since the grading began"))

    def _key(self, submission: Submission) -> str | None:
        if submission.kata is None:
            return None
        return key_of(submission, seed_of(submission, self._secret), self._tier)


def _graded(judged: Judged, of: _Left) -> Grade:
    checks = graded(judged.checks, of.kata.manifest.worth, of.version.fails if of.version else ())
    return Grade(
        id="",
        key=judged.key,
        kata=of.kata.name,
        variant=of.version.name if of.version else None,
        solved=all(check.passed for check in judged.checks),
        score=score_of(checks),
        seconds=judged.seconds,
        checks=checks,
    )
