"""`kata solution`: the explanation of a solved kata, the files of its fixes, and their difference from yours."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from drill_katas.catalog.katas import ORIGINAL
from drill_katas.cli.base import command, find, say, show, warn, width

if TYPE_CHECKING:
    from drill_katas.catalog.arms import Arm
    from drill_katas.catalog.katas import Kata
    from drill_katas.practice.workspace import Workspace


@command("solution", "kata solution fp_drift --arm reference")
@click.argument("name")
@click.option("--arm", metavar="NAME", help="Print the files of one fix: 'reference', or a name in the explanation.")
@click.option("--diff", is_flag=True, help="Compare your files with those of the reference solution, or of --arm.")
@click.option("--give-up", is_flag=True, help="Show it for an unsolved kata, too; recorded in your journal.")
def solution(name: str, arm: str | None, *, diff: bool, give_up: bool) -> None:
    """Explain the cause, the alerts, wrong fixes, and right designs, once the current variant is solved."""
    workspace, kata = find(name)
    progress = workspace.progress_of(kata)
    if not progress.solved_once and not give_up:
        which = name if progress.variant == ORIGINAL else f"Variant {progress.variant} of {name}"
        say(f"{which} is not solved yet. `kata hint {name}` shows a hint; --give-up shows the solution.")
        raise SystemExit(1)
    if diff:
        _show_difference(workspace, kata, arm or "reference")
    elif arm is not None:
        _print_files(workspace, kata, arm)
    else:
        _show_explanation(workspace, kata)


def _show_explanation(workspace: Workspace, kata: Kata) -> None:
    from drill_katas.explanation.explaining import explain
    from drill_katas.report.explanation import explanation_lines

    explanation = explain(workspace, kata)
    _record(workspace, kata)
    show(explanation_lines(explanation, width()))


def _print_files(workspace: Workspace, kata: Kata, name: str) -> None:
    from drill_katas.report.text import encodable

    arm = _arm(workspace, kata, name)
    _record(workspace, kata)
    for file in arm.files.values():
        click.echo(f"# {file.shown}")
        click.echo(encodable(file.content.decode("utf-8", "replace")))


def _show_difference(workspace: Workspace, kata: Kata, name: str) -> None:
    from drill_katas.catalog.arms import workspace_arm
    from drill_katas.report.explanation import diff_lines

    yours, arm = workspace_arm(kata), _arm(workspace, kata, name)
    _record(workspace, kata)
    show(diff_lines(yours, arm, name))


def _arm(workspace: Workspace, kata: Kata, name: str) -> Arm:
    from drill_katas.explanation.arms import visible_arm

    return visible_arm(kata, workspace.progress_of(kata).variant, name)


def _record(workspace: Workspace, kata: Kata) -> None:
    """Record in the journal that the solution was shown."""
    from drill_katas.practice.journal import SolutionShown

    solved = workspace.progress_of(kata).solved_once
    notice = workspace.journal.append(SolutionShown(kata=kata.name, gave_up=not solved))
    warn([notice] if notice else [])
