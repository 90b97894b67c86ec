"""Subcommands for practice: list, start, hints, progress."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from drill_katas.cli.base import command, find, katas_of, say, short, show, show_markdown, warn, width, workspace_here
from drill_katas.errors import UserError
from drill_katas.practice.attempts import RULE

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from drill_katas.catalog.katas import Kata
    from drill_katas.practice.schedule import Due
    from drill_katas.practice.workspace import Workspace

LEGEND: Final = """★ mastered: every variant is solved
✓ solved: at least one variant is solved
… in progress
· untouched"""


@command("list", "kata list fp_drift")
@click.argument("name", required=False)
def list_(name: str | None) -> None:
    """List the katas of this workspace and your state in each; with NAME, the variants of one kata."""
    from drill_katas.practice.journal import now
    from drill_katas.report.catalog import variant_lines

    if name is None:
        show_list(workspace_here())
        return
    workspace, kata = find(name)
    show(variant_lines(kata, workspace.standing_of(kata), width(), now()))
    warn(workspace.journal.read().notices)


list_.help = f"{list_.help}\n\n\b\n{LEGEND}"


def show_list(workspace: Workspace) -> None:
    """Print the katas of a workspace and the learner's state in each."""
    from drill_katas.practice.progress import standings
    from drill_katas.report.catalog import list_lines

    history = workspace.journal.read()
    show(list_lines(katas_of(workspace), standings(history.events), width()))
    warn(history.notices)


@command("status", "kata status")
def status() -> None:
    """Show your progress: solved variants of each level, times, attempts, and hints, and what to practice next."""
    from drill_katas.practice.journal import now
    from drill_katas.practice.progress import standings
    from drill_katas.practice.schedule import upcoming
    from drill_katas.report.catalog import next_lines, status_lines

    workspace = workspace_here()
    katas, history = katas_of(workspace), workspace.journal.read()
    show(status_lines(katas, standings(history.events), width(), now()))
    show(next_lines(upcoming(katas, history.events)[0], width(), now()))
    warn(history.notices)


status.help = "\n\n".join([f"{status.help}", *(f"\b\n{paragraph}" for paragraph in RULE.split("\n\n"))])


@command("next", "kata next")
def next_() -> None:
    """Suggest what to practice next: the first unsolved kata, or the kata that has been due the longest.

    Of a kata's variants, it prefers one with a cause that you have not met.
    """
    suggest(workspace_here(), lambda found: found[0])


@command("random", "kata random")
def random() -> None:
    """Suggest a random kata: one that is unsolved or due again."""
    import secrets

    suggest(workspace_here(), secrets.choice)


def suggest(workspace: Workspace, choose: Callable[[Sequence[Due]], Due]) -> None:
    """Print a kata to practice and the command that starts it."""
    from drill_katas.practice.journal import now
    from drill_katas.practice.schedule import upcoming
    from drill_katas.report.catalog import suggestion_lines

    at = now()
    found = upcoming(katas_of(workspace), workspace.journal.read().events)
    chosen = choose([each for each in found if each.is_due(at)] or found)
    show(suggestion_lines(chosen, found[0], width(), at))


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
@click.option("--rotate", is_flag=True, help="Choose the variant by participant and date, so that neighbors differ.")
@click.option("--as", "participant", metavar="NAME", help="Participant for --rotate; default: your login name.")
def start(name: str, variant: str | None, participant: str | None, *, rotate: bool) -> None:
    """Show the page and start the clock; a variant has another cause behind the same page.

    The name `level:N` starts the kata and variant of level N that you should practice next.
    """
    from drill_katas.practice.workspace import start as begin
    from drill_katas.report.text import judging

    workspace, kata, variant = _chosen(name, variant)
    if rotate or participant is not None:
        variant = _rotated(kata, variant, participant, rotate=rotate)
    moved_to = begin(workspace, kata, variant)
    show_markdown(kata.briefing)
    if moved_to:
        click.echo(f"Your files were moved to {short(moved_to, workspace)}.")
    if rotate:
        say(f"Your variant today is {variant}.")
    files = " and ".join(short(kata.folder / file, workspace) for file in kata.manifest.editable)
    say(f"The clock is running: {kata.manifest.minutes} minutes. Fix {files}.")
    if kata.has_incident:
        click.echo(f"Investigate with: kata incident {kata.name}")
    click.echo(f"Judge it with: {judging(kata.name)}")
    others = sorted(set(kata.variants) - {workspace.progress_of(kata).variant})
    if others and not rotate:
        say(f"Other causes behind this page: --variant {' or '.join(others)}")


def _chosen(name: str, variant: str | None) -> tuple[Workspace, Kata, str | None]:
    """Return the workspace, the kata, and the variant for `kata start`; None keeps the variant. Raises `UserError`."""
    if not name.startswith("level:"):
        return *find(name), variant
    from drill_katas.practice.schedule import upcoming
    from drill_katas.practice.selection import select

    workspace = workspace_here()
    events = workspace.journal.read().events
    due = upcoming(select(name, [workspace.library], events), events)[0]
    return workspace, due.kata, variant or (None if due.in_place else due.variant)


def _rotated(kata: Kata, variant: str | None, participant: str | None, *, rotate: bool) -> str:
    """Return the variant for today. Raises `UserError` for options that do not fit together."""
    import getpass
    from datetime import datetime

    from drill_katas.practice.causes import rotated

    if not rotate:
        raise UserError("--as needs --rotate; only the rotation depends on the participant")
    if variant is not None:
        raise UserError("--variant and --rotate both choose the variant; use one of them")
    try:
        participant = getpass.getuser() if participant is None else participant
    except (OSError, KeyError):
        raise UserError("--rotate cannot find your login name; add --as NAME") from None
    if not participant.strip():
        raise UserError("--as is empty; it needs the name of the participant")
    return rotated(kata, participant, datetime.now().astimezone().date())


@command("hint", "kata hint fp_drift")
@click.argument("name")
def hint(name: str) -> None:
    """Show the next hint of this round; the journal records it."""
    workspace, kata = find(name)
    if not show_hint(workspace, kata):
        raise SystemExit(1)


def show_hint(workspace: Workspace, kata: Kata) -> bool:
    """Print the next hint; without one, print the reason and return False."""
    from drill_katas.practice.hints import hints_of, next_hint

    name = kata.name
    if workspace.progress_of(kata).solved_at:
        say(f"{name} is solved, so it needs no hint. `kata solution {name}` explains it.")
        return False
    found = next_hint(workspace, kata)
    if found is None:
        hints = hints_of(kata)
        click.echo(f"You have seen all {len(hints)} hints of {name}:")
        for number, text in enumerate(hints, 1):
            say(f"{number}. {text}")
        return False
    say(f"Hint {found.number} of {len(found.hints)}: {found.text}")
    return True


@command("reset", "kata reset fp_drift")
@click.argument("name")
@click.option("--variant", metavar="VARIANT", help="Variant whose broken files to restore; default: the current one.")
def reset(name: str, variant: str | None) -> None:
    """Restore a kata's broken files and restart the clock; your files are moved to a folder that is printed."""
    from drill_katas.practice.workspace import reset as restore

    workspace, kata = find(name)
    moved_to = restore(workspace, kata, variant)
    click.echo(f"{name} is broken again. Your files were moved to {short(moved_to, workspace)}.")


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
