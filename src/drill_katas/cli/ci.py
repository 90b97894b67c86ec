"""The subcommand that sets up grading on GitHub, GitLab, and Gradescope."""

from __future__ import annotations

from pathlib import Path

import click

from drill_katas.cli.base import command


@command("ci", "kata ci gradescope autograder")
@click.argument("service", type=click.Choice(["github", "gitlab", "gradescope"]))
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(file_okay=False, path_type=Path))
def ci(service: str, folder: Path) -> None:
    """Write the files that grade submissions on GitHub, GitLab, or Gradescope; existing files are never overwritten.

    DIR is the folder for the files, by default the current folder. `github` writes a workflow that uses the action of
    this repository, `gitlab` writes a job, and `gradescope` writes setup.sh, run_autograder, and autograder.zip with
    both.
    """
    from drill_katas.grading.setups import SETUPS, write

    for file in write(service, folder):
        click.echo(file)
    click.echo(SETUPS[service].next_step)
