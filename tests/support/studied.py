"""Workspaces in which an incident was replayed and studied, and post-mortems in them."""

from __future__ import annotations

import json
import re
import shutil
from typing import TYPE_CHECKING, Any

import msgspec

from drill_katas.catalog.answer import read_answer
from drill_katas.catalog.katas import shipped
from drill_katas.postmortem.checking import review
from drill_katas.postmortem.facts import facts_of
from drill_katas.postmortem.files import read
from drill_katas.practice.workspace import Workspace
from tests.support.commands import done, kata, replay

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.shared import SharedFolder

EXPERIMENTS = {
    "red_herring": ["no_drop", "restart", "worker_off"],
    "fp_drift": ["whole_amounts", "delivered_once", "no_restart", "gateway_well"],
    "n_plus_one": ["single_customers", "one_reader", "prices_near", "no_import"],
    "circular_deadlock": ["pricing_off", "more_workers", "no_sale", "database_near", "nobody_hurries"],
}


def study(folder: Path, name: str) -> None:
    """Begin a round, replay the incident, run experiments, and put the reference solution in place."""
    done(folder, "init", ".")
    done(folder, "start", name)
    replay(folder, name)
    for experiment in EXPERIMENTS[name]:
        done(folder, "experiment", name, experiment)
    for file in shipped().get(name).solutions.glob("*.py"):
        shutil.copy(file, folder / "katas" / name)


def studied(shared: SharedFolder, tmp_path: Path, name: str) -> Path:
    """A workspace of this test's own with a studied incident; it is made once."""
    made = shared.make(f"studied-{name}", lambda folder: study(folder, name))
    return shutil.copytree(made, tmp_path, dirs_exist_ok=True)


def file_of(folder: Path, name: str = "red_herring") -> Path:
    return folder / "katas" / name / "POSTMORTEM.md"


def studied_reference(shared: SharedFolder, tmp_path: Path) -> Path:
    """A workspace of this test's own with the reference post-mortem of red_herring, which is refreshed once."""
    herring = shared.make("studied-red_herring", lambda folder: study(folder, "red_herring"))

    def refresh(folder: Path) -> None:
        shutil.copytree(herring, folder, dirs_exist_ok=True)
        use_reference(folder)

    return shutil.copytree(shared.make("reference-red_herring", refresh), tmp_path, dirs_exist_ok=True)


def use_reference(folder: Path, name: str = "red_herring") -> Path:
    """Copy the reference post-mortem beside the module, and refresh its generated blocks."""
    file = file_of(folder, name)
    shutil.copy(shipped().get(name).solutions / "POSTMORTEM.md", file)
    done(folder, "postmortem", name)
    return file


def review_of(folder: Path, name: str = "red_herring") -> dict[str, Any]:
    """The review as JSON, made in this process, because many texts are reviewed."""
    workspace = Workspace(folder)
    kata = workspace.library.get(name)
    facts = facts_of(workspace, kata)
    made: dict[str, Any] = msgspec.to_builtins(review(read(kata.postmortem) or "", facts))
    return made


def checked(folder: Path, name: str = "red_herring") -> dict[str, Any]:
    """The review of the post-mortem as JSON; the exit code is 1 if it has findings."""
    result = kata(folder, "postmortem", name, "--check", "--json")
    assert "Traceback" not in result.stderr, result.stderr
    review: dict[str, Any] = json.loads(result.stdout)
    assert result.returncode == (1 if review["findings"] else 0), result.stderr
    return review


def found(review: dict[str, Any]) -> list[str]:
    """The findings as text, each with its line."""
    return [f"{finding['line']}: {finding['message']}" for finding in review["findings"]]


def edit(file: Path, before: str, after: str) -> int:
    """Replace a text that is there once; return the line where it was."""
    text = file.read_text(encoding="utf-8")
    assert text.count(before) == 1, before
    file.write_text(text.replace(before, after), encoding="utf-8")
    return text[: text.index(before)].count("\n") + 1


def without_blocks(text: str) -> str:
    """The words of a person: everything outside the generated blocks."""
    return re.sub(r"<!-- generated: .*?<!-- end -->", "", text, flags=re.DOTALL)


def factors_of(name: str, variant: str) -> list[Any]:
    return [factor for factor in read_answer(shipped().get(name).solutions).factors if variant in factor.variants]
