"""The matrix of `kata verify`."""

from __future__ import annotations

import pytest

from drill_katas.report.matrix import matrix_lines, summary_lines
from drill_katas.report.text import plain
from drill_katas.verdict import Stage
from drill_katas.verify.matrix import Cell, Certificate, CheckName, Row


def certificate(checks: int, *faults: str) -> Certificate:
    names = tuple(CheckName(f"test_{number}", Stage.CAUSE, f"Property {number} holds") for number in range(checks))
    cells = tuple(Cell(name.name, "fail" if number == 11 else "pass", ("x",)) for number, name in enumerate(names))
    rows = (Row("accepted", "a_design_with_quite_a_long_name", 123.4, cells), Row("near miss", "short", 1.0, cells))
    return Certificate(kata="toy", seeds=(0,), checks=names, rows=rows, faults=faults)


def lines_of(checks: int, width: int) -> list[str]:
    return [plain(each) for each in matrix_lines(certificate(checks), width)]


@pytest.mark.parametrize("checks", [3, 9, 10, 22, 24, 29])
def test_a_large_matrix_fits_80_columns(checks):
    assert max(map(len, lines_of(checks, 80))) <= 80


@pytest.mark.parametrize(("checks", "width"), [(22, 80), (24, 80), (22, 120)])
def test_every_sign_is_below_its_check_number(checks, width):
    lines = lines_of(checks, width)
    tens, ones, row = lines[2], lines[3], next(line for line in lines if line.startswith("short"))
    place = row.index("✗")
    assert (tens[place], ones[place]) == ("1", "2")


def test_long_name_is_cut_and_keeps_columns():
    accepted, short = (line for line in lines_of(3, 80) if line.endswith(" s"))
    assert accepted.startswith("accepted a_design_with_qu…")
    assert accepted.index("·") == short.index("·")


def test_faults_of_all_katas_come_last():
    fault = "accepted short, test_2: should pass, but the outcome is fail: it took too long"
    lines = [plain(each) for each in summary_lines([certificate(3, fault), certificate(3)], 50)]
    assert lines == [
        "toy: not certified",
        "! accepted short, test_2: should pass, but the",
        "outcome is fail: it took too long",
        "toy: certified",
    ]
