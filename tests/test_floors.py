"""The floors of the design: a part of the package imports only what stands below it, never up."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import drill_katas

OURS = "drill_katas"
# What `kata new` copies out is no module of this package.
NOT_MODULES = {"template", "library"}

# Parts (a module, or a package with all below it) and all of ours that they may import.
ONLY = {
    "sut": ["sut"],
    "sql": ["sql", "sut"],
    "quantiles": [],
    "baseline": [],
    "kit": ["kit", "judge", "quantiles"],
    "evidence": ["evidence", "kit", "judge", "arms", "catalog", "errors", "quantiles"],
    "live": ["live", "evidence", "judge", "errors"],
}
# Parts and what of ours they must not import, be it through others.
NEVER = {
    "judge": ["run", "plugin", "cli", "report", "kit", "evidence", "warm", "pool", "grading"],
    "pool": ["cli", "report", "certify", "grading"],
    "tasks": ["pool", "run", "plugin", "cli", "report", "certify", "grading"],
    "grading": ["cli", "report", "certify"],
    "evidence": ["run", "plugin", "cli", "report", "live"],
    "live": ["run", "plugin", "cli", "report"],
}
# Parts that know nothing of these libraries, be it through others.
KNOW_NOTHING_OF = {
    "verdict": {"pytest", "_pytest", "hypothesis"},
    "journal": {"pytest", "_pytest", "hypothesis"},
    "catalog": {"pytest", "_pytest", "hypothesis"},
    "attempts": {"pytest", "_pytest", "hypothesis"},
    "progress": {"pytest", "_pytest", "hypothesis"},
    "workspace": {"pytest", "_pytest", "hypothesis"},
    "errors": {"pytest", "_pytest", "hypothesis"},
    "arms": {"pytest", "_pytest", "hypothesis"},
    "answer": {"pytest", "_pytest", "hypothesis"},
    "selection": {"pytest", "_pytest", "hypothesis"},
    "schedule": {"pytest", "_pytest", "hypothesis"},
    "diagnosis": {"pytest", "_pytest", "hypothesis"},
    "baseline": {"pytest", "_pytest", "hypothesis"},
    "mechanisms": {"pytest", "_pytest", "hypothesis"},
    "report": {"pytest", "_pytest", "click", "rich"},
}


def read_modules():
    root = Path(drill_katas.__file__).parent
    modules = {}
    for file in root.rglob("*.py"):
        parts = file.relative_to(root).with_suffix("").parts
        if parts[0] not in NOT_MODULES:
            name = ".".join((OURS, *parts)).removesuffix(".__init__")
            modules[name] = ast.parse(file.read_text(encoding="utf-8"), file)
    return modules


def imports_of(tree):
    """The modules a tree imports when it runs, at the top or inside a function, and the names it takes from them.

    Imports under TYPE_CHECKING are left out: they never happen, and naming a type of a higher part costs nothing.
    """
    found = set()
    unseen = [tree]
    while unseen:
        node = unseen.pop()
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            unseen += node.orelse
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports are not understood here"
            found |= {f"{node.module}.{alias.name}" for alias in node.names}
        unseen += ast.iter_child_nodes(node)
    return found


def resolve(name, modules):
    """What is imported by a dotted name: the longest part of it that is a module of ours, or the foreign package."""
    parts = name.split(".")
    if parts[0] != OURS:
        return parts[0]
    return next(known for end in range(len(parts), 0, -1) if (known := ".".join(parts[:end])) in modules)


MODULES = read_modules()
IMPORTS = {
    name: {resolve(imported, MODULES) for imported in imports_of(tree)} - {name} for name, tree in MODULES.items()
}


def part(name):
    """The modules of a part."""
    whole = f"{OURS}.{name}"
    found = {module for module in MODULES if module == whole or module.startswith(f"{whole}.")}
    assert found, f"there is no part {name}"
    return found


def reached_from(module):
    """All that a module imports, be it through others."""
    reached, unseen = set(), [module]
    while unseen:
        new = IMPORTS.get(unseen.pop(), set()) - reached
        reached |= new
        unseen += new
    return reached


def test_no_two_modules_import_each_other_not_even_through_others():
    cycles = sorted(module for module in MODULES if module in reached_from(module))
    assert cycles == []


@pytest.mark.parametrize("name", ONLY)
def test_a_part_imports_of_ours_only_what_it_stands_on(name):
    allowed = set().union(*map(part, ONLY[name]))
    for module in part(name):
        ours = {imported for imported in IMPORTS[module] if imported.partition(".")[0] == OURS}
        assert ours <= allowed, f"{module} imports {sorted(ours - allowed)}"


@pytest.mark.parametrize("name", NEVER)
def test_a_part_never_reaches_up(name):
    above = set().union(*map(part, NEVER[name]))
    for module in part(name):
        assert not reached_from(module) & above, f"{module} reaches {sorted(reached_from(module) & above)}"


@pytest.mark.parametrize("name", KNOW_NOTHING_OF)
def test_a_part_knows_nothing_of_libraries_that_are_not_its_business(name):
    for module in part(name):
        known = reached_from(module) & KNOW_NOTHING_OF[name]
        assert not known, f"{module} imports {sorted(known)}"


def test_what_really_gets_imported_agrees_with_what_the_files_say():
    """The tests above read files; here an interpreter imports the same parts."""
    lists = [module for name in KNOW_NOTHING_OF for module in sorted(part(name))]
    code = f"import json, sys\nimport {', '.join(lists)}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    loaded = {module.partition(".")[0] for module in json.loads(done.stdout)}
    assert not loaded & {"pytest", "_pytest", "hypothesis", "click", "rich"}
    assert OURS in loaded


def test_what_runs_in_the_hostile_process_needs_nothing_of_the_judge():
    code = f"import json, sys\nimport {', '.join(sorted(part('sut')))}\nprint(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    ours = {module for module in json.loads(done.stdout) if module.partition(".")[0] == OURS}
    assert ours == part("sut") | {OURS}


def test_the_rules_see_imports_of_every_form():
    """Should this fail, the tests above may have passed for the wrong reason."""
    tree = ast.parse(
        "import os, drill_katas.runner.kata_run\n"
        "from drill_katas.report import text\n"
        "from drill_katas.report.text import Line\n"
        "from drill_katas import kit\n"
        "if TYPE_CHECKING:\n    import typed\nelse:\n    import untyped\n"
        "def f():\n    try:\n        import click\n    finally:\n        pass\n"
    )
    assert {resolve(name, MODULES) for name in imports_of(tree)} == {
        "os",
        f"{OURS}.run",
        f"{OURS}.report.text",
        f"{OURS}.kit",
        "untyped",
        "click",
    }
