"""Paired timings: alternating runs of command and control, and medians of their ratios."""

from __future__ import annotations

import os
import resource
import statistics
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

PAIRS: Final = 9


@dataclass(frozen=True)
class Cost:
    """The cost of one run in seconds; `cpu` includes all child processes."""

    wall: float
    cpu: float


def cost(command: list[str], cwd: Path | None = None) -> Cost:
    """Run a command once, with cached bytecode, and return its cost."""
    env = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, cwd=cwd, env=env, capture_output=True, check=False)
    wall, after = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall, cpu)


def compare(what: str, run: list[str], control: list[str], *, cwd: Path | None = None, pairs: int = PAIRS) -> None:
    """Print the medians of command, control, and their ratio in pairs, after a warm-up pair."""
    cost(run, cwd), cost(control, cwd)
    both = [(cost(run, cwd), cost(control, cwd)) for _ in range(pairs)]
    for name in ("wall", "cpu"):
        ours = statistics.median(getattr(each, name) for each, _ in both)
        theirs = statistics.median(getattr(each, name) for _, each in both)
        ratio = statistics.median(getattr(each, name) / getattr(other, name) for each, other in both)
        print(f"{what}: {name} {ours * 1000:.0f} ms, control {theirs * 1000:.0f} ms, ratio {ratio:.2f} ({pairs} pairs)")
