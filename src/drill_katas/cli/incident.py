"""The subcommand that replays an incident, and what replays it for others."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import click

from drill_katas.cli.base import as_json, command, find, progress_bar, short, show, show_json, warn, width
from drill_katas.errors import UserError

if TYPE_CHECKING:
    from drill_katas.catalog import Kata
    from drill_katas.evidence.records import Incident, Summary
    from drill_katas.workspace import Workspace


@command("incident", "kata incident red_herring")
@click.argument("name")
@click.option("--from", "source", metavar="DIR", help="Replay the files in DIR, or 'solutions', in place of your own.")
@click.option("--seed", default=0, show_default=True, help="Another night: other names, amounts and moments.")
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write it as a web page.")
@click.option(
    "--compare",
    metavar="DIR",
    multiple=True,
    help="On that page, have it beside a replay of the files in DIR, or 'solutions'; may be repeated. By default, once "
    "the kata is solved, of the broken ones.",
)
@as_json
def incident(
    name: str, source: str | None, html: Path | None, compare: tuple[str, ...], *, seed: int, as_json: bool
) -> None:
    """Replay a kata's incident with your present code; its logs, traces, metrics and alerts are kept."""
    from drill_katas.evidence import store
    from drill_katas.report.evidence import summary_lines

    workspace, kata = find(name)
    if compare and html is None:
        raise UserError("--compare puts replays side by side on a page; give it a file, too: --html FILE")
    played = replayed(workspace, kata, source=source, seed=seed, ablation=None)
    if html is not None:
        _write_page(kata, played, compare, html, solved=workspace.progress_of(kata).state == "solved")
    if as_json:
        show_json({"summary": played.summary, "alerts": played.alerts})
        return
    show(summary_lines(played, width()))
    click.echo(f"\nAll of it is in {short(store.folder_of(workspace, name), workspace)}.")
    click.echo(f"Ask it: kata alerts|logs|traces|metrics|graph {name}")
    click.echo(f"Try it: kata experiment {name}")


def _write_page(kata: Kata, played: Incident, compare: tuple[str, ...], file: Path, *, solved: bool) -> None:
    from drill_katas.evidence import html
    from drill_katas.workspace import broken_files

    told = played.summary
    incidents = [("your code" if told.source == "workspace" else told.source, played)]
    incidents += [(each, _replayed_from(kata, each, each, told)) for each in compare]
    if solved and not compare:
        with tempfile.TemporaryDirectory() as folder:
            for name, content in broken_files(kata, told.variant).items():
                Path(folder, name).write_bytes(content)
            incidents.insert(0, ("before", _replayed_from(kata, folder, "before", told)))
    html.write(file, html.to_html(kata, incidents))
    click.echo(f"{file}: open it in a browser", err=True)


def _replayed_from(kata: Kata, source: str, label: str, told: Summary) -> Incident:
    """Replay the same night with other files; it is not kept."""
    from drill_katas.arms import arm_from
    from drill_katas.evidence.replay import Replay, replay

    what = Replay(kata, arm_from(kata, source), told.variant, told.seed)
    return replay(what, progress_bar(f"{kata.name}, {label}"))


def replayed(workspace: Workspace, kata: Kata, *, source: str | None, seed: int, ablation: str | None) -> Incident:
    """Replay an incident, keep it, and note it in the journal."""
    from drill_katas.arms import arm_from, workspace_arm
    from drill_katas.evidence import store
    from drill_katas.evidence.replay import Replay, replay, story_of
    from drill_katas.journal import Replayed

    arm = workspace_arm(kata) if source is None else arm_from(kata, source, "--from")
    what = Replay(kata, arm, workspace.progress_of(kata).variant, seed, ablation)
    played = replay(what, progress_bar(kata.name if ablation is None else f"{kata.name}, {ablation}"))
    folder = store.folder_of(workspace, kata.name, ablation)
    outdated = ablation is None and (folder / "experiments").is_dir()
    with story_of(kata) as story:
        store.write(folder, played, story.INCIDENT.rules)
    share = played.summary.after.share
    noted = Replayed(kata=kata.name, variant=what.variant, seed=seed, ablation=ablation, good=round(share, 4))
    gone = "the experiments were made with the incident before, and are gone; make them anew" if outdated else None
    warn(filter(None, [workspace.journal.append(noted), gone]))
    return played
