"""Progress of long commands on stderr: a bar on a terminal, one line per minute in a log."""

from __future__ import annotations

import contextlib
import sys
import time
from typing import TYPE_CHECKING, Final

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MINUTE: Final = 60.0  # seconds between two lines in a log


@contextlib.contextmanager
def counted(label: str) -> Iterator[Callable[[int, int], None]]:
    """Yield a function that shows how many items are done, and an estimate of the remaining time."""
    if not sys.stderr.isatty():
        yield log_lines(label)
        return
    with _bar(label) as advance:
        yield lambda done, of: advance(done, of, f"{done:,} of {of:,}")


@contextlib.contextmanager
def share_done(label: str) -> Iterator[Callable[[float], None]]:
    """Yield a function that shows a completed share, from 0 to 1; a log gets nothing."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    with _bar(label) as advance:
        yield lambda share: advance(share, 1, f"{share:.0%}")


def log_lines(label: str) -> Callable[[int, int], None]:
    """Return a function that prints at most one line per minute: how many items are done, and the remaining time."""
    began = shown = time.monotonic()

    def report_progress(done: int, of: int) -> None:
        nonlocal shown
        now = time.monotonic()
        if 0 < done < of and now - shown >= MINUTE:
            shown = now
            click.echo(f"{label}: {done:,} of {of:,}, {_rough((now - began) / done * (of - done))} to go", err=True)

    return report_progress


@contextlib.contextmanager
def _bar(label: str) -> Iterator[Callable[[float, float, str], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[count]}"), TimeRemainingColumn())
    # no refresh by itself, because a thread that draws would take time from the judge in this process
    with Progress(*columns, console=Console(stderr=True), auto_refresh=False) as progress:
        task = progress.add_task(label, total=None, count="")

        def advance(done: float, of: float, count: str) -> None:
            progress.update(task, completed=done, total=of, count=count, refresh=True)

        yield advance


def _rough(seconds: float) -> str:
    """Return a rough duration: "about 5 min"."""
    minutes = round(seconds / 60)
    if minutes >= 100:  # noqa: PLR2004
        return f"about {minutes / 60:.0f} h"
    return f"about {minutes} min" if minutes >= 2 else f"about {seconds:.0f} s"  # noqa: PLR2004
