"""The subcommand that replays an incident."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from drill_katas.cli.base import as_json, command, open_case, say, short, show, show_json, warn, width
from drill_katas.errors import UserError

if TYPE_CHECKING:
    from drill_katas.catalog.katas import Kata
    from drill_katas.practice.workspace import Workspace


@command("incident", "kata incident red_herring")
@click.argument("name")
@click.option("--from", "source", metavar="DIR", help="Folder of the files to replay, or 'solutions'; default: yours.")
@click.option("--seed", type=int, help="Seed of names, amounts, and moments; default: 0.")
@click.option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="File for a web page of the recorded incident; without a recorded one, the incident is replayed first.",
)
@click.option(
    "--compare",
    metavar="DIR",
    multiple=True,
    help="Folder of files to compare with on that page, or 'solutions'; repeatable. Default: the broken files, once "
    "the kata is solved.",
)
@as_json
def incident(
    name: str, source: str | None, html: Path | None, compare: tuple[str, ...], *, seed: int | None, as_json: bool
) -> None:
    """Replay a kata's incident with your current code; record its logs, traces, metrics, and alerts."""
    from drill_katas.investigation.comparison import draw, recorded_as
    from drill_katas.report.evidence import summary_lines

    case = open_case(name)
    if compare and html is None:
        raise UserError("--compare needs --html FILE: it puts replays side by side on that page")
    played = recorded_as(case, source, seed) if html else None
    played = played or case.replay(source, seed or 0)
    warn(case.notices)
    if html:
        draw(case, compare, html)
        click.echo(f"{html}: open it in a browser", err=True)
    if as_json:
        show_json({"summary": played.summary, "alerts": played.alerts})
        return
    show(summary_lines(played, width()))
    click.echo(f"\nIts files are in {short(case.folder, case.workspace)}.")
    click.echo(f"Query it:    kata alerts|logs|traces|metrics|graph {name}")
    click.echo(f"Experiment:  kata experiment {name}")


def show_incident(workspace: Workspace, kata: Kata) -> None:
    """Print the recorded incident of the current variant in short; without one, print the command that records it."""
    from drill_katas.evidence import store
    from drill_katas.report.evidence import summary_lines

    folder = store.folder_of(workspace, kata.name)
    recorded = store.summary_of(folder)
    if recorded is None or recorded.variant != workspace.progress_of(kata).variant:
        say(f"The incident of this variant is not recorded yet. In another terminal: `kata incident {kata.name}`")
    else:
        show(summary_lines(store.read(folder, kata.name), width()))
