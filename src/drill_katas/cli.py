"""The `kata` command. Each subcommand reads its options, calls a plain function and prints lines.

Exit codes: 0 done; 1 the answer is no (a certification that does not hold, nothing to show); 2 the command
was used wrongly, or something in the workspace stands in the way.
"""

from __future__ import annotations

import functools
import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from drill_katas.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from drill_katas.catalog import Contract, Kata
    from drill_katas.report.text import Line
    from drill_katas.workspace import Workspace

JOBS = 2 * (os.cpu_count() or 1)  # runs wait for time-outs half of their time
EXIT_CODES = "Exit codes: 0 done, 1 the answer is no, 2 used wrongly or hindered."


class Hindered(click.ClickException):
    """The command cannot be carried out; the message says why and what to do."""

    exit_code = 2


def command(name: str, example: str) -> Callable[[Callable[..., Any]], click.Command]:
    """Make a subcommand whose help ends with an example, and whose mistakes are told in a sentence."""

    def decorate(function: Callable[..., Any]) -> click.Command:
        @functools.wraps(function)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            try:
                return function(*args, **kwargs)
            except UserError as mistake:
                raise Hindered(str(mistake)) from None
            except BrokenPipeError:  # `kata list | head`; click ends quietly
                raise
            except OSError as error:
                raise Hindered(f"{error.filename or 'the output cannot be written'}: {error.strerror}") from None

        summary = (function.__doc__ or "").partition(".")[0].partition(";")[0].partition(":")[0]
        made: click.Command = main.command(name, short_help=summary, epilog=f"Example: {example}")(guarded)
        return made

    return decorate


@click.group(epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80})
@click.version_option(package_name="drill-katas")
def main() -> None:
    """Practise finding and fixing production failures.

    `pytest --kata NAME` runs a kata (`pytest --help` shows its options); this command does the rest.
    """


@command("list", "kata list")
def list_() -> None:
    """List the katas of this workspace and how they stand."""
    from drill_katas.progress import progress
    from drill_katas.report.catalog import list_lines

    workspace = _workspace()
    history = workspace.journal.read()
    _show(list_lines(_katas(workspace), progress(history.events), _width()))
    _warn(history.notices)


@command("status", "kata status")
def status() -> None:
    """Show your progress: a bar for each level, then times, attempts and hints of each kata."""
    from drill_katas.progress import progress
    from drill_katas.report.catalog import status_lines

    workspace = _workspace()
    history = workspace.journal.read()
    _show(status_lines(_katas(workspace), progress(history.events), _width()))
    _warn(history.notices)


@command("start", "kata start fp_drift --variant harbour")
@click.argument("name")
@click.option("--variant", metavar="VARIANT", help="Put the broken files of another variant in place.")
def start(name: str, variant: str | None) -> None:
    """Show the page and start the clock; with a variant, another cause behind the same symptom."""
    from drill_katas.workspace import start as begin

    workspace, kata = _find(name)
    kept = begin(workspace, kata, variant)
    _show_markdown(kata.briefing)
    if kept:
        click.echo(f"Your files were put aside in {_short(kept, workspace)}.")
    files = " and ".join(_short(kata.folder / file, workspace) for file in kata.manifest.editable)
    click.echo(f"The clock is running: {kata.manifest.minutes} minutes. Mend {files}.")
    click.echo(f"Judge it with: pytest --kata {name}")


@command("hint", "kata hint fp_drift")
@click.argument("name")
def hint(name: str) -> None:
    """Show the next hint, one rung of the ladder at a time; it is noted in your journal."""
    from drill_katas.answer import read_answer
    from drill_katas.journal import Hinted

    workspace, kata = _find(name)
    hints = read_answer(kata.solutions).hints
    standing = workspace.progress_of(kata)
    seen = standing.hints
    if standing.solved_at:
        click.echo(f"{name} is solved: no hint is needed. `kata solution {name}` shows how we would have.")
        raise SystemExit(1)
    if seen >= len(hints):
        click.echo(f"You have seen all {len(hints)} hints of {name}:")
        for number, text in enumerate(hints, 1):
            click.echo(f"{number}. {text.strip()}")
        raise SystemExit(1)
    workspace.journal.append(Hinted(kata=name, rung=seen + 1))
    click.echo(f"Hint {seen + 1} of {len(hints)}: {hints[seen].strip()}")


@command("reset", "kata reset fp_drift")
@click.argument("name")
@click.option("--variant", metavar="VARIANT", help="Put the broken files of this variant in place.")
def reset(name: str, variant: str | None) -> None:
    """Put a kata's broken files back and start the clock anew; your version is kept, and where is said."""
    from drill_katas.workspace import reset as put_back

    workspace, kata = _find(name)
    kept = put_back(workspace, kata, variant)
    click.echo(f"{name} is broken again. Your version was put aside in {_short(kept, workspace)}.")


