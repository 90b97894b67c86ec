"""Judges submissions, several at once, and adds their grades to a store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from msgspec.structs import replace

from drill_katas.batch.tasks import Judged, Task, settled
from drill_katas.grading.grades import Grade, graded, score_of, with_guardrail
from drill_katas.grading.guardrails import judge_guardrail
from drill_katas.grading.intake import Inbox
from drill_katas.grading.keys import key_of, seed_of, seed_of_guardrail
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
class _Pending:
    """A submission to judge: its kata, its entry, and the version it started from."""

    kata: Kata
    entry: Entry
    version: Version | None


class Grader:
    """Grades submissions for these katas; the seeds are secret as long as `secret` is."""

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
        report_progress: Callable[[int, int], None],
    ) -> None:
        """Add one grade for each input to the store, even for an unreadable input.

        Inputs with the same key are judged once; a key that the store has already is not judged again.
        `report_progress(done, of)` is called at the start, and after each judged input.
        """
        with self._inbox:
            self._grade(inputs, store, judges, report_progress)

    def _grade(
        self, inputs: Sequence[Entry], store: GradeStore, judges: Judges, report_progress: Callable[[int, int], None]
    ) -> None:
        pending = self._survey(inputs, store)
        done = 0
        report_progress(done, len(pending))
        for judged in settled(judges, self._tasks(pending, store)):
            of = pending[judged.key]
            if not judged.checks:
                store.fail(judged)
            elif self._has_guardrail(of):
                store.add(_graded(judged, of, _without_guardrail(judged.key)))
            else:
                store.add(_graded(judged, of, judged.key))
                done += 1
            report_progress(done + len(store.failures), len(pending))
        for key, of in pending.items():
            if of_checks := store.get(_without_guardrail(key)):
                self._add_guardrail(key, of, of_checks, store, judges)
                done += key in store
                report_progress(done + len(store.failures), len(pending))

    def _survey(self, inputs: Sequence[Entry], store: GradeStore) -> dict[str, _Pending]:
        """Read all inputs, add them to the store, and return the submissions to judge, by key and sorted by kata."""
        pending: dict[str, _Pending] = {}
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
                pending.setdefault(key, _Pending(kata, entry, started_from(submission.files, versions_of(kata))))
        return dict(sorted(pending.items(), key=lambda each: each[1].kata.name))

    def _tasks(self, pending: Mapping[str, _Pending], store: GradeStore) -> Iterator[Task]:
        """Yield a task for each pending submission. Each is read again; a submission that has changed fails."""
        for key, each in pending.items():
            if _without_guardrail(key) in store:
                continue
            submission = self._inbox.read(each.entry, [each.kata])
            if self._key(submission) == key:
                seed = seed_of(submission, self._secret)
                yield Task(key=key, kata=each.kata.name, files=dict(submission.files), seed=seed)
            else:
                store.fail(_changed(submission, key))

    def _has_guardrail(self, of: _Pending) -> bool:
        """Return whether a guardrail is graded: the submission has one, or the kata gives it weight."""
        return bool(of.kata.manifest.guardrail_share) or self._inbox.read(of.entry, [of.kata]).guardrail is not None

    def _add_guardrail(self, key: str, of: _Pending, of_checks: Grade, store: GradeStore, judges: Judges) -> None:
        """Judge a submission's guardrail, and add the grade of checks and guardrail to the store."""
        kata, submission = of.kata, self._inbox.read(of.entry, [of.kata])
        if self._key(submission) != key:
            store.fail(_changed(submission, key))
            return
        seed = seed_of_guardrail(submission, self._secret)
        guardrail = judge_guardrail(kata, submission.guardrail, seed, judges, self._tier)
        checks = with_guardrail(of_checks.checks, guardrail, kata.manifest.guardrail_share)
        store.add(replace(of_checks, key=key, checks=checks, score=score_of(checks)))

    def _key(self, submission: Submission) -> str | None:
        if submission.kata is None:
            return None
        return key_of(submission, seed_of(submission, self._secret), self._tier)


def _changed(submission: Submission, key: str) -> Judged:
    return Judged(key=key, problem=f"{submission.id} changed after grading began")


def _without_guardrail(key: str) -> str:
    """Return the key of the grade of a submission's checks alone; its guardrail is judged later."""
    return f"{key} without guardrail"


def _graded(judged: Judged, of: _Pending, key: str) -> Grade:
    checks = graded(judged.checks, of.kata.manifest.worth, of.version.fails if of.version else ())
    return Grade(
        id="",
        key=key,
        kata=of.kata.name,
        variant=of.version.name if of.version else None,
        solved=all(check.passed for check in judged.checks),
        score=score_of(checks),
        seconds=judged.seconds,
        checks=checks,
    )
