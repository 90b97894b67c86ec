"""The guardrails of a workspace, and the rules that their tests cite, read from the source without an import."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drill_katas.catalog.katas import GUARDRAIL, packs
from drill_katas.errors import UserError
from drill_katas.guardrail.source import NotAGuardrailError, parse_guardrail, tests_in

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from drill_katas.guardrail.source import Test
    from drill_katas.practice.workspace import Workspace
    from drill_katas.spec.document import Spec

MARKS: Final = "pytestmark"


@dataclass(frozen=True)
class Cited:
    """A rule that a marker cites; the id is empty if the marker does not have it as a literal text."""

    id: str
    line: int


@dataclass(frozen=True)
class CitingTest:
    """A test of a guardrail: its name with its classes, the line of its `def`, its summary, and the rules it cites."""

    name: str
    line: int
    top: int  # the line of its first decorator, or of its `def`
    summary: str
    cited: tuple[Cited, ...]


@dataclass(frozen=True)
class Guardrail:
    """The guardrail of a kata; `problem` and its line are set if the file is not a guardrail, and it has no tests."""

    kata: str
    file: Path
    shown: str
    tests: tuple[CitingTest, ...] = ()
    imports_pytest: bool = False
    problem: str = ""
    line: int = 0

    @property
    def cited(self) -> set[str]:
        """The ids that its tests cite."""
        return {each.id for test in self.tests for each in test.cited}

    def test(self, name: str) -> CitingTest | None:
        """Return the test of this name, or of this last name without its classes."""
        whole = {test.name: test for test in self.tests}
        return whole.get(name) or {test.name.rpartition("::")[2]: test for test in self.tests}.get(name)


def guardrails_of(workspace: Workspace) -> dict[str, Guardrail]:
    """Return the guardrails of the katas in a workspace and in installed packs, by kata."""
    libraries = [*packs(), workspace.library]
    files = {name: library.katas / name / GUARDRAIL for library in libraries for name in library.names()}
    return {name: _read(workspace, name, file) for name, file in sorted(files.items()) if file.is_file()}


def rules_for(spec: Spec, guardrail: Guardrail, test: CitingTest) -> tuple[str, ...]:
    """Return the ids of the rules whose rows name this test."""
    rows = [rule for rule in spec.rules if rule.number]
    return tuple(rule.id for rule in rows if test in map(guardrail.test, rule.tests_of(guardrail.kata)))


def _read(workspace: Workspace, kata: str, file: Path) -> Guardrail:
    inside = file.is_relative_to(workspace.root)
    shown = str(file.relative_to(workspace.root) if inside else file)
    try:
        _, tree = parse_guardrail(file)
    except NotAGuardrailError as error:
        return Guardrail(kata, file, shown, problem=f"this file {error.problem}", line=error.line)
    except UserError as error:
        return Guardrail(kata, file, shown, problem=str(error))
    tests = {made.name: made for made in (_test(test, tree) for test in tests_in(tree))}  # Python keeps the last one
    imported = (node for node in ast.walk(tree) if isinstance(node, ast.Import))
    imports = any(alias.name == "pytest" and not alias.asname for node in imported for alias in node.names)
    return Guardrail(kata, file, shown, tuple(tests.values()), imports)


def _test(test: Test, tree: ast.Module) -> CitingTest:
    function = test.function
    marks = [*function.decorator_list]
    for outer in test.classes:
        marks += [*outer.decorator_list, *_marks_in(outer.body)]
    marks += _marks_in(tree.body)
    return CitingTest(
        name="::".join([*(each.name for each in test.classes), test.name]),
        line=test.line,
        top=min([test.line, *(each.lineno for each in function.decorator_list)]),
        summary=(ast.get_docstring(function) or "").partition("\n")[0].strip(),
        cited=tuple(_cited(marks)),
    )


def _marks_in(body: Iterable[ast.stmt]) -> Iterator[ast.expr]:
    """Yield the marks of `pytestmark`, a mark or a list of marks for all tests of a class or a file."""
    for node in body:
        if isinstance(node, ast.Assign) and MARKS in {getattr(target, "id", "") for target in node.targets}:
            yield from node.value.elts if isinstance(node.value, ast.List | ast.Tuple) else [node.value]


def _cited(marks: Iterable[ast.expr]) -> Iterator[Cited]:
    """Yield the ids of each `pytest.mark.rule(...)`."""
    for mark in marks:
        call = mark if isinstance(mark, ast.Call) else ast.Call(mark, [], [])
        if not _is_rule(call.func):
            continue
        for argument in call.args:
            literal = argument.value if isinstance(argument, ast.Constant) else None
            yield Cited(literal if isinstance(literal, str) else "", argument.lineno)
        if call.keywords or not call.args:
            yield Cited("", mark.lineno)


def _is_rule(mark: ast.expr) -> bool:
    """Return whether this is `pytest.mark.rule` or `mark.rule`."""
    if not isinstance(mark, ast.Attribute) or mark.attr != "rule":
        return False
    return (mark.value.attr if isinstance(mark.value, ast.Attribute) else getattr(mark.value, "id", "")) == "mark"
