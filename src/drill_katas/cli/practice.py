"""Subcommands for practice: list, start, hints, progress, solution."""

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
    """List the katas of this workspace and your state in each."""
    from drill_katas.practice.progress import progress
    from drill_katas.report.catalog import list_lines

    workspace = workspace_here()
    history = workspace.journal.read()
    show(list_lines(katas_of(workspace), progress(history.events), width()))
    warn(history.notices)


@command("status", "kata status")
def status() -> None:
    """Show your progress: a bar for each level, then times, attempts, and hints for each kata."""
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
    """Suggest what to practice next: the first unsolved kata, or the kata that has been due the longest."""
    _suggest(lambda found: found[0])


@command("random", "kata random")
def random() -> None:
    """Suggest a random kata: one that is unsolved or due again."""
    import secrets

    _suggest(secrets.choice)


@command("history", "kata history fp_drift")
@click.argument("name", required=False)
def history(name: str | None) -> None:
    """Show the history of one kata, or of all: attempts, hints, diagnoses, and passed checks over time."""
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
@click.option("--variant", metavar="VARIANT", help="Variant whose broken files to put in place; default: no change.")
def start(name: str, variant: str | None) -> None:
    """Show the page and start the clock; a variant has another cause behind the same page."""
    from drill_katas.practice.workspace import start as begin
    from drill_katas.report.text import judging

    workspace, kata = find(name)
    moved_to = begin(workspace, kata, variant)
    show_markdown(kata.briefing)
    if moved_to:
        click.echo(f"Your files were moved to {short(moved_to, workspace)}.")
    files = " and ".join(short(kata.folder / file, workspace) for file in kata.manifest.editable)
    say(f"The clock is running: {kata.manifest.minutes} minutes. Fix {files}.")
    click.echo(f"Judge it with: {judging(name)}")
    if others := {ORIGINAL, *kata.manifest.variants} - {workspace.progress_of(kata).variant}:
        say(f"Other causes behind this page: --variant {' or '.join(sorted(others))}")


@command("hint", "kata hint fp_drift")
@click.argument("name")
def hint(name: str) -> None:
    """Show the next hint; the journal records it."""
    from drill_katas.practice.hints import hints_of, next_hint

    workspace, kata = find(name)
    if workspace.progress_of(kata).solved_at:
        say(f"{name} is solved, so it needs no hint. `kata solution {name}` shows the reference solution.")
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
@click.option("--variant", metavar="VARIANT", help="Variant whose broken files to restore; default: the current one.")
def reset(name: str, variant: str | None) -> None:
    """Restore a kata's broken files and restart the clock; your files are moved to a folder that is printed."""
    from drill_katas.practice.workspace import reset as restore

    workspace, kata = find(name)
    moved_to = restore(workspace, kata, variant)
    click.echo(f"{name} is broken again. Your files were moved to {short(moved_to, workspace)}.")


@command("solution", "kata solution fp_drift")
@click.argument("name")
@click.option("--give-up", is_flag=True, help="Show it for an unsolved kata, too; recorded in your journal.")
def solution(name: str, *, give_up: bool) -> None:
    """Show the reference solution of a solved kata."""
    from drill_katas.practice.journal import SolutionShown

    workspace, kata = find(name)
    solved = workspace.progress_of(kata).state == "solved"
    if not solved and not give_up:
        say(f"{name} is not solved yet. `kata hint {name}` shows a hint; --give-up shows the solution.")
        raise SystemExit(1)
    files = [kata.solutions / each for each in kata.manifest.editable]
    missing = [file for file in files if not file.is_file()]
    if missing:
        raise UserError(f"there is no reference solution of {name}: {missing[0].name} is missing in {kata.solutions}")
    workspace.journal.append(SolutionShown(kata=name, gave_up=not solved))
    for file in files:
        click.echo(f"# {file}")
        click.echo(file.read_text(encoding="utf-8"))


@command("init", "kata init drills")
@click.argument("folder", default=".", type=click.Path(file_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Overwrite changed files; each is first moved to `.kata/kept/`.")
def init(folder: Path, *, force: bool) -> None:
    """Copy the katas into a folder to practice in; files that you changed stay as they are."""
    from drill_katas.practice.workspace import init as copy_out

    copied = copy_out(folder.absolute(), force=force)
    click.echo(f"{folder}: {len(copied.new)} files new, {len(copied.same)} already there")
    for file in copied.changed:
        click.echo(f"changed, not overwritten: {os.path.relpath(file)}")
    for file, moved_to in copied.overwritten.items():
        click.echo(f"overwritten: {os.path.relpath(file)}; your file is now {os.path.relpath(moved_to)}")
    if copied.changed:
        click.echo("`kata init --force` overwrites these, too, and moves yours to `.kata/kept/`.")
    where = "" if folder == Path() else f"cd {folder} && "
    click.echo(f"Start with: {where}kata start fp_drift")


def _suggest(choose: Callable[[Sequence[Due]], Due]) -> None:
    """Print a kata to practice and the command that starts it."""
    from drill_katas.practice.journal import now
    from drill_katas.practice.schedule import due, upcoming

    workspace = workspace_here()
    katas, events = katas_of(workspace), workspace.journal.read().events
    found = due(katas, events, now())
    chosen = choose(found or upcoming(katas, events))
    if not found:
        soonest = upcoming(katas, events)[0]
        click.echo(f"Every kata is solved, and none is due before {soonest.since:%Y-%m-%d}. To practice now anyway:")
    why = (
        "not solved yet" if chosen.since is None else f"due {'again since' if found else 'on'} {chosen.since:%Y-%m-%d}"
    )
    click.echo(f"{chosen.kata.name}: {chosen.kata.manifest.title} ({why})")
    variant = "" if chosen.variant == ORIGINAL else f" --variant {chosen.variant}"
    click.echo(f"Start with: kata start {chosen.kata.name}{variant}")
