"""`kata verify`: proves a kata against its arms.

Every arm (the broken variants, the reference, the accepted alternatives, the near misses) is judged on the path a
learner's files take, over several seeds, which also shuffle the checks. What each must get stands in `answer.toml`.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from drill_katas.catalog.answer import read_answer
from drill_katas.catalog.katas import ORIGINAL
from drill_katas.catalog.thresholds import Measured, derive, faults, limits_of
from drill_katas.verdict import Outcome, Stage
from drill_katas.verify.trials import judge_all

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from drill_katas.catalog.answer import Answer
    from drill_katas.catalog.katas import Kata
    from drill_katas.verdict import CheckResult

FORMAT: Final = 1  # of the JSON that `--json` writes
Kind = Literal["broken", "healthy", "reference", "accepted", "near miss"]
RIGHT: Final[tuple[Kind, ...]] = ("healthy", "reference", "accepted")
NEEDED: Final[tuple[tuple[tuple[Kind, ...], int, str], ...]] = (
    (("broken", "healthy"), 3, "broken versions"),
    (("broken",), 2, "versions that are really broken"),
    (("accepted",), 2, "accepted alternatives"),
    (("near miss",), 4, "near misses"),
)


@dataclass(frozen=True)
class DeclaredArm:
    """An arm and what is declared of it: the checks it must fail and what each must say (a regex), and those it may.

    A `tempting` one passes the symptom.
    """

    kind: Kind
    name: str
    folder: Path
    fails: dict[str, str]
    may_fail: tuple[str, ...] = ()
    tempting: bool = False


class Cell(msgspec.Struct, frozen=True):
    """One arm on one check: what was declared, what was seen in each run, and what is wrong with that.

    Runs are in the order of seeds, and all repeats of a seed together. `figures` are what the check measured in each.
    `flips` counts the runs that differ from most others with their seed.
    """

    check: str
    declared: Literal["pass", "fail", "either"]
    seen: tuple[str, ...]
    fault: str = ""
    figures: dict[str, tuple[float, ...]] = {}
    flips: int = 0


class Row(msgspec.Struct, frozen=True):
    """One arm on all checks; `seconds` is the slowest of its runs."""

    kind: Kind
    arm: str
    seconds: float
    cells: tuple[Cell, ...]


class CheckName(msgspec.Struct, frozen=True):
    """A column of the matrix."""

    name: str
    stage: Stage
    title: str


class Certificate(msgspec.Struct, frozen=True, kw_only=True):
    """The matrix of one kata, and everything that is wrong with it."""

    format: int = FORMAT
    kata: str
    seeds: tuple[int, ...]
    repeat: int = 1
    load: int = 0
    checks: tuple[CheckName, ...]
    rows: tuple[Row, ...]
    faults: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether every cell is as declared, and nothing is missing."""
        return not self.faults

    @property
    def flips(self) -> int:
        """How many results were not those of the same arm, check and seed in most other repeats."""
        return sum(cell.flips for row in self.rows for cell in row.cells)


def arms_of(kata: Kata, answer: Answer) -> list[DeclaredArm]:
    """Return all arms of a kata, with what `answer.toml` declares of each."""
    arms = [
        DeclaredArm(
            "healthy" if variant in answer.healthy else "broken",
            variant,
            kata.variant_folder(variant),
            answer.broken.get(variant, {}),
            answer.broken_may_fail.get(variant, ()),
        )
        for variant in (ORIGINAL, *kata.manifest.variants)
    ]
    arms.append(DeclaredArm("reference", "reference", kata.solutions, {}))
    arms += [DeclaredArm("accepted", folder.name, folder, {}) for folder in _folders(kata.solutions / "accepted")]
    for folder in _folders(kata.solutions / "near_misses"):
        miss = answer.near_misses.get(folder.name)
        if miss is None:
            arms.append(DeclaredArm("near miss", folder.name, folder, {}))
        else:
            fails = dict.fromkeys(miss.fails, "") | {miss.fails[0]: miss.message}
            arms.append(DeclaredArm("near miss", folder.name, folder, fails, miss.may_fail, tempting=miss.tempting))
    return arms


@dataclass(frozen=True)
class CertificationPlan:
    """How to certify: with which seeds, each how many times, how many runs at once, and how busy a machine."""

    seeds: Sequence[int]
    repeat: int = 1
    jobs: int = 1
    load: int = 0
    derive: bool = False


