"""The matrix of a certification: arms and checks, as plain data."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from drill_katas.verdict import Stage  # noqa: TC001 - msgspec reads the annotations
from drill_katas.verify.declared import Kind  # noqa: TC001 - as above

FORMAT: Final = 1  # format version of `kata verify --json`


class Cell(msgspec.Struct, frozen=True):
    """One arm on one check.

    | field | meaning |
    | --- | --- |
    | `declared` | the declared verdict |
    | `seen` | the outcome of each run, by seed and then by repeat; empty if the check did not run |
    | `fault` | the difference from the declaration; "" if there is none |
    | `figures` | the figures that the check recorded in each run, by name |
    | `flips` | number of runs that differ from the majority with the same seed |
    """

    check: str
    declared: Literal["pass", "fail", "either"]
    seen: tuple[str, ...]
    fault: str = ""
    figures: dict[str, tuple[float, ...]] = {}
    flips: int = 0


class Row(msgspec.Struct, frozen=True):
    """One arm on all checks; `seconds` is the duration of its slowest run."""

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
    """The matrix of one kata, and its faults."""

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
        """Whether there are no faults."""
        return not self.faults

    @property
    def flips(self) -> int:
        """The number of results that differ from the majority with the same arm, check, and seed."""
        return sum(cell.flips for row in self.rows for cell in row.cells)
