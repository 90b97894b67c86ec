"""`kata verify`: certify a kata, by judging its arms and comparing the verdicts with `answer.toml`.

Every arm (broken variants, reference, accepted designs, near misses) is judged in the same way as a learner's files,
with one seed or several. A seed also determines the order of the checks.

| plan  | broken and right arms | near misses                                          |
| ----- | --------------------- | ---------------------------------------------------- |
| quick | every check           | the checks that they must fail, and those of symptom |
| full  | every check           | every check                                          |
"""

from __future__ import annotations

import itertools
import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from drill_katas.batch.tasks import Task
from drill_katas.catalog.answer import read_answer
from drill_katas.catalog.arms import arm_from
from drill_katas.catalog.thresholds import Measured, derive, faults, limits_of
from drill_katas.errors import UserError
from drill_katas.verdict import Outcome, Stage
from drill_katas.verify.declared import RIGHT, arms_of, missing
from drill_katas.verify.matrix import Cell, Certificate, CheckName, Row
from drill_katas.verify.trials import judge_all, pool_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from drill_katas.batch.pool import Pool
    from drill_katas.catalog.katas import Kata
    from drill_katas.verdict import CheckResult
    from drill_katas.verify.declared import DeclaredArm


@dataclass(frozen=True)
class CertificationPlan:
    """The options of a certification.

    | field | meaning |
    | --- | --- |
    | `seeds` | seeds of the examples |
    | `full` | judge near misses on every check |
    | `repeat` | runs per seed |
    | `jobs` | parallel runs |
    | `load` | other busy processes |
    | `derive` | write the thresholds from the measured figures |
    """

    seeds: Sequence[int]
    full: bool = False
    repeat: int = 1
    jobs: int = 1
    load: int = 0
    derive: bool = False


def certify(kata: Kata, plan: CertificationPlan, report_progress: Callable[[int, int], None]) -> Certificate:
    """Judge the arms as planned and return the certificate; `report_progress(done, of)` is called after each run.

    Raises `UserError`.
    """
    answer = read_answer(kata.solutions)
    arms = arms_of(kata, answer)
    sources, unreadable = _sources(kata, arms)
    names, rows = _judge(kata, plan, [arm for arm in arms if arm.label in sources], sources, report_progress)
    measured = list(_measured(rows))
    if plan.derive:
        derive(kata, measured)
    wrong = (
        *missing(answer, arms),
        *unreadable,
        *_undeclared(arms, names),
        *_unproven(names, rows),
        *faults(measured, limits_of(kata)),
        *_cell_faults(rows),
        *_undecided(rows),
    )
    return Certificate(
        kata=kata.name,
        seeds=tuple(plan.seeds),
        repeat=plan.repeat,
        load=plan.load,
        checks=names,
        rows=rows,
        faults=wrong,
    )


def _sources(kata: Kata, arms: Sequence[DeclaredArm]) -> tuple[dict[str, dict[str, bytes]], list[str]]:
    """Return the files of each arm by label, and a fault for each near miss that cannot be read."""
    sources, unreadable = {}, []
    for arm in arms:
        try:
            sources[arm.label] = arm_from(kata, str(arm.source)).contents
        except UserError as mistake:
            if arm.kind != "near miss":
                raise
            unreadable.append(f"{arm.label}: {mistake}")
    return sources, unreadable


def _judge(
    kata: Kata,
    plan: CertificationPlan,
    arms: Sequence[DeclaredArm],
    sources: Mapping[str, dict[str, bytes]],
    report_progress: Callable[[int, int], None],
) -> tuple[tuple[CheckName, ...], tuple[Row, ...]]:
    """Return the columns and rows of the matrix. Near misses run last, because the other arms yield the checks."""
    done, of = itertools.count(1), len(arms) * len(plan.seeds) * plan.repeat
    report_progress(0, of)
    runs: dict[str, list[tuple[CheckResult, ...]]] = {}

    def judge(pool: Pool, chosen: Sequence[DeclaredArm], checks_of: Callable[[DeclaredArm], tuple[str, ...]]) -> None:
        tasks = {arm.label: _tasks(kata, plan, arm, sources[arm.label], checks_of(arm)) for arm in chosen}
        wrong = {task.key for arm in chosen if arm.kind not in RIGHT for task in tasks[arm.label]}
        every = [task for each in tasks.values() for task in each]
        found = judge_all(pool, every, wrong=wrong, after_each=lambda: report_progress(next(done), of))
        runs.update({label: [found[task.key] for task in each] for label, each in tasks.items()})

    with pool_of(kata, plan.jobs, plan.load) as pool:
        judge(pool, [arm for arm in arms if arm.kind != "near miss"], lambda _: ())
        names = _columns(next(iter(runs.values()))[0])
        judge(pool, [arm for arm in arms if arm.kind == "near miss"], lambda arm: _checks_of(arm, names, plan))
    rows = [_row(arm, names, runs[arm.label], plan) for arm in arms]
    return names, tuple(rows)


def _tasks(
    kata: Kata, plan: CertificationPlan, arm: DeclaredArm, files: dict[str, bytes], checks: tuple[str, ...]
) -> list[Task]:
    return [
        Task(
            key=f"{kata.name}, {arm.label}, seed {seed}, {number}",
            kata=kata.name,
            files=files,
            seed=seed,
            checks=checks,
        )
        for seed in plan.seeds
        for number in range(plan.repeat)
    ]


