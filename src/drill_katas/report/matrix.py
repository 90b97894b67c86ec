"""The text of a certification: arms by checks."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from drill_katas.report.text import Line, line, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from drill_katas.certify import Cell, Certificate, Row
    from drill_katas.report.text import Style

NAME: Final = 31  # columns of an arm's kind and name
CELL: Final = 3


def matrix_lines(certificate: Certificate, width: int) -> list[Line]:
    """Return the matrix, its legend, and what is wrong."""
    arms, checks, seeds = len(certificate.rows), len(certificate.checks), len(certificate.seeds)
    numbers = "".join(f"{number:>{CELL}}" for number in range(1, checks + 1))
    lines = [
        line((f"{certificate.kata}: {arms} arms × {checks} checks × {seeds} seed{'s' * (seeds > 1)}", "bold")),
        line(),
        line(" " * NAME, (numbers, "dim")),
        *_row_lines(certificate.rows),
        line(),
        *_legend(certificate, width),
        line(),
        line("· passes   ✗ fails   ± either, as answer.toml declares   ! differs from that"),
    ]
    if certificate.holds:
        return [*lines, line(("every arm got what it must", "good"))]
    faults = [each for fault in certificate.faults for each in wrapped(f"! {fault}", width, "", "bad")]
    return [*lines, *faults]


def _row_lines(rows: Sequence[Row]) -> Iterator[Line]:
    for kind, group in groupby(rows, key=lambda row: row.kind):
        if kind == "near miss":
            yield line(("near misses", "dim"))
        yield from map(_row_line, group)


def _row_line(row: Row) -> Line:
    kind = "" if row.kind in {"reference", "near miss"} else f"{row.kind} "
    cells = [(_sign(cell).rjust(CELL), _style(cell)) for cell in row.cells]
    return line(f"{kind}{row.arm}".ljust(NAME), *cells, (f"{row.seconds:6.1f} s", "dim"))


def _legend(certificate: Certificate, width: int) -> list[Line]:
    numbered = list(enumerate(certificate.checks, 1))
    lines = []
    for stage, group in groupby(numbered, key=lambda pair: pair[1].stage):
        for index, (number, check) in enumerate(group):
            label = stage.value if index == 0 else ""
            lines.append(line((label.ljust(11), "bold"), f"{number:>2} {check.title}"[: width - 11]))
    return lines


def _sign(cell: Cell) -> str:
    if cell.fault:
        return "!"
    if cell.declared == "either":
        return "±"
    return "✗" if cell.declared == "fail" else "·"


def _style(cell: Cell) -> Style:
    if cell.fault:
        return "bad"
    return "dim" if cell.declared == "pass" else "note"
