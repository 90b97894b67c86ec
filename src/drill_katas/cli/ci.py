"""The subcommand that sets up grading, or the guardrails of a team, on GitHub, GitLab, and Gradescope."""

from __future__ import annotations

from pathlib import Path

import click

from drill_katas.cli.base import command


@command("ci", "kata ci gradescope autograder")
@click.argument("service", type=click.Choice(["github", "gitlab", "gradescope"]))
@click.argument("folder", metavar="[DIR]", default=".", type=click.Path(file_okay=False, path_type=Path))
@click.option("--guardrails", is_flag=True, help="The job that runs `kata spec --check`, in place of grading.")
def ci(service: str, folder: Path, *, guardrails: bool) -> None:
    """Write the files that grade submissions on GitHub, GitLab, or Gradescope; existing files are never overwritten.

    DIR is the folder for the files, by default the current folder. `github` writes a workflow that uses the action of
    this repository, `gitlab` writes a job, and `gradescope` writes setup.sh, run_autograder, and autograder.zip with
    both.

    With --guardrails, `github` and `gitlab` get a job for your own team instead: it checks SPEC.md and runs the
    guardrails in every pull request.
    """
    from drill_katas.grading.setups import SETUPS, guardrails_setup, write

    setup = guardrails_setup(service) if guardrails else SETUPS[service]
    for file in write(setup, folder):
        click.echo(file)
    click.echo(setup.next_step)
