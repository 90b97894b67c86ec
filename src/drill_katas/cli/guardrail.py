"""`kata guardrail`: try the learner's own tests on right and wrong versions of the module."""

from __future__ import annotations

import shutil

import click

from drill_katas.cli.base import as_json, command, find, say, short, show, show_json, width
from drill_katas.cli.progress import counted
from drill_katas.errors import UserError


@command("guardrail", "kata guardrail red_herring")
@click.argument("name")
@as_json
def guardrail(name: str, *, as_json: bool) -> None:
    """Judge your guardrail: the test that would have caught the fault.

    Without a guardrail.py beside your module, this writes one to start from. Every right design must pass the tests in
    it; the score is the share of wrong versions that they reject. Exit code 0 means a score of at least 80.
    """
    from drill_katas.guardrail.judging import judge
    from drill_katas.guardrail.result import ENOUGH
    from drill_katas.report.guardrail import guardrail_lines

    workspace, kata = find(name)
    if not kata.guardrail.exists():
        if not kata.guardrail_start.is_file():
            raise UserError(f"{name} has no guardrail_start.py, so write {short(kata.guardrail, workspace)} yourself")
        shutil.copyfile(kata.guardrail_start, kata.guardrail)
        say(f"New: {short(kata.guardrail, workspace)}. Edit it, then run this command again. Its result now:")
    with counted(f"{name}, versions") as report_progress:
        result = judge(kata, kata.guardrail, report_progress)
    if as_json:
        show_json(result)
    else:
        show(guardrail_lines(result, width(), lessons=workspace.progress_of(kata).state == "solved"))
    if result.score < ENOUGH:
        raise SystemExit(1)
