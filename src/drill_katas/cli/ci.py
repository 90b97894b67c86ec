"""The subcommand that sets up grading where pull requests and submissions arrive."""

from __future__ import annotations

from pathlib import Path

import click

from drill_katas.cli.base import command


@command("ci", "kata ci gradescope autograder")
@click.argument("service", type=click.Choice(["github", "gitlab", "gradescope"]))
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(file_okay=False, path_type=Path))
def ci(service: str, folder: Path) -> None:
    """Write what grades submissions on GitHub, GitLab or Gradescope; it never overwrites a file.

    The files are written into DIR, by default the current folder: for GitHub a workflow that uses the action of this
    repository, for GitLab a job, for Gradescope setup.sh, run_autograder, and autograder.zip with both.
    """
    from drill_katas.grading.setups import SETUPS, write

    for file in write(service, folder):
        click.echo(file)
    click.echo(SETUPS[service].next_step)