@command("solution", "kata solution fp_drift")
@click.argument("name")
@click.option("--give-up", is_flag=True, help="Show it though the kata is not solved; noted in your journal.")
def solution(name: str, *, give_up: bool) -> None:
    """Show the reference solution of a kata you have solved."""
    from drill_katas.journal import SolutionShown

    workspace, kata = _find(name)
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
    from drill_katas.workspace import init as copy_out

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


@command("verify", "kata verify fp_drift --json matrix.json")
@click.argument("names", nargs=-1)
@click.option("--seeds", default=3, show_default=True, type=click.IntRange(1), help="Seeds to judge each arm with.")
@click.option(
    "--repeat", default=1, type=click.IntRange(1), help="Judge so many times with each seed; count the flips."
)
@click.option("--load", default=0, type=click.IntRange(0), help="Keep so many other processes busy meanwhile.")
@click.option("--jobs", default=JOBS, type=click.IntRange(1), help="Runs at once; default: two a core.")
@click.option("--derive", is_flag=True, help="Write thresholds.toml anew from what the arms measure.")
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the matrices there.")
def verify(names: tuple[str, ...], json_file: Path | None, seeds: int, **plan: Any) -> None:
    """Prove katas against their arms: broken ones fail, right ones pass, near misses fail as declared."""
    from drill_katas.certify import Plan, certify
    from drill_katas.report.matrix import matrix_lines

    certificates = []
    for kata in _to_verify(names):
        certificate = certify(kata, Plan(range(seeds), **plan), functools.partial(_tell_progress, kata.name))
        certificates.append(certificate)
        _show(matrix_lines(certificate, _width()))
        if json_file:
            _write_json(json_file, certificates)
    if not all(certificate.holds for certificate in certificates):
        raise SystemExit(1)


@command("new", "kata new slow_queue --contract http")
@click.argument("name")
@click.option("--contract", type=click.Choice(["calls", "http"]), default="calls", help="How its checks ask.")
def new(name: str, contract: Contract) -> None:
    """Scaffold a kata in this workspace: it runs at once, and `kata verify` says what is still missing."""
    from drill_katas.scaffold import scaffold

    workspace = _workspace()
    for file in scaffold(workspace.root, name, contract):
        click.echo(_short(file, workspace))
    click.echo(f"Run it with: pytest --kata {name}. Prove it with: kata verify {name}")


def _workspace() -> Workspace:
    from drill_katas.workspace import find_workspace

    return find_workspace(Path.cwd())


def _katas(workspace: Workspace) -> list[Kata]:
    katas = list(workspace.library)
    if not katas:
        raise UserError(f"there are no katas in {workspace.library.katas}; `kata init` puts them there")
    return katas


def _find(name: str) -> tuple[Workspace, Kata]:
    from drill_katas.catalog import find, packs

    workspace = _workspace()
    return workspace, find(name, [workspace.library, *packs()])


def _to_verify(names: tuple[str, ...]) -> list[Kata]:
    """Return the katas as they were shipped where there are such, for a learner's copies are not what is proven."""
    from drill_katas.catalog import find, packs, shipped

    libraries = [shipped(), _workspace().library, *packs()]
    wanted = names or shipped().names()
    return [find(name, libraries) for name in wanted]


def _width() -> int:
    return shutil.get_terminal_size().columns


def _short(path: Path, workspace: Workspace) -> str:
    from drill_katas.report.text import shown

    return shown(path, workspace.root)


def _show(lines: Iterable[Line]) -> None:
    from drill_katas.report.text import COLOURS, encodable

    text = "\n".join(
        "".join(click.style(span.text, **COLOURS[span.style]) if span.style else span.text for span in spans).rstrip()
        for spans in lines
    )
    if text:
        click.echo(encodable(text))


def _warn(notices: Iterable[str]) -> None:
    for notice in notices:
        click.echo(f"note: {notice}", err=True)


def _show_markdown(file: Path) -> None:
    from rich.console import Console
    from rich.markdown import Markdown

    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{file} is no UTF-8 text ({error.reason} at byte {error.start})") from error
    Console(width=min(_width(), 100)).print(Markdown(text))


def _tell_progress(name: str, done: int, of: int) -> None:
    if sys.stderr.isatty():
        click.echo(f"\r{name}: {done} of {of} runs{'' if done < of else chr(10)}", nl=False, err=True)


def _write_json(file: Path, certificates: list[Any]) -> None:
    import msgspec

    try:
        file.write_bytes(msgspec.json.format(msgspec.json.encode(certificates)) + b"\n")
    except OSError as error:
        raise UserError(f"cannot write {file} ({error.strerror})") from error
