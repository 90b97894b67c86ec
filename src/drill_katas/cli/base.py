"""The `kata` command itself, and what its subcommands share.

A subcommand reads its options, calls a plain function and prints lines.
Exit codes: 0 done; 1 the answer is no (a certification that does not hold, nothing to show); 2 the command
was used wrongly, or something in the workspace stands in the way; 3 the judge or the machine failed, so that there is
no verdict.
"""

from __future__ import annotations

import functools
import math
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from drill_katas import __version__
from drill_katas.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from drill_katas.catalog.katas import Kata
    from drill_katas.investigation.case import Case
    from drill_katas.practice.workspace import Workspace
    from drill_katas.report.text import TextLine

as_json = click.option("--json", "as_json", is_flag=True, help="Write JSON, for other programs.")
EXIT_CODES = "Exit codes: 0 done, 1 the answer is no, 2 used wrongly or hindered, 3 not judged."


MINUTE: Final = 60.0  # seconds between two lines of progress in a log
REMOVED = "the folder that you are in was removed; go to another one, or `cd .` if it was made again"


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
                if _is_removed():
                    raise Hindered(REMOVED) from None
                raise Hindered(f"{error.filename or 'the output cannot be written'}: {error.strerror}") from None

        summary = (function.__doc__ or "").partition(".")[0].partition(";")[0].partition(":")[0]
        made: click.Command = main.command(name, short_help=summary, epilog=f"Example: {example}")(guarded)
        return made

    return decorate


@click.group(epilog=EXIT_CODES, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80})
@click.version_option(__version__)
def main() -> None:
    """Practise finding and fixing production failures.

    `pytest --kata NAME` runs a kata (`pytest --help` shows its options); this command does the rest.
    """


def workspace_here() -> Workspace:
    """Return the workspace that the current folder lies in."""
    from drill_katas.practice.workspace import find_workspace

    return find_workspace(Path.cwd())


def katas_of(workspace: Workspace) -> list[Kata]:
    """Return the katas of a workspace. Raises `UserError` when it has none."""
    katas = list(workspace.library)
    if not katas:
        raise UserError(f"there are no katas in {workspace.library.katas}; `kata init` puts them there")
    return katas


def find(name: str) -> tuple[Workspace, Kata]:
    """Return the workspace, and its kata of that name or an installed pack's. Raises `UserError`."""
    from drill_katas.catalog.katas import find, packs

    workspace = workspace_here()
    return workspace, find(name, [workspace.library, *packs()])


def open_case(name: str) -> Case:
    """Return the case of a kata in this workspace. Raises `UserError`."""
    from drill_katas.investigation.case import Case

    return Case(*find(name), progress=progress_bar)


def _is_removed() -> bool:
    try:
        Path.cwd()
    except FileNotFoundError:
        return True
    return False


def width() -> int:
    """Return the columns of the terminal."""
    return shutil.get_terminal_size().columns


def short(path: Path, workspace: Workspace) -> str:
    """Return a path as one would type it in the workspace."""
    from drill_katas.report.text import shown

    return shown(path, workspace.root)


def show(lines: Iterable[TextLine]) -> None:
    """Print styled lines."""
    from drill_katas.report.text import COLOURS, encodable

    text = "\n".join(
        "".join(click.style(span.text, **COLOURS[span.style]) if span.style else span.text for span in spans).rstrip()
        for spans in lines
    )
    if text:
        click.echo(encodable(text))


def say(text: str) -> None:
    """Print a text, wrapped at the terminal's width."""
    from drill_katas.report.text import wrapped

    show(wrapped(text, width(), ""))


def warn(notices: Iterable[str]) -> None:
    """Print what should be known beside the answer."""
    for notice in notices:
        click.echo(f"note: {notice}", err=True)


def show_json(value: Any) -> None:
    """Print a value as JSON, for other programs."""
    from drill_katas.files import indented_json

    click.echo(indented_json(value), nl=False)


def progress_bar(label: str) -> Callable[[float], None]:
    """Return what shows, on a terminal, which share of something long is done; 1 ends the line."""

    def tell(share: float) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r{label}: {share:4.0%}{'' if share < 1 else chr(10)}", nl=False, err=True)

    return tell


def counter(label: str) -> Callable[[int, int], None]:
    """Return what shows how many of something long are done, and when all will be.

    A terminal shows one line, which is always up to date; a log gets a line a minute.
    """
    began = shown = time.monotonic()

    def tell(done: int, of: int) -> None:
        nonlocal shown
        now = time.monotonic()
        left = (now - began) / done * (of - done) if done else math.nan
        ahead = f", {_clock(left)} to go" if 0 < done < of else ""
        line = f"{label}: {done:,} of {of:,}{ahead}"
        if sys.stderr.isatty() and of:
            click.echo(f"\r\x1b[K{line}{'' if done < of else chr(10)}", nl=False, err=True)
        elif now - shown >= MINUTE and ahead:
            shown = now
            click.echo(line, err=True)

    return tell


def _clock(seconds: float) -> str:
    """Say about how long that is."""
    minutes = round(seconds / 60)
    if minutes >= 100:  # noqa: PLR2004
        return f"about {minutes / 60:.0f} h"
    return f"about {minutes} min" if minutes >= 2 else f"about {seconds:.0f} s"  # noqa: PLR2004


def show_markdown(file: Path) -> None:
    """Print a Markdown file. Raises `UserError` when it is no text."""
    from rich.console import Console
    from rich.markdown import Markdown

    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{file} is no UTF-8 text ({error.reason} at byte {error.start})") from error
    Console(width=min(width(), 100)).print(Markdown(text))
