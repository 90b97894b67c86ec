"""The subcommand that replays an incident."""

from __future__ import annotations

from pathlib import Path

import click

from drill_katas.cli.base import as_json, command, open_case, short, show, show_json, warn, width
from drill_katas.errors import UserError


@command("incident", "kata incident red_herring")
@click.argument("name")
@click.option("--from", "source", metavar="DIR", help="Replay the files in DIR, or 'solutions', in place of your own.")
@click.option("--seed", type=int, help="Another night: other names, amounts and moments; default: 0.")
@click.option(
    "--html",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Write the incident on record as a web page; only without a record is it replayed first.",
)
@click.option(
    "--compare",
    metavar="DIR",
    multiple=True,
    help="On that page, show it beside the files in DIR, or 'solutions'; may be repeated. Default, once the kata is "
    "solved: beside the broken files.",
)
@as_json
def incident(
    name: str, source: str | None, html: Path | None, compare: tuple[str, ...], *, seed: int | None, as_json: bool
) -> None:
    """Replay a kata's incident with your present code; its logs, traces, metrics and alerts are kept."""
    from drill_katas.investigation.comparison import draw, recorded_as
    from drill_katas.report.evidence import summary_lines

    case = open_case(name)
    if compare and html is None:
        raise UserError("--compare puts replays side by side on a page; give it a file, too: --html FILE")
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
    click.echo(f"\nAll of it is in {short(case.folder, case.workspace)}.")
    click.echo(f"Ask it: kata alerts|logs|traces|metrics|graph {name}")
    click.echo(f"Try it: kata experiment {name}")
