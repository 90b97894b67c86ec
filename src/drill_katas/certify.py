"""`kata verify`: proves a kata against its arms.

Every arm (the broken variants, the reference, the accepted alternatives, the near misses) is judged on the path a
learner's files take, over several seeds, which also shuffle the checks. What each must get stands in `answer.toml`.
"""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal

import msgspec

from drill_katas.answer import read_answer
from drill_katas.catalog import ORIGINAL
from drill_katas.errors import UserError
from drill_katas.verdict import Report, Stage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from drill_katas.answer import Answer
    from drill_katas.catalog import Kata
    from drill_katas.verdict import CheckResult

FORMAT: Final = 1  # of the JSON that `--json` writes
Kind = Literal["broken", "healthy", "reference", "accepted", "near miss"]
NEEDED: Final[tuple[tuple[tuple[Kind, ...], int, str], ...]] = (
    (("broken", "healthy"), 3, "broken versions"),
    (("broken",), 2, "versions that are really broken"),
    (("accepted",), 2, "accepted alternatives"),
    (("near miss",), 4, "near misses"),
)


@dataclass(frozen=True)
class Arm:
    """An arm and what is declared of it: the checks it must fail and what each must say (a regex), and those it may.

    A `tempting` one passes the symptom.
    """

    kind: Kind
    name: str
    folder: Path
    fails: dict[str, str]
    sometimes: tuple[str, ...] = ()
    tempting: bool = False


