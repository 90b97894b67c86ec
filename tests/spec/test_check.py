"""`kata spec --check`: rows and guardrails agree, and the guardrails run on the team's modules."""

from __future__ import annotations

import pytest

from drill_katas.catalog.scaffold import scaffold
from tests.support.commands import kata, refused, words
from tests.support.team import HEADER, IDLE, REFUSED, TOTAL

GUARDRAIL = "katas/cart/guardrail.py"
FAULT = """

@pytest.mark.rule("R1")
def test_x(sut):
    sut.check.note_fault("the moon is full")
    assert False
"""
UNCOLLECTED = """
class TestX:
    def __init__(self):
        pass

    def test_y(self):
        pass
"""
BAD = """

ID = "R1"


@pytest.mark.rule(ID)
@pytest.mark.rule
@pytest.mark.rule("R1", "R3")
def test_x(sut):
    pass
"""


def at(findings, line):
    """The messages about a line of the spec."""
    return [each.partition(": ")[2] for each in findings if each.startswith(f"SPEC.md:{line}: ")]


def test_sound_spec_has_no_finding(agreed):
    done = kata(agreed.root, "spec", "--check")
    assert done.returncode == 0, done.stdout + done.stderr
    assert words(done.stdout) == "cart 2 of 2 tests passed on your module 2 rules; no finding"
    (ran,) = agreed.review("cart").ran
    assert (ran.kata, set(ran.passed), ran.failed, ran.not_judged) == ("cart", {TOTAL, REFUSED}, {}, {})


def test_bad_rows_are_found_by_line(agreed):
    """Each row has one mistake; the rows R1 and R2 have none."""
    rest = f"rule | Harm. | cart | cart::{TOTAL} |"
    rows = [
        f"| rule 3 | {rest}",
        f"| R1 | {rest}",
        f"|  | {rest}",
        f"| R4 |  | todo: ask | cart | cart::{TOTAL} |",
        f"| R5 | rule | Harm. | crat, in May | katas/cart/guardrail.py::{TOTAL} |",
        "| R6 | rule | Harm. | cart | review |",
        f"| R7 | rule | Harm. | cart | cart::{TOTAL}s |",
        f"| R8 | rule | Harm. | ? | crat::{TOTAL} |",
        f"| R9 | a | b | Harm. | cart | cart::{TOTAL} |",
        f"| R10 | a \\| b | Harm. | cart | cart::{TOTAL}, cart::{REFUSED} |",
        "<<<<<<< HEAD",
    ]
    agreed.write(agreed.rows("R1", "R2") + "\n".join(rows) + "\n")
    source = agreed.reference.replace("def test_the", '@pytest.mark.rule("R1", "R4", "R5", "R10")\ndef test_the')
    agreed.guardrail(source.replace("def test_a_", 'pytestmark = pytest.mark.rule("R2")\n\n\ndef test_a_'))
    findings = agreed.findings()
    assert at(findings, 5) == at(findings, 6) == []
    expected = {
        7: ["the id is 'rule 3'; write R and a number, such as R11"],
        8: ["R1 is also the id in line 5; use another id here, such as R11"],
        9: ["the id is ''; write R and a number, such as R11"],
        10: [
            "`invariant` is empty; write a sentence that is true of every right module",
            "`why` is still a placeholder; write the harm that it prevents",
        ],
        11: ["`since` begins with 'crat', and there is no such kata; did you mean 'cart'?"],
        12: ["`enforced by` names no test; write the test as KATA::TEST, such as red_herring::test_failed_orders"],
        13: [f"{GUARDRAIL} has no test '{TOTAL}s'; did you mean '{TOTAL}'?"],
        14: [
            "`since` is still a placeholder; write the kata of the incident",
            f"crat::{TOTAL}: there is no kata 'crat'; did you mean 'cart'?",
        ],
        16: [f'cart::{REFUSED} does not cite R10; add `@pytest.mark.rule("R10")` above it in {GUARDRAIL}:20'],
        17: [
            "`enforced by` names no test; write the test as KATA::TEST, such as red_herring::test_failed_orders",
            "`invariant` is empty; write a sentence that is true of every right module",
            "`since` is empty; write the kata of the incident",
            "`why` is empty; write the harm that it prevents",
            "the id is '<<<<<<< HEAD'; write R and a number, such as R11",
        ],
    }
    assert {line: at(findings, line) for line in expected} == expected
    cells = "this row has more cells than the table has columns; write a `|` inside of a cell as `\\|`"
    assert cells in at(findings, 15)
    assert all(each.startswith("SPEC.md:") for each in findings)


def test_same_findings_are_shown_once_with_their_lines(agreed):
    agreed.write(agreed.rows("R1", "R2").replace("Customers paid too much.", "TODO"))
    assert "SPEC.md:5, 6: `why` is still a placeholder" in words(kata(agreed.root, "spec", "cart", "--check").stdout)


