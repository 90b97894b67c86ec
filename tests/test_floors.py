"""The order of the parts: each imports only from parts below it, also where only a type is named."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import drill_katas

OURS = "drill_katas"
NOT_MODULES = {"template", "library"}  # files that `kata new` and `kata init` copy out
# From top to bottom. Parts on one line do not import each other.
ORDER = """
plugin
cli
runner
report
postmortem spec
live
investigation explanation
evidence
kit        grading
guardrail
verify
batch
judge
practice
services
sandbox
machine
catalog
sql
sut
failures   files      markdown
errors     verdict    text      quantiles
"""
FLOORS = {part: height for height, line in enumerate(reversed(ORDER.split("\n"))) for part in line.split()}
# Parts that must not load these libraries, directly or through other modules.
TESTING = {"pytest", "_pytest", "hypothesis"}
FORBIDDEN = {
    "verdict": TESTING,
    "errors": TESTING,
    "text": TESTING,
    "quantiles": TESTING,
    "failures": TESTING,
    "files": TESTING,
    "catalog": TESTING,
    "practice": TESTING,
    "report": {"pytest", "_pytest", "click"},
}


def read_modules():
    root = Path(drill_katas.__file__).parent
    modules = {}
    for file in root.rglob("*.py"):
        parts = file.relative_to(root).with_suffix("").parts
        if not NOT_MODULES & set(parts):
            name = ".".join((OURS, *parts)).removesuffix(".__init__")
            modules[name] = ast.parse(file.read_text(encoding="utf-8"), file)
    return modules


def imports_of(tree, *, types=True):
    """The modules and names that a tree imports, at the top, in functions and, with `types`, under TYPE_CHECKING."""
    found = set()
    unseen = [tree]
    while unseen:
        node = unseen.pop()
        if (
            not types
            and isinstance(node, ast.If)
            and isinstance(node.test, ast.Name)
            and node.test.id == "TYPE_CHECKING"
        ):
            unseen += node.orelse
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "a relative import: this test cannot resolve it"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        unseen += ast.iter_child_nodes(node)
    return found


def resolve(name, modules):
    """The module of drill_katas that contains a dotted name, or the foreign package."""
    parts = name.split(".")
    if parts[0] != OURS:
        return parts[0]
    return next(known for end in range(len(parts), 0, -1) if (known := ".".join(parts[:end])) in modules)


def graph(*, types):
    return {
        name: {resolve(imported, MODULES) for imported in imports_of(tree, types=types)} - {name}
        for name, tree in MODULES.items()
    }


MODULES = read_modules()
IMPORTS = graph(types=True)
LOADED = graph(types=False)


def modules_of(part):
    whole = f"{OURS}.{part}"
    found = {module for module in MODULES if module == whole or module.startswith(f"{whole}.")}
    assert found, f"there is no part {part}"
    return found


def part_of(module):
    return module.split(".")[1] if "." in module else ""


def reached_from(module, imports):
    """All modules that a module imports, directly or through others."""
    reached, unseen = set(), [module]
    while unseen:
        new = imports.get(unseen.pop(), set()) - reached
        reached |= new
        unseen += new
    return reached


def test_every_part_has_a_floor():
    assert {part_of(module) for module in MODULES} - {""} == set(FLOORS)


@pytest.mark.parametrize("part", FLOORS)
def test_parts_import_only_lower_parts(part):
    for module in modules_of(part):
        ours = {part_of(name) for name in IMPORTS[module] if name.partition(".")[0] == OURS} - {part, ""}
        higher = sorted(other for other in ours if FLOORS[other] >= FLOORS[part])
        assert not higher, f"{module} imports {higher}, which are not below {part}"


def test_no_modules_import_in_circles():
    assert sorted(module for module in MODULES if module in reached_from(module, IMPORTS)) == []


@pytest.mark.parametrize("part", FORBIDDEN)
def test_parts_load_no_forbidden_library(part):
    for module in modules_of(part):
        loaded = reached_from(module, LOADED) & FORBIDDEN[part]
        assert not loaded, f"{module} loads {sorted(loaded)}"


def test_interpreter_loads_no_forbidden_library():
    """The tests above read files; here an interpreter imports the same parts."""
    modules = [module for part in FORBIDDEN for module in sorted(modules_of(part))]
    code = f"import json, sys\nimport {', '.join(modules)}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    loaded = {module.partition(".")[0] for module in json.loads(done.stdout)}
    assert not loaded & {"pytest", "_pytest", "hypothesis", "click"}
    assert OURS in loaded


def test_sut_process_loads_nothing_else():
    code = f"import json, sys\nimport {', '.join(sorted(modules_of('sut')))}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    ours = {module for module in json.loads(done.stdout) if module.partition(".")[0] == OURS}
    assert ours == modules_of("sut") | {OURS}


def test_imports_of_every_form_are_seen():
    """If this fails, the tests above may have passed for the wrong reason."""
    tree = ast.parse(
        "import os, drill_katas.sut.wire\n"
        "from drill_katas.report import text\n"
        "from drill_katas.report.text import TextLine\n"
        "from drill_katas import kit\n"
        "if TYPE_CHECKING:\n    import typed\nelse:\n    import untyped\n"
        "def f():\n    try:\n        import click\n    finally:\n        pass\n"
    )
    always = {"os", f"{OURS}.sut.wire", f"{OURS}.report.text", f"{OURS}.kit", "untyped", "click"}
    assert {resolve(name, MODULES) for name in imports_of(tree)} == always | {"typed"}
    assert {resolve(name, MODULES) for name in imports_of(tree, types=False)} == always
