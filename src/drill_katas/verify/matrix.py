"""The matrix of a certification: arms by checks."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from drill_katas.verdict import Stage  # noqa: TC001 - msgspec reads the annotations
from drill_katas.verify.declared import Kind  # noqa: TC001 - as above

FORMAT: Final = 1  # of the JSON that `--json` writes


class Cell(msgspec.Struct, frozen=True):
    """One arm on one check: what was declared, what was seen in each run, and what is wrong with that.

    `seen` is empty where the arm was not judged on the check. Runs are in the order of seeds, and all repeats of a seed
    together. `figures` are what the check measured in each. `flips` counts the runs that differ from most others with
    their seed.
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