def test_bad_citations_are_found_by_line(agreed):
    agreed.write(agreed.rows("R1", "R2"))
    agreed.guardrail(agreed.citing("R1", "r2") + BAD + IDLE)
    quotes = 'a rule is cited by its id in quotes: `@pytest.mark.rule("R1")`'
    assert agreed.findings() == [
        'SPEC.md:6: no guardrail cites R2; add `@pytest.mark.rule("R2")` above cart::' + REFUSED,
        f"{GUARDRAIL}:17: {REFUSED} cites 'r2', and SPEC.md has no such id; correct it, or add a row",
        f"{GUARDRAIL}:31: {quotes}",
        f"{GUARDRAIL}:32: {quotes}",
        f"{GUARDRAIL}:33: test_x cites 'R3', and SPEC.md has no such id; correct it, or add a row",
        f"{GUARDRAIL}:38: test_new_basket_is_empty cites no rule; `kata spec cart` adds a row and prints the decorator",
    ]


def test_broken_module_fails_the_check(agreed):
    module = agreed.folder / "basket.py"
    module.write_bytes((agreed.folder / "variants" / "harbour" / "basket.py").read_bytes())
    done = kata(agreed.root, "spec", "--check")
    assert done.returncode == 1, done.stdout + done.stderr
    shown = words(done.stdout)
    assert f"{GUARDRAIL}:" in shown
    assert "fails on your module: " in shown
    assert "1 of 2 tests passed on your module" in shown
    assert "2 rules; 1 finding" in shown
    module.unlink()
    assert "there is no basket.py of cart" in words("\n".join(agreed.findings()))


def test_unjudged_test_is_neither_pass_nor_finding(agreed):
    agreed.guardrail(agreed.citing("R1", "R2") + FAULT)
    done = kata(agreed.root, "spec", "cart", "--check")
    assert done.returncode == 3, done.stdout + done.stderr
    assert "test_x: not judged: the moon is full" in words(done.stdout)
    assert "2 rules; no finding Run the check again" in words(done.stdout)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("def test_x(:\n", f"{GUARDRAIL}:1: this file is not Python"),
        ("import nothing_here\n\ndef test_x(sut):\n    pass\n", "the guardrail does not run: ModuleNotFoundError"),
        ("import os\n\ndef test_x(sut):\n    os._exit(0)\n", "the guardrail ended the process that runs it"),
        (
            "class TestX:\n    def __init__(self):\n        pass\n\n    def test_y(self):\n        pass\n",
            "does not collect TestX::test_y",
        ),
    ],
)
def test_guardrail_that_does_not_run(agreed, source, message):
    """It is a finding like others, and the others are shown."""
    agreed.guardrail(source + agreed.citing("R1", "R2"))
    findings = agreed.findings()
    assert any(message in each for each in findings), findings


def test_citations_are_read_without_an_import(agreed):
    """Rows and citations of a kata that is not asked for are read, and its code does not run."""
    scaffold(agreed.root, "till", "calls")
    owned = agreed.root / "owned"
    till = agreed.root / "katas" / "till" / "guardrail.py"
    till.write_text(f"open({str(owned)!r}, 'w')\n\ndef test_x(sut):\n    pass\n")
    assert agreed.findings("cart") == []
    assert not owned.exists()
    (finding,) = agreed.findings()
    assert finding.startswith("katas/till/guardrail.py:3: test_x cites no rule; `kata spec till` adds a row")
    assert not owned.exists(), "the spec does not name it"


def test_check_of_one_kata_leaves_others(agreed):
    """Ids are compared across all katas, because the file has one row for each id."""
    scaffold(agreed.root, "till", "calls")
    agreed.write(agreed.rows("R1", "R2") + "| R3 |  | Harm. | till | till::test_x |\n| R3 |  |  | till | |\n")
    assert agreed.findings("cart") == ["SPEC.md:8: R3 is also the id in line 7; use another id here, such as R4"]
    assert "till::test_x: there is no guardrail; `kata guardrail till` writes one" in "".join(agreed.findings("till"))


def test_pytest_knows_the_marker(agreed):
    (agreed.root / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers\n")
    done = kata(agreed.root, "run", "cart", "--kata-guardrail", GUARDRAIL)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("# Spec\n\nLater.\n", "SPEC.md:1: there is no table of rules; add two lines"),
        (HEADER.replace("| --- | --- |\n", "|\n"), "SPEC.md:3: this line is not the header of a table of rules"),
    ],
)
def test_spec_without_a_table(agreed, text, finding):
    agreed.write(text)
    (found,) = agreed.findings()
    assert found.startswith(finding)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("# Störung\n".encode("latin-1"), "is not UTF-8 text (byte 0xf6 in line 1)"),
        (b"words " * 900_000, "has 5.4 MB, and a spec has at most 0.26 MB"),
    ],
)
def test_unreadable_spec_is_reported(agreed, content, message):
    agreed.spec.write_bytes(content)
    assert message in refused(kata(agreed.root, "spec", "--check"))
    assert agreed.spec.read_bytes() == content


def test_many_findings_are_cut(agreed):
    agreed.write(agreed.rows("R1", "R2") + "".join(f"| x{number} | | | | |\n" for number in range(200)))
    done = kata(agreed.root, "spec", "--check")
    assert done.returncode == 1
    assert "... and 104 more findings" in done.stdout
    assert "2 of 2 tests passed" in done.stdout
