"""Judges a guardrail on the versions of a kata: right designs, wrong ones, and the canary."""

from __future__ import annotations

import ast
import os
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drill_katas.batch.pool import Pool
from drill_katas.batch.tasks import Judged, Task, settled
from drill_katas.catalog.answer import read_answer
from drill_katas.catalog.arms import arm_from
from drill_katas.errors import UserError
from drill_katas.files import run_folder
from drill_katas.guardrail.canary import canary_of
from drill_katas.guardrail.result import WRONG, GuardrailResult, Kind, Trial, score_of
from drill_katas.sandbox.tier import PRACTICE
from drill_katas.verify.declared import arms_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from drill_katas.catalog.answer import Answer
    from drill_katas.catalog.katas import Kata
    from drill_katas.verify.declared import DeclaredArm

CANARY: Final = "canary"
MOST_BYTES: Final = 200_000  # of a guardrail file
JOBS: Final = 2 * (os.cpu_count() or 1)  # because tests spend a part of their time waiting
ERROR_LINE: Final = re.compile(r"^E\s+(.*)$", re.MULTILINE)  # pytest's mark of an error


@dataclass(frozen=True)
class Version:
    """A version of the module that a guardrail is tried on."""

    kind: Kind
    name: str
    files: dict[str, bytes]
    lesson: str = ""

    @property
    def key(self) -> str:
        """Kind and name, unique in a kata."""
        return f"{self.kind} {self.name}"


def judge(kata: Kata, file: Path, report_progress: Callable[[int, int], None]) -> GuardrailResult:
    """Judge the guardrail in `file`; `report_progress(done, of)` is called after each version.

    Raises `UserError` if the file is not a guardrail.
    """
    kata = kata.original
    source = read_guardrail(file)
    versions = list(versions_of(kata, read_answer(kata.solutions)))
    with run_folder() as folder:
        copy = folder / file.name  # in a folder of its own, because a guardrail is one file
        copy.write_bytes(source)
        with Pool([kata], PRACTICE, JOBS, copy) as pool:
            return _result(kata, pool, versions, report_progress)


def read_guardrail(file: Path) -> bytes:
    """Return the content of a guardrail. Raises `UserError` if it is not Python or has no test."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {file}: {error.strerror}") from error
    if len(content) > MOST_BYTES:
        raise UserError(f"{file} has {len(content):,} bytes; a guardrail has at most {MOST_BYTES:,}")
    try:
        tree = ast.parse(content, str(file))
    except (SyntaxError, ValueError) as error:
        where = f", line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        raise UserError(f"{file}{where} is not Python: {error.args[0]}") from None
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    if not any(isinstance(node, functions) and node.name.startswith("test") for node in ast.walk(tree)):
        raise UserError(f"{file} has no test; write a function `test_...(sut)` that fails on the broken module")
    return content


def versions_of(kata: Kata, answer: Answer) -> Iterator[Version]:
    """Yield the versions to try a guardrail on, the right ones first."""
    arms = sorted(arms_of(kata, answer), key=lambda arm: ("reference", "accepted", "healthy").count(arm.kind) == 0)
    for arm in arms:
        yield Version(arm.kind, arm.name, arm_from(kata, str(arm.source)).contents, _lesson(arm, answer))
    reference = next(arm for arm in arms if arm.kind == "reference")
    yield Version(CANARY, CANARY, canary_of(arm_from(kata, str(reference.source))))


def _lesson(arm: DeclaredArm, answer: Answer) -> str:
    miss = answer.near_misses.get(arm.name) if arm.kind == "near miss" else None
    return " ".join(miss.help.split()) if miss else ""


def _result(
    kata: Kata, pool: Pool, versions: Sequence[Version], report_progress: Callable[[int, int], None]
) -> GuardrailResult:
    done, of = 0, len(versions)
    by_key = {version.key: version for version in versions}
    found: dict[str, Judged] = {}
    report_progress(done, of)
    for judged in settled(pool, [_task(kata, version) for version in versions]):
        if not judged.checks:
            raise UserError(_problem(judged))
        found[judged.key] = judged
        done += 1
        report_progress(done, of)
    trials = tuple(_trial(by_key[key], found[key]) for key in by_key)
    tests = tuple(dict.fromkeys(check.name for key in by_key for check in found[key].checks))
    rejects = Counter(name for trial in trials if trial.kind in WRONG for name in trial.failed)
    return GuardrailResult(
        kata=kata.name,
        tests=tests,
        trials=trials,
        rejects={name: rejects[name] for name in tests},
        score=score_of(trials),
    )


def _task(kata: Kata, version: Version) -> Task:
    return Task(key=version.key, kata=kata.name, files=version.files, seed=0, stop_at_failure=version.kind in WRONG)


def _trial(version: Version, judged: Judged) -> Trial:
    failed = {check.name: check.message.partition("\n")[0] for check in judged.checks if check.failed}
    return Trial(kind=version.kind, name=version.name, failed=failed, lesson=version.lesson)


def _problem(judged: Judged) -> str:
    """Return why the tests of a guardrail did not run."""
    errors = ERROR_LINE.findall(judged.log)
    why = errors[-1] if errors else judged.log.strip().rpartition("\n")[2] or judged.problem
    return f"the guardrail does not run: {why}"
