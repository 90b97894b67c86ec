"""`kata postmortem`: write, refresh, check, and draw the post-mortem of an incident."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from drill_katas.cli.base import as_json, command, find, say, short, show, show_json, warn, width
from drill_katas.errors import UserError

if TYPE_CHECKING:
    from drill_katas.postmortem.facts import Facts
    from drill_katas.practice.workspace import Workspace


@command("postmortem", "kata postmortem red_herring --check")
@click.argument("name")
@click.option("--check", is_flag=True, help="Findings, each with its line, and the score; nothing is written.")
@click.option(
    "--html", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="File for a web page of it."
)
@as_json
def postmortem(name: str, html: Path | None, *, check: bool, as_json: bool) -> None:
    """Write the post-mortem of an incident, or refresh the generated parts of yours.

    The file is POSTMORTEM.md, beside your module. Only blocks between the markers "generated" and "end" are refreshed.
    With --check, exit code 1 means findings.
    """
    from drill_katas.postmortem.facts import facts_of
    from drill_katas.postmortem.files import write
    from drill_katas.report.postmortem import problem_lines

    workspace, kata = find(name)
    facts = facts_of(workspace, kata)
    warn(facts.notices)
    file = short(kata.postmortem, workspace)
    if html and check:
        raise UserError("--html and --check are two commands: run one after the other")
    if html:
        _draw(facts, file, html)
        return
    if check:
        _check(workspace, facts, file, as_json=as_json)
        return
    written = write(facts)
    if as_json:
        show_json(written)
        return
    say(f"{file}: {written.what}. Check it with: kata postmortem {name} --check")
    show(problem_lines(written.problems, width()))


def _draw(facts: Facts, file: str, to: Path) -> None:
    """Write the page of the post-mortem."""
    from drill_katas.files import write_file
    from drill_katas.postmortem.html import to_html

    write_file(to, to_html(_read(facts, file), facts).encode("utf-8", "replace"))
    click.echo(f"{to}: open it in a browser", err=True)


def _check(workspace: Workspace, facts: Facts, file: str, *, as_json: bool) -> None:
    """Print the findings and the score, record them, and exit with 1 if there are findings."""
    from drill_katas.postmortem.checking import review
    from drill_katas.postmortem.result import event_of
    from drill_katas.report.postmortem import review_lines

    found = review(_read(facts, file), facts)
    notice = workspace.journal.append(event_of(found))
    warn([notice] if notice else [])
    show_json(found) if as_json else show(review_lines(found, file, width()))
    if found.findings:
        raise SystemExit(1)


def _read(facts: Facts, file: str) -> str:
    """Return the text of the post-mortem. Raises `UserError` if there is none."""
    from drill_katas.postmortem.files import read

    text = read(facts.kata.postmortem)
    if text is None:
        raise UserError(f"there is no {file} yet; `kata postmortem {facts.kata.name}` writes one to start from")
    return text
