"""Subcommands for practice: what there is, beginning, hints, how one stands."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from drill_katas.catalog.katas import ORIGINAL
from drill_katas.cli.base import command, find, katas_of, say, short, show, show_markdown, warn, width, workspace_here
from drill_katas.errors import UserError
from drill_katas.practice.attempts import RULE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from drill_katas.practice.schedule import Due


@command("list", "kata list")
def list_() -> None:
    """List the katas of this workspace and how they stand."""
    from drill_katas.practice.progress import progress
    from drill_katas.report.catalog import list_lines

    workspace = workspace_here()
    history = workspace.journal.read()
    show(list_lines(katas_of(workspace), progress(history.events), width()))
    warn(history.notices)


@command("status", "kata status")
def status() -> None:
    """Show your progress: a bar for each level, then times, attempts and hints of each kata."""
    from drill_katas.practice.journal import now
    from drill_katas.practice.progress import progress
    from drill_katas.report.catalog import status_lines

    workspace = workspace_here()
    history = workspace.journal.read()
    show(status_lines(katas_of(workspace), progress(history.events), width(), now()))
    warn(history.notices)


status.help = "\n\n".join([f"{status.help}", *(f"\b\n{paragraph}" for paragraph in RULE.split("\n\n"))])


@command("next", "kata next")
def next_() -> None:
    """Say what to practise next: the first kata that is not solved, or the one that is due longest."""
    _suggest(lambda found: found[0])


@command("random", "kata random")
def random() -> None:
    """Say what to practise, by chance: of what is not solved, and of what is due again."""
    import secrets

    _suggest(secrets.choice)


@command("history", "kata history fp_drift")
@click.argument("name", required=False)
def history(name: str | None) -> None:
    """Show what has happened with a kata, or with all: attempts, hints, diagnoses, and how many checks passed."""
    from drill_katas.practice.journal import now
    from drill_katas.report.history import all_lines, history_lines

    workspace = workspace_here()
    read = workspace.journal.read()
    if name is None:
        show(all_lines([kata.name for kata in katas_of(workspace)], read.events, width(), now()))
    else:
        _, kata = find(name)
        events = [event for event in read.events if event.kata == kata.name]
        show(history_lines(kata.name, events, width(), now()))
    warn(read.notices)


@command("start", "kata start fp_drift --variant harbour")
@click.argument("name")
@click.option("--variant", metavar="VARIANT", help="Put the broken files of another variant in place.")
def start(name: str, variant: str | None) -> None:
    """Show the page and start the clock; with a variant, another cause behind the same symptom."""
    from drill_katas.practice.workspace import start as begin
    from drill_katas.report.text import judging

    workspace, kata = find(name)
    kept = begin(workspace, kata, variant)
    show_markdown(kata.briefing)
    if kept:
        click.echo(f"Your files were put aside in {short(kept, workspace)}.")
    files = " and ".join(short(kata.folder / file, workspace) for file in kata.manifest.editable)
    say(f"The clock is running: {kata.manifest.minutes} minutes. Mend {files}.")
    click.echo(f"Judge it with: {judging(name)}")


@command("hint", "kata hint fp_drift")
@click.argument("name")
def hint(name: str) -> None:
    """Show the next hint, one rung of the ladder at a time; it is noted in your journal."""
    from drill_katas.practice.hints import hints_of, next_hint

    workspace, kata = find(name)
    if workspace.progress_of(kata).solved_at:
        click.echo(f"{name} is solved: no hint is needed. `kata solution {name}` shows how we would have.")
        raise SystemExit(1)
    found = next_hint(workspace, kata)
    if found is None:
        hints = hints_of(kata)
        click.echo(f"You have seen all {len(hints)} hints of {name}:")
        for number, text in enumerate(hints, 1):
            say(f"{number}. {text}")
        raise SystemExit(1)
    say(f"Hint {found.number} of {len(found.hints)}: {found.text}")


@command("reset", "kata reset fp_drift")
@click.argument("name")
@click.option("--variant", metavar="VARIANT", help="Put the broken files of this variant in place.")
def reset(name: str, variant: str | None) -> None:
    """Put a kata's broken files back and start the clock anew; your version is kept, and where is said."""
    from drill_katas.practice.workspace import reset as put_back

    workspace, kata = find(name)
    kept = put_back(workspace, kata, variant)
    click.echo(f"{name} is broken again. Your version was put aside in {short(kept, workspace)}.")


@command("solution", "kata solution fp_drift")
@click.argument("name")
@click.option("--give-up", is_flag=True, help="Show it though the kata is not solved; noted in your journal.")
def solution(name: str, *, give_up: bool) -> None:
    """Show the reference solution of a kata you have solved."""
    from drill_katas.practice.journal import SolutionShown

    workspace, kata = find(name)
    solved = workspace.progress_of(kata).state == "solved"
    if not solved and not give_up:
        click.echo(f"{name} is not solved yet. `kata hint {name}` helps a little; --give-up shows the solution.")
        raise SystemExit(1)
    files = [kata.solutions / each for each in kata.manifest.editable]
    missing = [file for file in files if not file.is_file()]
    if missing:
        raise UserError(f"{name} comes without {missing[0].name} in {kata.solutions}")
    workspace.journal.append(SolutionShown(kata=name, gave_up=not solved))
    for file in files:
        click.echo(f"# {file}")
        click.echo(file.read_text(encoding="utf-8"))


@command("init", "kata init drills")
@click.argument("folder", default=".", type=click.Path(file_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Overwrite files that differ; each is put aside first.")
def init(folder: Path, *, force: bool) -> None:
    """Copy the katas into a folder to practise in; files you have changed stay as they are."""
    from drill_katas.practice.workspace import init as copy_out

    copied = copy_out(folder.absolute(), force=force)
    click.echo(f"{folder}: {len(copied.new)} files new, {len(copied.same)} already there")
    for file in copied.kept:
        click.echo(f"kept as it is, for it differs: {os.path.relpath(file)}")
    for file, aside in copied.overwritten.items():
        click.echo(f"overwritten: {os.path.relpath(file)}; yours is now {os.path.relpath(aside)}")
    if copied.kept:
        click.echo("`kata init --force` overwrites those too, and puts yours aside.")
    where = "" if folder == Path() else f"cd {folder} && "
    click.echo(f"Begin with: {where}kata start fp_drift")


def _suggest(choose: Callable[[Sequence[Due]], Due]) -> None:
    """Show what to practise, and how to begin with it."""
    from drill_katas.practice.journal import now
    from drill_katas.practice.schedule import due, upcoming

    workspace = workspace_here()
    katas, events = katas_of(workspace), workspace.journal.read().events
    found = due(katas, events, now())
    chosen = choose(found or upcoming(katas, events))
    if not found:
        soonest = upcoming(katas, events)[0]
        click.echo(f"All is solved, and nothing is due before {soonest.since:%Y-%m-%d}. If you have time now:")
    why = (
        "not solved yet" if chosen.since is None else f"due {'again since' if found else 'on'} {chosen.since:%Y-%m-%d}"
    )
    click.echo(f"{chosen.kata.name}: {chosen.kata.manifest.title} ({why})")
    variant = "" if chosen.variant == ORIGINAL else f" --variant {chosen.variant}"
    click.echo(f"Begin with: kata start {chosen.kata.name}{variant}")
