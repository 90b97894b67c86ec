"""Grades the guardrail of a submission: its tests run on right and wrong versions, each time in a sandbox of their own.

All versions are tried, in an order that is secret, because a guardrail must not learn from what it has met.
"""

from __future__ import annotations

import hashlib
import hmac
import random
from typing import TYPE_CHECKING, Final

from drill_katas.batch.tasks import Judged, Task, all_judged, settled
from drill_katas.errors import UserError
from drill_katas.guardrail.result import ENOUGH, RIGHT, WRONG, GuardrailResult, Trial, result_of
from drill_katas.guardrail.source import expect_guardrail, tests_in
from drill_katas.guardrail.versions import versions_of
from drill_katas.sandbox.tier import Tier
from drill_katas.verdict import CheckResult, Outcome, Stage

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from drill_katas.batch.tasks import Judges
    from drill_katas.catalog.katas import Kata
    from drill_katas.guardrail.versions import Version

NAME: Final = "guardrail"
TITLE: Final = "Its tests pass on every right version, and reject the wrong ones"
MOST_SECONDS: Final = 900.0  # on all versions together, without waiting for a processor
SCORE: Final = "score"  # key of the figure


def judge_guardrail(kata: Kata, tests: bytes | None, seed: int, judges: Judges, tier: Tier) -> CheckResult:
    """Return the result of a submission's guardrail as a check, with its score among the figures.

    Without a file the check fails. Nothing is run unless the tier is `strong`.
    """
    if tests is None:
        return _check(Outcome.FAIL, "the submission has no guardrail.py")
    try:
        names = {test.name for test in tests_in(expect_guardrail(tests, "guardrail.py"))}
    except UserError as mistake:
        return _check(Outcome.FAIL, str(mistake))
    if tier is not Tier.STRONG:
        return _check(Outcome.NOT_JUDGED, f"hostile tests take the sandbox tier strong, and this machine has {tier}")
    try:
        versions = list(versions_of(kata, held_back=True))
    except UserError:
        return _check(Outcome.NOT_JUDGED, "this kata has no versions to try a guardrail on")
    known = {_key(tests, seed, version): version for version in versions}
    return _judged(kata, _tasks(kata, tests, seed, known), judges, known, names)


def _judged(
    kata: Kata, tasks: Iterator[Task], judges: Judges, known: Mapping[str, Version], names: Collection[str]
) -> CheckResult:
    trials = {}
    seconds = 0.0
    for judged in settled(judges, tasks, _is_enough):
        if judged.problem:
            return _check(Outcome.NOT_JUDGED if judged.lost else Outcome.FAIL, judged.problem)
        seconds += judged.seconds
        if seconds > MOST_SECONDS:
            return _check(Outcome.FAIL, f"its tests took more than {MOST_SECONDS / 60:.0f} minutes on all versions")
        trials[judged.key] = _trial(known[judged.key], judged, names)
    return _of_result(result_of(kata.name, [trials[key] for key in known]))


def _tasks(kata: Kata, tests: bytes, seed: int, known: Mapping[str, Version]) -> Iterator[Task]:
    """Yield a task for each version, in an order that the tests cannot compute from their seed."""
    for key, version in random.SystemRandom().sample([*known.items()], len(known)):
        yield Task(key=key, kata=kata.name, files=version.files, seed=seed, tests=tests)


def _key(tests: bytes, seed: int, version: Version) -> str:
    return hmac.new(str(seed).encode(), tests + version.key.encode(), hashlib.sha256).hexdigest()


def _is_enough(judged: Judged) -> bool:
    return all_judged(judged) or any(check.failed for check in judged.checks)


def _trial(version: Version, judged: Judged, names: Collection[str]) -> Trial:
    return Trial(
        kind=version.kind,
        name=version.name,
        failed={_noun(check.name, names): "" for check in judged.checks if check.failed},
        unjudged=tuple(_noun(name, names) for name in judged.unjudged),
        lesson=version.lesson,
    )


def _noun(test: str, names: Collection[str]) -> str:
    """Return a noun phrase for a test by its function, because hostile tests could send a secret as a name."""
    function, _, _ = test.partition("[")
    return f"the test {function}" if function in names else "one of its tests"


def _of_result(result: GuardrailResult) -> CheckResult:
    if result.unjudged:
        return _check(Outcome.NOT_JUDGED, f"{result.unjudged[0]} was not judged; grade again", result)
    if result.passes_everything:
        return _check(Outcome.FAIL, "it passes even a module in which no function does anything", result)
    if result.refused:
        return _check(Outcome.FAIL, _refusal(result.refused[0]), result)
    wrong, left = len(result.of(*WRONG)), len(result.slipped)
    text = f"it rejects {wrong - left} of {wrong} wrong versions"
    if result.score < ENOUGH:
        return _check(Outcome.FAIL, f"{text}; {ENOUGH} % are enough", result)
    return _check(Outcome.PASS, text, result)


def _refusal(trial: Trial) -> str:
    test = next(iter(trial.failed))
    design = f" The contract allows this design: {trial.lesson}" if trial.lesson else ""
    return f"{test} fails on a right version.{design}"


def _check(outcome: Outcome, message: str, result: GuardrailResult | None = None) -> CheckResult:
    figures = {SCORE: float(result.score), "right": float(len(result.of(*RIGHT)))} if result else {SCORE: 0.0}
    return CheckResult(
        name=NAME, stage=Stage.GUARDRAIL, title=TITLE, outcome=outcome, message=message, figures=figures, in_words=True
    )
