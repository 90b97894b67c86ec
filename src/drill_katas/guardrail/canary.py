"""The canary: a version of a module in which every function raises, so that any test that asserts something fails."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from drill_katas.catalog.arms import Arm

MESSAGE = "this function does nothing"


class _Raising(ast.NodeTransformer):
    """Replaces the body of every function by a `raise`; a class keeps its names."""

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.FunctionDef:
        node.body = ast.parse(f"raise NotImplementedError({MESSAGE!r})").body
        return node

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> ast.AsyncFunctionDef:
        node.body = ast.parse(f"raise NotImplementedError({MESSAGE!r})").body
        return node


def canary_of(arm: Arm) -> dict[str, bytes]:
    """Return the files of an arm with functions that only raise `NotImplementedError`."""
    return {
        name: ast.unparse(_Raising().visit(ast.parse(content))).encode() if name.endswith(".py") else content
        for name, content in arm.contents.items()
    }
