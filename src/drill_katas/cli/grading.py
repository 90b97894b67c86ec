"""The subcommand that grades what others have handed in."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from drill_katas.cli.base import command, progress_bar, show, width
from drill_katas.errors import UserError

if TYPE_CHECKING:
    from drill_katas.catalog import Kata


@command("grade", "kata grade submissions --json grades.json")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--kata", "name", metavar="NAME", help="Which kata they are for; by default their files tell.")
@click.option(
    "--json", "file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Write the grades."
)
@click.option(
    "--jobs", type=click.IntRange(1), default=os.cpu_count() or 1, help="So many at once; default: one a core."
)
@click.option(
    "--seed-secret-env", "variable", metavar="VAR", help="The environment variable with what the seeds are made from."
)
def grade(paths: tuple[Path, ...], name: str | None, file: Path | None, jobs: int, variable: str | None) -> None:
    """Judge fixes that were handed in, and grade them.

    PATH is a submission, a folder or an archive (.zip, .tar.gz), or a folder of them. Only a kata's editable files are
    taken from it. The katas are those that come with this tool and installed packs: what lies around is not trusted.

    What is judged is held as in practice: that holds accidents, and is no wall against code that is written to escape.
    """
    import msgspec

    from drill_katas.grading.grader import grade_all
    from drill_katas.grading.submission import find
    from drill_katas.report.grading import grade_lines

    if file is not None:
        file.open("ab").close()  # should it not be writable, better now than when all is graded
    katas = _katas(name)
    inputs = [each for path in paths for each in find(path, katas)]
    bar = progress_bar("graded")
    grades = grade_all(inputs, katas, _secret(variable), jobs, lambda done, of: bar(done / of))
    if file is not None:
        file.write_bytes(msgspec.json.format(msgspec.json.encode(grades)) + b"\n")
    show(grade_lines(grades, width()))


def _katas(name: str | None) -> list[Kata]:
    from drill_katas.catalog import find, packs, shipped

    libraries = [shipped(), *packs()]
    return [kata for library in libraries for kata in library] if name is None else [find(name, libraries)]


def _secret(variable: str | None) -> bytes:
    if variable is None:
        return b""
    secret = os.environ.get(variable)
    if not secret:
        raise UserError(f"--seed-secret-env {variable}: that environment variable is not set, or empty")
    return secret.encode()
