"""`kata guardrail`: try the learner's own tests on right and wrong versions of the module."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import click

from drill_katas.cli.base import as_json, command, find, say, short, show, show_json, warn, width
from drill_katas.cli.progress import counted
from drill_katas.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Collection

    from drill_katas.catalog.katas import Kata
    from drill_katas.practice.progress import KataProgress
    from drill_katas.practice.workspace import Workspace

NOT_JUDGED = 3  # exit code


@command("guardrail", "kata guardrail red_herring")
@click.argument("name")
@as_json
def guardrail(name: str, *, as_json: bool) -> None:
    """Judge your guardrail: the tests that would have caught the fault.

    Without a guardrail.py beside your module, this writes one to start from. Right designs must pass its tests. The
    score is the share of wrong versions that the tests reject. Exit code 0 means a score of at least 80.
    """
    from drill_katas.guardrail.judging import judge
    from drill_katas.guardrail.result import ENOUGH, event_of
    from drill_katas.guardrail.versions import versions_of
    from drill_katas.report.guardrail import guardrail_lines

    workspace, kata = find(name)
    if not kata.guardrail.exists():
        _write_first(workspace, kata)
    with counted(f"{name}, versions") as report_progress:
        result = judge(kata.original, kata.guardrail, list(versions_of(kata.original)), report_progress)
    standing = workspace.progress_of(kata)
    if not result.unjudged:
        notice = workspace.journal.append(event_of(result, standing.variant))
        warn([notice] if notice else [])
    if as_json:
        show_json(result)
    else:
        show(guardrail_lines(result, width(), _lessons(kata, standing)))
    if result.unjudged:
        raise SystemExit(NOT_JUDGED)
    if result.score < ENOUGH:
        raise SystemExit(1)


def _lessons(kata: Kata, standing: KataProgress) -> Collection[str] | None:
    """Return the names of the near misses that the learner may see; None before the solve."""
    from drill_katas.catalog.answer import read_answer
    from drill_katas.explanation.arms import visible_arms

    return visible_arms(kata, read_answer(kata.solutions), standing.variant) if standing.solved_once else None


def _write_first(workspace: Workspace, kata: Kata) -> None:
    """Copy the kata's first guardrail beside the learner's module."""
    start = next((each.guardrail_start for each in (kata, kata.original) if each.guardrail_start.is_file()), None)
    if start is None:
        raise UserError(
            f"there is no {short(kata.guardrail, workspace)}, and {kata.name} has no guardrail_start.py to copy; "
            f"write a test file with tests that take the fixture `sut`"
        )
    shutil.copyfile(start, kata.guardrail)
    say(f"New: {short(kata.guardrail, workspace)}. Add tests to it, then run this command again. Its result now:")
