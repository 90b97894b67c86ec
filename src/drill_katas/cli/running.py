"""Subcommands that judge the learner's files: once, or on every save."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from drill_katas.cli.base import command, find
from drill_katas.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from drill_katas.batch.judge_client import WarmJudge
    from drill_katas.catalog.katas import Kata

WITH_PATH: Final = ("--kata-from", "--kata-path", "--kata-report")


@command("run", "kata run fp_drift -- -x")
@click.argument("name")
@click.argument("options", nargs=-1, type=click.UNPROCESSED, metavar="[-- PYTEST_OPTIONS]")
def run(name: str, options: tuple[str, ...]) -> None:
    """Judge a kata: run `pytest --kata NAME` with the pytest of this installation.

    NAME is a value of --kata. Options of pytest follow after --. Output and exit code are pytest's.
    """
    Path.cwd()  # raises if the folder was removed; pytest would print a traceback
    sys.stdout.flush()
    options = tuple(_with_equals_signs(options))
    # -P keeps the learner's folder off the judge's import path, as the command `pytest` does
    os.execv(sys.executable, [sys.executable, "-P", "-m", "pytest", "--kata", name, *options])  # noqa: S606


run.context_settings["ignore_unknown_options"] = True  # so that `kata run fp_drift -x` passes -x to pytest


def _with_equals_signs(options: Sequence[str]) -> Iterator[str]:
    """Yield the options with `--kata-from DIR` joined to `--kata-from=DIR`.

    pytest takes a separate DIR for a test path and loads the settings in it before a plugin can refuse them.
    """
    rest = iter(options)
    for option in rest:
        value = next(rest, None) if option in WITH_PATH else None
        yield option if value is None else f"{option}={value}"


@command("watch", "kata watch fp_drift")
@click.argument("name")
def watch(name: str) -> None:
    """Judge a kata now and after every save; Ctrl-C ends it.

    At a terminal, the last row shows the keys: h hint, n next, l list, i incident, Enter judge again, q quit.
    """
    from drill_katas.batch.judge_client import JudgeConfig, JudgeEnded, WarmJudge
    from drill_katas.practice.terminal import is_interactive
    from drill_katas.practice.watch import OPTIONS

    workspace, kata = find(name)
    click.echo(f"starting a judge of {name} ...")
    with WarmJudge(JudgeConfig(kata=name, options=OPTIONS, shown=True)) as judge:
        try:
            if is_interactive():
                from drill_katas.cli.watching import Watching

                Watching(workspace, kata, judge).go_on()
                click.echo("watching ended")
            else:
                _judge_saves(kata, judge)
        except KeyboardInterrupt:
            click.echo("\nwatching ended")
        except JudgeEnded:
            raise UserError("the judge process ended; start it again with `kata watch`") from None


def _judge_saves(kata: Kata, judge: WarmJudge) -> None:
    """Judge now and after every save. Raises `KeyboardInterrupt` or `JudgeEnded` at the end."""
    from drill_katas.batch.judge_client import JudgeRequest
    from drill_katas.practice.watch import saves

    for saved in saves(kata):
        if saved:
            click.echo(f"\n{', '.join(sorted(saved))} saved")
        judge.judge(JudgeRequest())
        if not saved:
            files = ", ".join(kata.manifest.editable)
            click.echo(f"watching {files} (a save is not an attempt); Ctrl-C ends it")
