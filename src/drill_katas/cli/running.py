"""Subcommands that judge the learner's files: once, and on every save."""

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

WITH_PATH: Final = ("--kata-from", "--kata-path", "--kata-report")


@command("run", "kata run fp_drift -- -x")
@click.argument("name")
@click.argument("options", nargs=-1, type=click.UNPROCESSED, metavar="[-- PYTEST_OPTIONS]")
def run(name: str, options: tuple[str, ...]) -> None:
    """Judge a kata: `pytest --kata NAME`, with the pytest that this command is installed with.

    NAME is what --kata takes; options of pytest follow after --. Output and exit code are pytest's.
    """
    Path.cwd()  # pytest meets a folder that was removed with a traceback
    sys.stdout.flush()
    options = tuple(_with_equals_signs(options))
    # -P keeps the learner's folder off the judge's path, as it is for the command `pytest`
    os.execv(sys.executable, [sys.executable, "-P", "-m", "pytest", "--kata", name, *options])  # noqa: S606


run.context_settings["ignore_unknown_options"] = True  # `kata run fp_drift -x` can only mean pytest's -x


def _with_equals_signs(options: Sequence[str]) -> Iterator[str]:
    """Write `--kata-from DIR` as `--kata-from=DIR`.

    pytest takes the DIR of the former for a test path, and loads the settings in it before any plugin can refuse.
    """
    rest = iter(options)
    for option in rest:
        value = next(rest, None) if option in WITH_PATH else None
        yield option if value is None else f"{option}={value}"


@command("watch", "kata watch fp_drift")
@click.argument("name")
def watch(name: str) -> None:
    """Judge a kata now, and again whenever you save one of its files; Ctrl-C ends it."""
    from drill_katas.batch.judge_client import JudgeConfig, JudgeEnded, JudgeRequest, WarmJudge
    from drill_katas.practice.watch import OPTIONS, saves

    _, kata = find(name)
    click.echo(f"getting a judge of {name} ready ...")
    with WarmJudge(JudgeConfig(kata=name, options=OPTIONS, shown=True)) as judge:
        try:
            for saved in saves(kata):
                if saved:
                    click.echo(f"\n{', '.join(sorted(saved))} saved")
                judge.judge(JudgeRequest())
                if not saved:
                    click.echo(f"watching {', '.join(kata.manifest.editable)} (a save is no attempt); Ctrl-C ends it")
        except KeyboardInterrupt:
            click.echo("\nno longer watching")
        except JudgeEnded:
            raise UserError("the judge has ended; begin anew with `kata watch`") from None
