"""The text of a certification: a matrix of arms and checks."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from drill_katas.report.text import TextLine, fit, line, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from drill_katas.report.text import Style
    from drill_katas.verify.matrix import Cell, Certificate, Row

NAME, SHORTEST_NAME = 26, 12  # columns of an arm's kind and name: usual, least
WIDE, NARROW = 3, 2  # columns of a cell in a wide and in a narrow terminal
SECONDS: Final = 9  # columns


def matrix_lines(certificate: Certificate, width: int) -> list[TextLine]:
    """Return the matrix, its legend, and the faults."""
    arms, checks, seeds = len(certificate.rows), len(certificate.checks), len(certificate.seeds)
    cell = WIDE if NAME + WIDE * checks + SECONDS <= width else NARROW
    name = max(SHORTEST_NAME, min(NAME, width - cell * checks - SECONDS))
    lines = [
        line((f"{certificate.kata}: {arms} arms × {checks} checks × {seeds} seed{'s' * (seeds > 1)}", "bold")),
        *_repeat_lines(certificate),
        line(),
        *_head_lines(checks, name, cell),
        *_row_lines(certificate.rows, name, cell),
        line(),
        *_legend(certificate, width),
        line(),
        *_not_run_lines(certificate),
        line("· passes   ✗ fails   ± either, as answer.toml declares   ! not as declared"),
    ]
    if certificate.holds:
        return [*lines, line(("every verdict is as declared", "good"))]
    return [*lines, *_fault_lines(certificate, width)]


def summary_lines(certificates: Sequence[Certificate], width: int) -> list[TextLine]:
    """Return whether each kata is certified, and its faults again, because its matrix may be screens away."""
    lines: list[TextLine] = []
    for each in certificates:
        verdict: tuple[str, Style] = ("certified", "good") if each.holds else ("not certified", "bad")
        lines.append(line((f"{each.kata}: ", "bold"), verdict))
        lines += _fault_lines(each, width)
    return lines


def _fault_lines(certificate: Certificate, width: int) -> Iterator[TextLine]:
    for fault in certificate.faults:
        yield from wrapped(f"! {fault}", width, "", "bad")


def _repeat_lines(certificate: Certificate) -> Iterator[TextLine]:
    """Return the number of flips (the same arm and seed with different verdicts), if runs were repeated."""
    if certificate.repeat == 1:
        return
    busy = f" with {certificate.load} other busy processes" if certificate.load else ""
    flips = certificate.flips
    count = f"{flips} flip{'s' * (flips != 1)} in {certificate.repeat} repeats{busy}"
    yield line((count, "bad" if flips else "good"))
    for row in certificate.rows:
        for cell in row.cells:
            if cell.flips:
                yield line((f"! {row.kind} {row.arm}, {cell.check}: {', '.join(cell.seen)}", "bad"))


def _not_run_lines(certificate: Certificate) -> Iterator[TextLine]:
    """Return a legend for blank cells, if there are any."""
    if any(not cell.seen for row in certificate.rows for cell in row.cells):
        yield line("blank: not run; `kata verify --full` runs every check on near misses")


def _head_lines(checks: int, name: int, cell: int) -> Iterator[TextLine]:
    """Return the numbers of the checks, written vertically: tens above ones."""
    for digits in zip(*(f"{number:>2}" for number in range(1, checks + 1)), strict=True):
        row = "".join(digit.rjust(cell) for digit in digits)
        if row.strip():
            yield line(" " * name, (row, "dim"))


def _row_lines(rows: Sequence[Row], name: int, cell: int) -> Iterator[TextLine]:
    for kind, group in groupby(rows, key=lambda row: row.kind):
        if kind == "near miss":
            yield line(("near misses", "dim"))
        yield from (_row_line(row, name, cell) for row in group)


def _row_line(row: Row, name: int, width: int) -> TextLine:
    kind = "" if row.kind in {"reference", "near miss"} else f"{row.kind} "
    cells = [(_sign(cell).rjust(width), _style(cell)) for cell in row.cells]
    return line(fit(f"{kind}{row.arm}", name).ljust(name), *cells, (f"{row.seconds:{SECONDS - 2}.1f} s", "dim"))


def _legend(certificate: Certificate, width: int) -> list[TextLine]:
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
    if not cell.seen:
        return " "
    if cell.declared == "either":
        return "±"
    return "✗" if cell.declared == "fail" else "·"


def _style(cell: Cell) -> Style:
    if cell.fault:
        return "bad"
    return "dim" if cell.declared == "pass" else "note"
