"""The file of a guardrail: a Python file with tests."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drill_katas.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

MOST_BYTES: Final = 200_000


class NotAGuardrailError(UserError):
    """The file is not a guardrail: the `problem` as a predicate, and its `line`, 0 for the whole file."""

    def __init__(self, file: str, line: int, problem: str) -> None:
        super().__init__(f"{file}{f', line {line}' if line else ''} {problem}")
        self.line = line
        self.problem = problem


@dataclass(frozen=True)
class Test:
    """A test of a file, and the classes around it from the outside in."""

    function: ast.FunctionDef | ast.AsyncFunctionDef
    classes: tuple[ast.ClassDef, ...] = ()

    @property
    def name(self) -> str:
        """The name of the function."""
        return self.function.name

    @property
    def line(self) -> int:
        """The line of its `def`."""
        return self.function.lineno


def read_guardrail(file: Path) -> bytes:
    """Return the content of a guardrail. Raises `UserError` if it is not Python, or has no test."""
    return parse_guardrail(file)[0]


def parse_guardrail(file: Path) -> tuple[bytes, ast.Module]:
    """Return the content and the syntax tree of a guardrail. Raises `UserError` as `read_guardrail` does."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {file}: {error.strerror}") from error
    return content, expect_guardrail(content, str(file))


def expect_guardrail(content: bytes, file: str) -> ast.Module:
    """Return the syntax tree of this content of `file`.

    Raises `NotAGuardrailError` if it is too long, is not Python, imports its neighbors, or has no test.
    """
    if len(content) > MOST_BYTES:
        raise NotAGuardrailError(file, 0, f"has {len(content):,} bytes; a guardrail has at most {MOST_BYTES:,}")
    try:
        tree = ast.parse(content, file)
    except SyntaxError as error:
        raise NotAGuardrailError(file, error.lineno or 1, f"is not Python: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise NotAGuardrailError(file, 0, f"is not Python: {error}") from None
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            problem = (
                "has a relative import; a guardrail is one file and imports nothing beside it, so write what it needs "
                "in the file itself"
            )
            raise NotAGuardrailError(file, node.lineno, problem)
    if not any(tests_in(tree)):
        problem = "has no test; write a function `test_...(sut)` that fails on the broken module"
        raise NotAGuardrailError(file, 0, problem)
    return tree


def tests_in(tree: ast.Module) -> Iterator[Test]:
    """Yield the tests of a file, in its order."""
    unseen: list[tuple[ast.AST, tuple[ast.ClassDef, ...]]] = [(tree, ())]
    while unseen:
        node, classes = unseen.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if node.name.startswith("test"):
                yield Test(node, classes)
            continue
        inside = (*classes, node) if isinstance(node, ast.ClassDef) else classes
        below = [child for child in ast.iter_child_nodes(node) if not isinstance(child, ast.expr)]
        unseen += [(child, inside) for child in reversed(below)]