class Cell(msgspec.Struct, frozen=True):
    """One arm on one check: what was declared, what was seen with each seed, and what is wrong with that."""

    check: str
    declared: Literal["pass", "fail", "either"]
    seen: tuple[str, ...]
    fault: str = ""


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
    checks: tuple[CheckName, ...]
    rows: tuple[Row, ...]
    faults: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Whether every cell is as declared, and nothing is missing."""
        return not self.faults


def arms_of(kata: Kata, answer: Answer) -> list[Arm]:
    """Return all arms of a kata, with what `answer.toml` declares of each."""
    arms = [
        Arm(
            "healthy" if variant in answer.healthy else "broken",
            variant,
            kata.variant_folder(variant),
            answer.broken.get(variant, {}),
        )
        for variant in (ORIGINAL, *kata.manifest.variants)
    ]
    arms.append(Arm("reference", "reference", kata.solutions, {}))
    arms += [Arm("accepted", folder.name, folder, {}) for folder in _folders(kata.solutions / "accepted")]
    for folder in _folders(kata.solutions / "near_misses"):
        miss = answer.near_misses.get(folder.name)
        if miss is None:
            arms.append(Arm("near miss", folder.name, folder, {}))
        else:
            fails = dict.fromkeys(miss.fails, "") | {miss.fails[0]: miss.says}
            arms.append(Arm("near miss", folder.name, folder, fails, miss.sometimes, tempting=miss.tempting))
    return arms


def certify(kata: Kata, seeds: Sequence[int], jobs: int, tell: Callable[[int, int], None]) -> Certificate:
    """Judge every arm with every seed; `tell(done, of)` is called as it goes. Raises `UserError`."""
    answer = read_answer(kata.solutions)
    arms = arms_of(kata, answer)
    tasks = [(arm, seed) for arm in arms for seed in seeds]
    results: list[tuple[CheckResult, ...]] = []
    tell(0, len(tasks))
    with ThreadPoolExecutor(jobs, initializer=_pin, initargs=(itertools.count(),)) as pool:
        for checks in pool.map(lambda task: judge(kata, *task), tasks):
            results.append(checks)
            tell(len(results), len(tasks))
    columns = sorted(results[0], key=lambda check: check.stage.position)
    names = tuple(CheckName(check.name, check.stage, check.title) for check in columns)
    runs = (results[first : first + len(seeds)] for first in range(0, len(results), len(seeds)))
    rows = tuple(_row(arm, names, of_arm) for arm, of_arm in zip(arms, runs, strict=True))
    faults = (*_missing(answer, arms), *_undeclared(arms, names), *_unproven(names, rows), *_cell_faults(rows))
    return Certificate(kata=kata.name, seeds=tuple(seeds), checks=names, rows=rows, faults=faults)


def _pin(numbers: Iterator[int]) -> None:
    """Keep this thread, and the runs that it starts, on one processor.

    Judge and SUT take turns; on one processor the kernel need not wake another one for each of them. What that saves
    `benchmarks/pinned.py` measures.
    """
    if hasattr(os, "sched_setaffinity"):
        processors = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {processors[next(numbers) % len(processors)]})


def judge(kata: Kata, arm: Arm, seed: int) -> tuple[CheckResult, ...]:
    """Judge one arm in a pytest of its own, in an empty folder. Raises `UserError` when that gives no verdict."""
    with tempfile.TemporaryDirectory(prefix="kata-verify-") as folder:
        report, ini = Path(folder) / "report.json", Path(folder) / "pytest.ini"
        ini.write_text("[pytest]\n", encoding="utf-8")  # nobody else's settings take part
        command = [
            sys.executable, "-m", "pytest", "--kata", kata.name, "--kata-path", str(kata.folder.parent),
            "--kata-from", str(arm.folder), "--kata-all-stages", "--kata-seed", str(seed), "--kata-report", str(report),
            "-q", "-p", "no:cacheprovider", "--rootdir", folder, "-c", str(ini),
        ]  # fmt: skip
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
        if not report.is_file():
            raise UserError(f"{kata.name}: judging {arm.folder} gave no verdict:\n{done.stdout}{done.stderr}")
        katas = msgspec.json.decode(report.read_bytes(), type=Report).katas
        if not katas:
            raise UserError(f"{kata.name}: judging {arm.folder} ran no check:\n{done.stdout}{done.stderr}")
        return katas[0].checks


def _row(arm: Arm, columns: Sequence[CheckName], runs: Sequence[Sequence[CheckResult]]) -> Row:
    seconds = max(sum(check.seconds for check in checks) for checks in runs)
    by_name = [{check.name: check for check in checks} for checks in runs]
    cells = tuple(_cell(arm, column.name, [checks.get(column.name) for checks in by_name]) for column in columns)
    return Row(arm.kind, arm.name, round(seconds, 2), cells)


def _cell(arm: Arm, check: str, seen: Sequence[CheckResult | None]) -> Cell:
    outcomes = tuple(result.outcome.value if result else "missing" for result in seen)
    if check in arm.sometimes and all(seen):
        return Cell(check, "either", outcomes)
    if check not in arm.fails:
        wrong = next((result for result in seen if result is None or not result.passed), None)
        told = f"{wrong.outcome}: {wrong.message}" if wrong else "it did not run"
        fault = "" if all(result and result.passed for result in seen) else f"should pass, but {told}"
        return Cell(check, "pass", outcomes, fault)
    says = arm.fails[check]
    for result in seen:
        if result is None or not result.failed:
            return Cell(check, "fail", outcomes, f"should fail, but {', '.join(outcomes)}")
        if not result.keeps_contract:
            return Cell(check, "fail", outcomes, f"should fail for what it is, but does not run: {result.message}")
        if not re.search(says, result.message):
            return Cell(check, "fail", outcomes, f"should say {says!r}, but says {result.message!r}")
    return Cell(check, "fail", outcomes)


def _missing(answer: Answer, arms: Sequence[Arm]) -> Iterator[str]:
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
    for name in (*answer.broken, *answer.healthy, *answer.near_misses):
        if name not in known:
            yield f"answer.toml speaks of {name}, and there is no such arm"


def _undeclared(arms: Sequence[Arm], columns: Sequence[CheckName]) -> Iterator[str]:
    """Name what is declared of checks that are not there, and near misses that tempt nobody."""
    symptoms = {column.name for column in columns if column.stage is Stage.SYMPTOM}
    known = {column.name for column in columns}
    for arm in arms:
        for name in (*arm.fails, *arm.sometimes):
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


def _folders(folder: Path) -> list[Path]:
    return sorted(each for each in folder.iterdir() if each.is_dir()) if folder.is_dir() else []
