"""The file of a guardrail: a Python file with tests."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Final

from drill_katas.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

MOST_BYTES: Final = 200_000


def read_guardrail(file: Path) -> bytes:
    """Return the content of a guardrail. Raises `UserError` if it is not Python, or has no test."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise UserError(f"cannot read {file}: {error.strerror}") from error
    expect_guardrail(content, str(file))
    return content


def names_of_tests(content: bytes) -> set[str]:
    """Return the names of the test functions in the content of a guardrail."""
    return _tests_in(ast.parse(content))


def expect_guardrail(content: bytes, file: str) -> None:
    """Raise `UserError` if this content of `file` is too long, is not Python, imports its neighbors, or has no test."""
    if len(content) > MOST_BYTES:
        raise UserError(f"{file} has {len(content):,} bytes; a guardrail has at most {MOST_BYTES:,}")
    try:
        tree = ast.parse(content, file)
    except SyntaxError as error:
        raise UserError(f"{file}, line {error.lineno or 1} is not Python: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        raise UserError(f"{file} is not Python: {error}") from None
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            raise UserError(
                f"{file}, line {node.lineno}: a guardrail is one file and imports nothing beside it; write what it "
                f"needs in the file itself"
            )
    if not _tests_in(tree):
        raise UserError(f"{file} has no test; write a function `test_...(sut)` that fails on the broken module")


def _tests_in(tree: ast.AST) -> set[str]:
    functions = (ast.FunctionDef, ast.AsyncFunctionDef)
    names = {node.name for node in ast.walk(tree) if isinstance(node, functions)}
    return {name for name in names if name.startswith("test")}