def certify(kata: Kata, plan: CertificationPlan, tell: Callable[[int, int], None]) -> Certificate:
    """Judge every arm as planned; `tell(done, of)` is called as it goes.

    A plan that derives writes the thresholds anew from what it measured. Raises `UserError`.
    """
    answer = read_answer(kata.solutions)
    arms = arms_of(kata, answer)
    runs = len(plan.seeds) * plan.repeat
    tasks = [(arm.folder, seed) for arm in arms for seed in plan.seeds for _ in range(plan.repeat)]
    wrong_arms = {arm.folder for arm in arms if arm.kind not in RIGHT}
    results = judge_all(kata, tasks, wrong=wrong_arms, jobs=plan.jobs, load=plan.load, tell=tell)
    columns = sorted(results[0], key=lambda check: check.stage.position)
    names = tuple(CheckName(check.name, check.stage, check.title) for check in columns)
    of_arms = (results[first : first + runs] for first in range(0, len(results), runs))
    rows = tuple(_row(arm, names, of_arm, plan.repeat) for arm, of_arm in zip(arms, of_arms, strict=True))
    measured = list(_measured(rows))
    if plan.derive:
        derive(kata, measured)
    wrong = (
        *_missing(answer, arms),
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


def _row(arm: DeclaredArm, columns: Sequence[CheckName], runs: Sequence[Sequence[CheckResult]], repeat: int) -> Row:
    seconds = max(sum(check.seconds for check in checks) for checks in runs)
    by_name = [{check.name: check for check in checks} for checks in runs]
    cells = tuple(
        _cell(arm, column.name, [checks.get(column.name) for checks in by_name], repeat) for column in columns
    )
    return Row(arm.kind, arm.name, round(seconds, 2), cells)


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
    told = ", ".join(sorted({result.outcome.value if result else "missing" for result in seen}))
    if arm.kind not in RIGHT:  # a busy machine may leave a check of a wrong arm undecided; see `_undecided`
        seen = [result for result in seen if result is None or not result.not_judged]
    if check in arm.may_fail and all(seen):
        return "either", ""
    if check not in arm.fails:
        wrong = next((result for result in seen if result is None or not result.passed), None)
        why = f"{wrong.outcome}: {wrong.message}" if wrong else "it did not run"
        return "pass", "" if all(result and result.passed for result in seen) else f"should pass, but {why}"
    says = arm.fails[check]
    for result in seen:
        if result is None or not result.failed:
            return "fail", f"should fail, but {told}"
        if not result.keeps_contract:
            return "fail", f"should fail for what it is, but does not run: {result.message}"
        if not re.search(says, result.message):
            return "fail", f"should say {says!r}, but says {result.message!r}"
    return "fail", ""


def _measured(rows: Sequence[Row]) -> Iterator[Measured]:
    """Gather what was measured, by figure, from the right arms, and from those that must fail the check."""
    cells = [(row.kind, cell) for row in rows for cell in row.cells]
    for name in sorted({name for _, cell in cells for name in cell.figures if " " not in name}):
        of = [(kind, cell.declared, value) for kind, cell in cells for value in cell.figures.get(name, ())]
        right = tuple(value for kind, _, value in of if kind in RIGHT)
        wrong = tuple(value for _, declared, value in of if declared == "fail")
        yield Measured(name=name, right=right, wrong=wrong)


def _missing(answer: Answer, arms: Sequence[DeclaredArm]) -> Iterator[str]:
    for kinds, least, what in NEEDED:
        have = sum(arm.kind in kinds for arm in arms)
        if have < least:
            yield f"{least} {what} are needed, and there are {have}"
    for arm in arms:
        if arm.kind in {"broken", "near miss"} and not arm.fails:
            yield f"{arm.kind} {arm.name}: answer.toml does not say which checks it fails"
        if arm.kind == "healthy" and arm.fails:
            yield f"healthy {arm.name}: answer.toml says that it fails checks"
    known = {arm.name for arm in arms}
    for name in (*answer.broken, *answer.broken_may_fail, *answer.healthy, *answer.near_misses):
        if name not in known:
            yield f"answer.toml speaks of {name}, and there is no such arm"


def _undeclared(arms: Sequence[DeclaredArm], columns: Sequence[CheckName]) -> Iterator[str]:
    """Name what is declared of checks that are not there, and near misses that tempt nobody."""
    symptoms = {column.name for column in columns if column.stage is Stage.SYMPTOM}
    known = {column.name for column in columns}
    for arm in arms:
        for name in (*arm.fails, *arm.may_fail):
            if name not in known:
                yield f"{arm.kind} {arm.name}: {name} is declared, and there is no such check"
        if arm.tempting and symptoms & arm.fails.keys():
            yield f"{arm.kind} {arm.name}: declared tempting, and yet fails the symptom"


def _unproven(columns: Sequence[CheckName], rows: Sequence[Row]) -> Iterator[str]:
    """Name the checks that nothing fails: nobody has seen that they can."""
    for index, column in enumerate(columns):
        if not any(row.cells[index].declared == "fail" for row in rows):
            yield f"{column.name}: no arm is declared to fail it, so nothing shows that it can"


def _cell_faults(rows: Sequence[Row]) -> Iterator[str]:
    for row in rows:
        for cell in row.cells:
            if cell.fault:
                yield f"{row.kind} {row.arm}, {cell.check}: {cell.fault}"


def _undecided(rows: Sequence[Row]) -> Iterator[str]:
    """Name the wrong arms that a run has not refused: none of the checks that must fail was judged to its end."""
    for row in rows:
        must_fail = [cell.seen for cell in row.cells if cell.declared == "fail"]
        for outcomes in zip(*must_fail, strict=True):
            if set(outcomes) <= {Outcome.NOT_JUDGED.value}:
                yield f"{row.kind} {row.arm}: not judged; certify it again on a machine that is less busy"


def _folders(folder: Path) -> list[Path]:
    return sorted(each for each in folder.iterdir() if each.is_dir()) if folder.is_dir() else []