def _columns(checks: Sequence[CheckResult]) -> tuple[CheckName, ...]:
    ordered = sorted(checks, key=lambda check: check.stage.position)
    return tuple(CheckName(check.name, check.stage, check.title) for check in ordered)


def _checks_of(arm: DeclaredArm, columns: Sequence[CheckName], plan: CertificationPlan) -> tuple[str, ...]:
    """Return the checks to judge an arm on; empty for all checks."""
    if plan.full or arm.kind != "near miss":
        return ()
    return tuple(column.name for column in columns if column.name in arm.fails or column.stage is Stage.SYMPTOM)


def _row(
    arm: DeclaredArm, columns: Sequence[CheckName], runs: Sequence[Sequence[CheckResult]], plan: CertificationPlan
) -> Row:
    seconds = max(sum(check.seconds for check in checks) for checks in runs)
    by_name = [{check.name: check for check in checks} for checks in runs]
    chosen = _checks_of(arm, columns, plan) or [column.name for column in columns]
    cells = (
        _cell(arm, column.name, [checks.get(column.name) for checks in by_name if column.name in chosen], plan.repeat)
        for column in columns
    )
    return Row(arm.kind, arm.name, round(seconds, 2), tuple(cells))


def _cell(arm: DeclaredArm, check: str, seen: Sequence[CheckResult | None], repeat: int) -> Cell:
    declared, fault = _declared_and_fault(arm, check, seen)
    outcomes = tuple(result.outcome.value if result else "missing" for result in seen)
    names = sorted({name for result in seen if result for name in result.figures})
    figures = {name: tuple(each.figures[name] for each in seen if each and name in each.figures) for name in names}
    return Cell(check, declared, outcomes, fault, figures, flips=_flips(seen, repeat))


def _flips(seen: Sequence[CheckResult | None], repeat: int) -> int:
    passed = [result is not None and result.passed for result in seen]
    groups = [Counter(passed[first : first + repeat]) for first in range(0, len(passed), repeat)]
    return sum(repeat - max(group.values()) for group in groups)


def _declared_and_fault(
    arm: DeclaredArm, check: str, seen: Sequence[CheckResult | None]
) -> tuple[Literal["pass", "fail", "either"], str]:
    outcomes = " and ".join(sorted({result.outcome.value if result else "missing" for result in seen}))
    if arm.kind not in RIGHT:  # on a busy machine a check of a wrong arm may be not judged; see `_undecided`
        seen = [result for result in seen if result is None or not result.not_judged]
    if check in arm.may_fail and all(seen):
        return "either", ""
    if check not in arm.fails:
        wrong = next((result for result in seen if result is None or not result.passed), None)
        reason = f"the outcome is {wrong.outcome}: {wrong.message}" if wrong else "it did not run"
        return "pass", "" if all(result and result.passed for result in seen) else f"should pass, but {reason}"
    pattern = arm.fails[check]
    for result in seen:
        if result is None or not result.failed:
            return "fail", f"should fail, but the outcome is {outcomes}"
        if not result.keeps_contract:
            return "fail", f"should run and fail, but does not run: {result.message}"
        if not re.search(pattern, result.message):
            return "fail", f"the message should match {pattern!r}, but is {result.message!r}"
    return "fail", ""


def _measured(rows: Sequence[Row]) -> Iterator[Measured]:
    """Return the values of each figure, measured by right arms and by arms that must fail the check."""
    cells = [(row.kind, cell) for row in rows for cell in row.cells]
    for name in sorted({name for _, cell in cells for name in cell.figures if " " not in name}):
        of = [(kind, cell.declared, value) for kind, cell in cells for value in cell.figures.get(name, ())]
        right = tuple(value for kind, _, value in of if kind in RIGHT)
        wrong = tuple(value for _, declared, value in of if declared == "fail")
        yield Measured(name=name, right=right, wrong=wrong)


def _undeclared(arms: Sequence[DeclaredArm], columns: Sequence[CheckName]) -> Iterator[str]:
    """Return faults: declarations of unknown checks, and tempting near misses that fail the symptom."""
    symptoms = {column.name for column in columns if column.stage is Stage.SYMPTOM}
    known = {column.name for column in columns}
    for arm in arms:
        for name in (*arm.fails, *arm.may_fail):
            if name not in known:
                yield f"{arm.label}: {name} is declared, but there is no such check"
        if arm.tempting and symptoms & arm.fails.keys():
            yield f"{arm.label}: declared tempting, but fails the symptom"


def _unproven(columns: Sequence[CheckName], rows: Sequence[Row]) -> Iterator[str]:
    """Return faults: checks that no arm fails, because nothing proves that they can fail."""
    for index, column in enumerate(columns):
        if not any(row.cells[index].declared == "fail" for row in rows):
            yield f"{column.name}: no arm is declared to fail it, so nothing proves that it can fail"


def _cell_faults(rows: Sequence[Row]) -> Iterator[str]:
    for row in rows:
        for cell in row.cells:
            if cell.fault:
                yield f"{row.kind} {row.arm}, {cell.check}: {cell.fault}"


def _undecided(rows: Sequence[Row]) -> Iterator[str]:
    """Return faults: runs of wrong arms in which every check that must fail was not judged."""
    for row in rows:
        must_fail = [cell.seen for cell in row.cells if cell.declared == "fail"]
        for outcomes in zip(*must_fail, strict=True):
            if set(outcomes) <= {Outcome.NOT_JUDGED.value}:
                yield f"{row.kind} {row.arm}: not judged; certify again on a less busy machine"
