"""Writing `SPEC.md`: its first text, and a row for each test that cites no rule."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from drill_katas.catalog.katas import ORIGINAL
from drill_katas.errors import UserError
from drill_katas.files import write_atomically
from drill_katas.markdown import read_markdown
from drill_katas.spec.citing import guardrails_of, rules_for
from drill_katas.spec.document import (
    ENFORCED,
    FILE,
    HEADER,
    ID,
    INVARIANT,
    SINCE,
    WHY,
    Named,
    cell,
    number_of,
    parse,
    with_rows,
)
from drill_katas.spec.result import Citation, SpecUpdate
from drill_katas.text import printable, truncate

if TYPE_CHECKING:
    from pathlib import Path

    from drill_katas.catalog.katas import Kata
    from drill_katas.practice.workspace import Workspace
    from drill_katas.spec.citing import CitingTest, Guardrail
    from drill_katas.spec.document import Spec

TODO: Final = "TODO"
LONGEST: Final = 200  # characters of an invariant that is taken from a docstring
FIRST: Final = f"""\
# Spec

Each row is a rule that our systems keep since an incident, and a test in a guardrail enforces it. The test cites its
rule with `@pytest.mark.rule("R1")`, and `kata spec --check` compares both and runs the tests.

{HEADER}"""


def keep(workspace: Workspace, kata: Kata) -> SpecUpdate:
    """Add a row for each test of the kata's guardrail that cites no rule and that no row names.

    Nothing else in the file changes. Raises `UserError` without a guardrail, or if the file has no table of rules.
    """
    path = workspace.root / FILE
    guardrails = guardrails_of(workspace)
    guardrail = _expect(guardrails.get(kata.name), kata)
    text = read_markdown(path, "a spec")
    fresh = text is None or not text.strip()
    spec = parse(FIRST if fresh or text is None else text)
    expect_table(spec, path)
    without = [test for test in guardrail.tests if not test.cited]
    rows: list[dict[str, str]] = []
    citations = []
    numbers = {number_of(each) for guardrail in guardrails.values() for each in guardrail.cited}
    following = 1 + max(numbers | {rule.number for rule in spec.rules} | {0})
    for test in without:
        ids = rules_for(spec, guardrail, test)
        if not ids:
            ids = (f"R{following + len(rows)}",)
            rows.append(_row(ids[0], workspace, kata, test))
        citations.append(Citation(test.name, test.top, ids))
    if rows or fresh:
        text = with_rows(spec, rows)
        _store(path.resolve(), text)  # because the file may be a link
        spec = parse(text)
    return SpecUpdate(
        kata=kata.name,
        added=tuple(row[ID] for row in rows),
        citations=tuple(citations),
        imports_pytest=guardrail.imports_pytest,
        untouched=sum(
            rule.is_placeholder(column) for rule in spec.rules if kata.name in rule.katas for column in (INVARIANT, WHY)
        ),
    )


def expect_table(spec: Spec, path: Path) -> None:
    """Raise `UserError` if the text has no table of rules."""
    if not spec.tables:
        where = f"{path}, line {spec.broken}" if spec.broken else str(path)
        raise UserError(f"{where}: {no_table(spec)}; the file is unchanged")


def no_table(spec: Spec) -> str:
    """Return why a text has no table of rules, and the lines that it needs."""
    header, dashes = HEADER.splitlines()
    expected = f"`{header}`, and below it `{dashes}`"
    if spec.broken:
        return f"this line is not the header of a table of rules; it should be {expected}, both at the left margin"
    return f"there is no table of rules; add two lines: {expected}"


def _expect(guardrail: Guardrail | None, kata: Kata) -> Guardrail:
    if guardrail is None:
        raise UserError(
            f"there is no guardrail.py of {kata.name} yet; `kata guardrail {kata.name}` writes one to start from"
        )
    if guardrail.problem:
        line = f", line {guardrail.line}" if guardrail.line else ""
        raise UserError(f"{guardrail.shown}{line}: {guardrail.problem}")
    return guardrail


def _row(rule: str, workspace: Workspace, kata: Kata, test: CitingTest) -> dict[str, str]:
    variant = workspace.progress_of(kata).variant
    return {
        ID: rule,
        INVARIANT: cell(printable(truncate(test.summary, LONGEST))) or TODO,
        WHY: TODO,
        SINCE: kata.name if variant == ORIGINAL else f"{kata.name} ({variant})",
        ENFORCED: f"`{Named(kata.name, test.name)}`",
    }


def _store(path: Path, text: str) -> None:
    try:
        write_atomically(path, text.encode())
    except OSError as error:
        raise UserError(f"cannot write {path} ({error.strerror}); it is unchanged") from error
