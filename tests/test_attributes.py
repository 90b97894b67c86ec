"""Every attribute of a class gets its first value in its body or in `__init__`."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import drill_katas

ROOT = Path(drill_katas.__file__).parent
INITIAL = {"__init__", "__post_init__", "__new__"}
OF_BASES = {("_Filler", "break_long_words")}  # attributes that a base class of another library has


def assigned(node):
    """The attributes of `self` that a function assigns, with their lines."""
    return {
        (child.attr, child.lineno)
        for child in ast.walk(node)
        if isinstance(child, ast.Attribute)
        and isinstance(child.ctx, ast.Store)
        and isinstance(child.value, ast.Name)
        and child.value.id == "self"
    }


def late_attributes(cls):
    """The attributes that a class assigns first outside of its body and `__init__`."""
    functions = [node for node in cls.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    known = {
        node.target.id for node in cls.body if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }
    known |= {
        target.id
        for node in cls.body
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    known |= {node.name for node in functions if any(isinstance(each, ast.Attribute) for each in node.decorator_list)}
    known |= {name for node in functions if node.name in INITIAL for name, _ in assigned(node)}
    later = {pair for node in functions if node.name not in INITIAL for pair in assigned(node)}
    return sorted((line, name) for name, line in later if name not in known and (cls.name, name) not in OF_BASES)


def classes():
    for file in sorted(ROOT.rglob("*.py")):
        if not {"template", "library"} & set(file.relative_to(ROOT).parts):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.ClassDef):
                    yield file.relative_to(ROOT), node


def test_attributes_begin_in_init():
    found = [f"{file}:{line} {cls.name}.{name}" for file, cls in classes() for line, name in late_attributes(cls)]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    ("body", "late"),
    [
        ("def __init__(self):\n        self.a = 1", []),
        ("a: int = 1\n    def f(self):\n        self.a = 2", []),
        ("def f(self):\n        self.a = 1", [(3, "a")]),
        ("def f(self):\n        with x as self.a:\n            pass", [(3, "a")]),
    ],
)
def test_late_attributes_are_found(body, late):
    (cls,) = ast.parse(f"class C:\n    {body}").body
    assert late_attributes(cls) == late
