"""Judges arms in batches: each in a pytest of its own, on one processor, with the machine as busy as wanted."""

from __future__ import annotations

import contextlib
import itertools
import os
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from drill_katas.errors import UserError
from drill_katas.verdict import Report

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from drill_katas.catalog import Kata
    from drill_katas.verdict import CheckResult

SPIN: Final = "import os\nparent = os.getppid()\nwhile os.getppid() == parent:\n    sum(range(100_000))"


def judge_all(
    kata: Kata, tasks: Sequence[tuple[Path, int]], *, jobs: int, load: int, tell: Callable[[int, int], None]
) -> list[tuple[CheckResult, ...]]:
    """Judge each (folder of an arm, seed), `jobs` at once and with `load` other processes that are always busy.

    `tell(done, of)` is called as it goes. Raises `UserError`.
    """
    results: list[tuple[CheckResult, ...]] = []
    tell(0, len(tasks))
    with busy(load), ThreadPoolExecutor(jobs, initializer=_pin, initargs=(itertools.count(),)) as pool:
        for checks in pool.map(lambda task: judge(kata, *task), tasks):
            results.append(checks)
            tell(len(results), len(tasks))
    return results


def judge(kata: Kata, folder: Path, seed: int) -> tuple[CheckResult, ...]:
    """Judge the arm in `folder`, in an empty folder. Raises `UserError` when that gives no verdict."""
    with tempfile.TemporaryDirectory(prefix="kata-verify-") as empty:
        report, ini = Path(empty) / "report.json", Path(empty) / "pytest.ini"
        ini.write_text("[pytest]\n", encoding="utf-8")  # nobody else's settings take part
        command = [
            sys.executable, "-m", "pytest", "--kata", kata.name, "--kata-path", str(kata.folder.parent),
            "--kata-from", str(folder), "--kata-all-stages", "--kata-seed", str(seed), "--kata-report", str(report),
            "-q", "-p", "no:cacheprovider", "--rootdir", empty, "-c", str(ini),
        ]  # fmt: skip
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        done = subprocess.run(command, cwd=empty, env=environment, capture_output=True, text=True, check=False)
        if not report.is_file():
            raise UserError(f"{kata.name}: judging {folder} gave no verdict:\n{done.stdout}{done.stderr}")
        katas = msgspec.json.decode(report.read_bytes(), type=Report).katas
        if not katas:
            raise UserError(f"{kata.name}: judging {folder} ran no check:\n{done.stdout}{done.stderr}")
        return katas[0].checks


@contextlib.contextmanager
def busy(load: int) -> Iterator[None]:
    """Keep `load` processes busy in this block; they end by themselves should this one be killed."""
    spinning = [subprocess.Popen([sys.executable, "-c", SPIN]) for _ in range(load)]
    try:
        yield
    finally:
        for process in spinning:
            process.kill()
            process.wait()


def _pin(numbers: Iterator[int]) -> None:
    """Keep this thread, and the runs that it starts, on one processor.

    Judge and SUT take turns; on one processor the kernel need not wake another one for each of them. What that saves
    `benchmarks/pinned.py` measures.
    """
    if hasattr(os, "sched_setaffinity"):
        processors = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, {processors[next(numbers) % len(processors)]})
