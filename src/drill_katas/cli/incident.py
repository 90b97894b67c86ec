"""The subcommand that replays an incident, and the replay that other subcommands share."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING

import click

from drill_katas.cli.base import as_json, command, find, progress_bar, short, show, show_json, warn, width
from drill_katas.errors import UserError

if TYPE_CHECKING:
    from drill_katas.catalog.arms import Arm
    from drill_katas.catalog.katas import Kata
    from drill_katas.evidence.records import IncidentRecord
    from drill_katas.practice.workspace import Workspace


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
    from drill_katas.cli.pages import draw, recorded_as
    from drill_katas.evidence import store
    from drill_katas.report.evidence import summary_lines

    workspace, kata = find(name)
    if compare and html is None:
        raise UserError("--compare puts replays side by side on a page; give it a file, too: --html FILE")
    recorded = recorded_as(workspace, kata, source, seed) if html else None
    played = recorded or replayed(workspace, kata, source=source, seed=seed or 0, ablation=None)
    if html:
        draw(workspace, kata, compare, html)
    if as_json:
        show_json({"summary": played.summary, "alerts": played.alerts})
        return
    show(summary_lines(played, width()))
    click.echo(f"\nAll of it is in {short(store.folder_of(workspace, name), workspace)}.")
    click.echo(f"Ask it: kata alerts|logs|traces|metrics|graph {name}")
    click.echo(f"Try it: kata experiment {name}")


def replayed(
    workspace: Workspace, kata: Kata, *, source: str | None, seed: int, ablation: str | None
) -> IncidentRecord:
    """Replay an incident, keep it, and note it in the journal.

    Raises `UserError` for an experiment when the code is not that of the incident on record.
    """
    from drill_katas.catalog.arms import arm_from, workspace_arm
    from drill_katas.evidence import store
    from drill_katas.evidence.replay import Replay, replay, story_of
    from drill_katas.practice.journal import Replayed

    arm = workspace_arm(kata) if source is None else arm_from(kata, source, "--from")
    what = Replay(kata, arm, workspace.progress_of(kata).variant, seed, ablation)
    if ablation is not None:
        _expect_same_code(workspace, kata, arm)
    played = replay(what, progress_bar(kata.name if ablation is None else f"{kata.name}, {ablation}"))
    if ablation is None:
        _keep_broken(workspace, kata, played)
    with story_of(kata) as story:
        store.write(store.folder_of(workspace, kata.name, ablation), played, story.INCIDENT.rules)
    share = played.summary.after.share
    noted = Replayed(kata=kata.name, variant=what.variant, seed=seed, ablation=ablation, good=round(share, 4))
    warn(filter(None, [workspace.journal.append(noted)]))
    return played


def _expect_same_code(workspace: Workspace, kata: Kata, arm: Arm) -> None:
    """Raise `UserError` when an experiment would compare two different programs."""
    from drill_katas.evidence import store
    from drill_katas.evidence.replay import code_of

    recorded = store.summary_of(store.folder_of(workspace, kata.name))
    if recorded and recorded.code != code_of(arm):
        raise UserError(
            f"the code of {kata.name} has changed since its incident was recorded, so an experiment would compare two "
            f"programs; `kata incident {kata.name}` records the incident again"
        )


def _keep_broken(workspace: Workspace, kata: Kata, played: IncidentRecord) -> None:
    """Keep the record of the untouched files that a replay of other code is about to replace: pages compare with it."""
    from drill_katas.evidence import store
    from drill_katas.evidence.replay import digest
    from drill_katas.practice.workspace import broken_files

    folder = store.folder_of(workspace, kata.name)
    recorded = store.summary_of(folder)
    if recorded is None or recorded.code == played.summary.code:
        return
    with contextlib.suppress(UserError):  # without the broken files or room for a copy, the page replays them later
        if recorded.code == digest(broken_files(kata, recorded.variant)):
            store.copy(folder, store.folder_beside(workspace, kata.name, recorded.basis))
