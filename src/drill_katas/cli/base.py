"""The `kata` command group, and helpers that its subcommands share.

A subcommand reads its options, calls a plain function, and prints lines.

| exit code | meaning |
| --- | --- |
| 0 | success |
| 1 | negative result: a failed certification, a wrong diagnosis, nothing to show |
| 2 | usage or environment error |
| 3 | not judged: the judge or the machine failed |
"""

from __future__ import annotations

import functools
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from drill_katas import __version__
from drill_katas.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from drill_katas.catalog.katas import Kata
    from drill_katas.investigation.case import Case
    from drill_katas.practice.workspace import Workspace
    from drill_katas.report.text import TextLine

as_json = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
EXIT_CODES = "Exit codes: 0 success, 1 negative result, 2 usage or environment error, 3 not judged."


REMOVED = "the current folder was removed; go to another folder, or run `cd .` if it exists again"


class CommandFailed(click.ClickException):
    """The command cannot run; the message gives the reason and the next step."""

    exit_code = 2


def command(name: str, example: str) -> Callable[[Callable[..., Any]], click.Command]:
    """Return a decorator that makes a subcommand: its help ends with an example, its errors are one sentence."""

    def decorate(function: Callable[..., Any]) -> click.Command:
        @functools.wraps(function)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            try:
                return function(*args, **kwargs)
            except UserError as mistake:
                raise CommandFailed(str(mistake)) from None
            except BrokenPipeError:  # `kata list | head`; click ends quietly
                raise
            except OSError as error:
                if _is_removed():
                    raise CommandFailed(REMOVED) from None
                raise CommandFailed(f"{error.filename or 'the output cannot be written'}: {error.strerror}") from None

        summary = (function.__doc__ or "").partition(".")[0].partition(";")[0].partition(":")[0]
        made: click.Command = main.command(name, short_help=summary, epilog=f"Example: {example}")(guarded)
        return made

    return decorate


@click.group(epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80})
@click.version_option(__version__)
def main() -> None:
    """Practice finding and fixing production failures.

    `pytest --kata NAME` runs a kata (`pytest --help` lists its options). This command does everything else.
    """


def workspace_here() -> Workspace:
    """Return the workspace that contains the current folder."""
    from drill_katas.practice.workspace import find_workspace

    return find_workspace(Path.cwd())


def katas_of(workspace: Workspace) -> list[Kata]:
    """Return the katas of a workspace. Raises `UserError` if it has none."""
    katas = list(workspace.library)
    if not katas:
        raise UserError(f"there are no katas in {workspace.library.katas}; `kata init` copies them there")
    return katas


def find(name: str) -> tuple[Workspace, Kata]:
    """Return the workspace and the kata of that name, from the workspace or an installed pack. Raises `UserError`."""
    from drill_katas.catalog.katas import find, packs

    workspace = workspace_here()
    return workspace, find(name, [workspace.library, *packs()])


def open_case(name: str) -> Case:
    """Return the case of a kata in this workspace. Raises `UserError`."""
    from drill_katas.cli.progress import share_done
    from drill_katas.investigation.case import Case

    return Case(*find(name), progress=share_done)


def _is_removed() -> bool:
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False


def width() -> int:
    """Return the width of the terminal in columns."""
    return shutil.get_terminal_size().columns


def short(path: Path, workspace: Workspace) -> str:
    """Return a path relative to the workspace, if it is inside."""
    from drill_katas.report.text import shown

    return shown(path, workspace.root)


def show(lines: Iterable[TextLine]) -> None:
    """Print styled lines."""
    from drill_katas.report.text import COLORS, encodable

    text = "\n".join(
        "".join(click.style(span.text, **COLORS[span.style]) if span.style else span.text for span in spans).rstrip()
        for spans in lines
    )
    if text:
        click.echo(encodable(text))


def say(text: str) -> None:
    """Print a text, wrapped at the width of the terminal."""
    from drill_katas.report.text import wrapped

    show(wrapped(text, width(), ""))


def warn(notices: Iterable[str]) -> None:
    """Print notices on stderr."""
    for notice in notices:
        click.echo(f"note: {notice}", err=True)


def show_json(value: Any) -> None:
    """Print a value as JSON."""
    from drill_katas.files import indented_json

    click.echo(indented_json(value), nl=False)


def show_markdown(file: Path) -> None:
    """Print a Markdown file. Raises `UserError` if it is not UTF-8."""
    from rich.console import Console
    from rich.markdown import Markdown

    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{file} is not UTF-8 text ({error.reason} at byte {error.start})") from error
    Console(width=min(width(), 100)).print(Markdown(text))
