"""`kata spec`: keep the rules of the team, and check that guardrails enforce them."""

from __future__ import annotations

import click

from drill_katas.cli.base import as_json, command, find, short, show, show_json, width, workspace_here
from drill_katas.cli.progress import counted
from drill_katas.errors import UserError

NOT_JUDGED = 3  # exit code


@command("spec", "kata spec red_herring --check")
@click.argument("name", required=False)
@click.option("--check", is_flag=True, help="Findings, each with its file and line; nothing is written.")
@as_json
def spec(name: str | None, *, check: bool, as_json: bool) -> None:
    """Keep the rules of your team, each enforced by a test of a guardrail.

    This adds a row to SPEC.md, in the root of the workspace, for each test of your guardrail that cites no rule. Rows
    that exist are never changed. --check compares the rows with the guardrails, and runs the guardrails on your
    modules; without NAME, it checks all katas.

    With --check, exit code 1 means findings, and 3 means that a test was not judged.
    """
    if check:
        _check(name, as_json=as_json)
    elif name is None:
        raise UserError("name a kata to add rules of its guardrail, or run `kata spec --check` to check all katas")
    else:
        _keep(name, as_json=as_json)


def _keep(name: str, *, as_json: bool) -> None:
    """Add rows, and print the decorators to add."""
    from drill_katas.report.spec import kept_lines
    from drill_katas.spec.writing import keep

    workspace, kata = find(name)
    kept = keep(workspace, kata)
    show_json(kept) if as_json else show(kept_lines(kept, short(kata.guardrail, workspace), width()))


def _check(name: str | None, *, as_json: bool) -> None:
    """Print the findings, and exit with 1 if there are any, or with 3 if a test was not judged."""
    from drill_katas.report.spec import review_lines
    from drill_katas.spec.running import review

    workspace = workspace_here() if name is None else find(name)[0]
    with counted("guardrails") as report_progress:
        found = review(workspace, name, report_progress)
    show_json(found) if as_json else show(review_lines(found, width()))
    if found.findings:
        raise SystemExit(1)
    if found.not_judged:
        raise SystemExit(NOT_JUDGED)
