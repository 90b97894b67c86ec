"""`kata spec NAME`: the rows that it adds, and the bytes that it leaves alone."""

from __future__ import annotations

import msgspec
import pytest

from drill_katas.spec.result import SpecUpdate
from tests.support.commands import done, kata, refused, words
from tests.support.team import HEADER, IDLE, REFUSED, TOTAL


def test_first_call_writes_a_row_each(team):
    shown = words(done(team.root, "spec", "cart"))
    assert "SPEC.md: 2 new rows: R1, R2" in shown
    assert f'katas/cart/guardrail.py:8 {TOTAL} @pytest.mark.rule("R1")' in shown
    assert f'katas/cart/guardrail.py:16 {REFUSED} @pytest.mark.rule("R2")' in shown
    assert "Next: replace 4 placeholders of cart in SPEC.md, then run `kata spec cart --check`." in shown
    text = team.spec.read_text(encoding="utf-8")
    assert text.startswith("# Spec\n\nEach row is a rule")
    assert text.endswith(
        f"| R1 | TODO | TODO | cart | `cart::{TOTAL}` |\n| R2 | TODO | TODO | cart | `cart::{REFUSED}` |\n"
    )


def test_second_call_writes_nothing(team):
    done(team.root, "spec", "cart")
    before = team.spec.stat()
    shown = words(done(team.root, "spec", "cart"))
    assert "SPEC.md is unchanged: each test has a row" in shown
    assert '@pytest.mark.rule("R2")' in shown, "the decorators are still missing"
    after = team.spec.stat()
    assert (after.st_mtime_ns, after.st_ino) == (before.st_mtime_ns, before.st_ino)


def test_decorators_as_printed_end_it(team):
    kept = msgspec.json.decode(done(team.root, "spec", "cart", "--json"), type=SpecUpdate)
    lines = team.reference.splitlines(keepends=True)
    for citation in reversed(kept.citations):
        lines.insert(citation.line - 1, f"{citation.decorator}\n")
    team.guardrail("".join(lines))
    shown = words(done(team.root, "spec", "cart"))
    assert "SPEC.md is unchanged: each test of katas/cart/guardrail.py cites a rule" in shown
    assert not [each for each in team.findings() if "is still a placeholder" not in each]


def test_docstring_becomes_the_invariant(team):
    """A pipe in it does not end the cell."""
    doc = '    """The total is a | b\n    or more."""\n'
    team.guardrail(f"def test_x(sut):\n{doc}    assert sut\n")
    shown = words(done(team.root, "spec", "cart"))
    assert "Add `import pytest` at the top of the file, too." in shown
    assert "| R1 | The total is a \\| b | TODO | cart | `cart::test_x` |\n" in team.spec.read_text(encoding="utf-8")
    assert not [each for each in team.findings() if "cells" in each or "`invariant`" in each]


def test_new_row_keeps_all_other_bytes(agreed):
    """CRLF, other columns, other orders, and text around the table."""
    before = (
        "\ufeff# Our rules\r\n\r\nenforced by | id | owner | since | why | **Invariant**\r\n---|---|---|---|---|---\r\n"
        f"cart::{TOTAL} and review | R7 | Zoë | cart, in March | a \\| b | always  \u2028true\r\n"
        "\r\nMore words.\ttabs  \r\nlast line without an end"
    )
    agreed.write(before)
    agreed.guardrail(agreed.citing("R7", "R9") + IDLE)
    assert "1 new row: R10" in done(agreed.root, "spec", "cart"), "R9 is cited, so it is in use"
    row = "| `cart::test_new_basket_is_empty` | R10 |  | cart | TODO | TODO |\r\n"
    assert agreed.spec.read_bytes().decode() == before.replace("\r\nMore", f"{row}\r\nMore", 1)


def test_table_at_the_end_grows(team):
    team.write(HEADER.rstrip("\n"))
    done(team.root, "spec", "cart")
    assert team.spec.read_text(encoding="utf-8").startswith(f"{HEADER}| R1 | TODO |")


def test_row_names_the_variant(team):
    manifest = team.folder / "kata.toml"
    assert 'variants = ["' in manifest.read_text(encoding="utf-8")
    variant = manifest.read_text(encoding="utf-8").partition('variants = ["')[2].partition('"')[0]
    done(team.root, "start", "cart", "--variant", variant)
    done(team.root, "spec", "cart")
    assert f"| R1 | TODO | TODO | cart ({variant}) |" in team.spec.read_text(encoding="utf-8")


def test_row_of_a_test_in_a_class(team):
    """The row may name the class, or only the test."""
    source = "import pytest\n\n\nclass TestTotal:\n    def test_x(self, sut):\n        assert sut\n"
    team.guardrail(source)
    done(team.root, "spec", "cart")
    text = team.spec.read_text(encoding="utf-8")
    assert "`cart::TestTotal::test_x`" in text
    team.write(text.replace("TestTotal::", ""))
    assert "SPEC.md is unchanged" in done(team.root, "spec", "cart")
    team.guardrail(source.replace("class", '@pytest.mark.rule("R1")\nclass'))
    assert "cites a rule" in done(team.root, "spec", "cart")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"# Spec\n\nNo table yet.\n", "there is no table of rules; add two lines: `| id | invariant |"),
        (HEADER.replace("| --- | --- |\n", "|\n").encode(), "SPEC.md, line 3: this line is not the header"),
        (HEADER.replace("since", "from").encode(), "SPEC.md, line 3: this line is not the header"),
        (HEADER.replace("| id", "> | id").replace("| ---", "> | ---", 1).encode(), "both at the left margin"),
        ("# Störung\n".encode("latin-1"), "is not UTF-8 text (byte 0xf6 in line 1)"),
        (b"words " * 900_000, "has 5.4 MB, and a spec has at most 0.26 MB"),
    ],
)
def test_bad_spec_is_never_touched(team, content, message):
    team.spec.write_bytes(content)
    assert message in refused(kata(team.root, "spec", "cart"))
    assert team.spec.read_bytes() == content


def test_second_test_of_a_name_counts(team):
    """It replaces the first, as in Python."""
    team.guardrail("def test_x(sut):\n    pass\n\n\n" * 2)
    assert f"{team.file.relative_to(team.root)}:5 test_x" in done(team.root, "spec", "cart")
    assert team.spec.read_text(encoding="utf-8").count("cart::test_x") == 1


def test_linked_spec_stays_a_link(agreed):
    target = agreed.root / "docs" / "rules.md"
    target.parent.mkdir()
    agreed.spec.rename(target)
    agreed.spec.symlink_to(target)
    agreed.guardrail(agreed.citing("R1", "R2") + IDLE)
    done(agreed.root, "spec", "cart")
    assert agreed.spec.is_symlink()
    assert "| R3 | TODO |" in target.read_text(encoding="utf-8")


def test_command_without_what_it_needs(team):
    assert "`kata spec --check`" in refused(kata(team.root, "spec"))
    assert "there is no kata 'crat'; did you mean 'cart'" in refused(kata(team.root, "spec", "crat"))
    assert "`kata spec NAME` writes it" in refused(kata(team.root, "spec", "--check"))
    team.guardrail("def test_x(:\n")
    assert "katas/cart/guardrail.py, line 1: this file is not Python" in refused(kata(team.root, "spec", "cart"))
    team.file.unlink()
    assert "`kata guardrail cart` writes one" in refused(kata(team.root, "spec", "cart"))
    assert not team.spec.exists()


def test_folder_in_place_of_the_spec(team):
    team.spec.mkdir()
    assert "SPEC.md (Is a directory)" in refused(kata(team.root, "spec", "cart"))
