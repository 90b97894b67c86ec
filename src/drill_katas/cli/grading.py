"""The subcommands that grade what others have handed in, and that set up where that is done."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from drill_katas.cli.base import command, progress_bar, show, width
from drill_katas.errors import UserError

if TYPE_CHECKING:
    from drill_katas.catalog import Kata
    from drill_katas.grading.records import Book

FORMATS: Final = ("gradescope", "ctrf", "junit", "github", "csv", "html")  # those of grading.formats, not imported yet
TIERS: Final = ("strong", "reduced", "practice")


@command("grade", "kata grade submissions --json grades.json")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--kata", "name", metavar="NAME", help="Which kata they are for; by default their files tell.")
@click.option(
    "--json", "file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Write the grades."
)
@click.option("--format", "form", type=click.Choice(FORMATS), help="What to print, in place of lines to read.")
@click.option(
    "--jobs", type=click.IntRange(1), default=os.cpu_count() or 1, help="So many at once; default: one a core."
)
@click.option(
    "--seed-secret-env", "variable", metavar="VAR", help="The environment variable with what the seeds are made from."
)
@click.option("--require-tier", "tier", type=click.Choice(TIERS), help="Refuse to hold what is judged less well.")
def grade(
    paths: tuple[Path, ...],
    name: str | None,
    file: Path | None,
    form: str | None,
    jobs: int,
    variable: str | None,
    tier: str | None,
) -> None:
    """Judge fixes that were handed in, and grade them.

    PATH is a submission, a folder or an archive (.zip, .tar.gz), or a folder of them. Only a kata's editable files are
    taken from it. The katas are those that come with this tool and installed packs: what lies around is not trusted.

    With --format gradescope each PATH is one submission, whatever lies in it. With --format github the summary goes to
    the file that GITHUB_STEP_SUMMARY names, if it does.

    What is judged is held as in practice: that holds accidents, and is no wall against code that is written to escape.
    """
    import msgspec

    from drill_katas.grading.grader import grade_all
    from drill_katas.report.grading import grade_lines

    _expect(tier)
    if file is not None:
        file.open("ab").close()  # should it not be writable, better now than when all is graded
    katas = _katas(name)
    inputs = _inputs(paths, katas, form)
    bar = progress_bar("graded")
    grades = grade_all(inputs, katas, _secret(variable), jobs, lambda done, of: bar(done / of))
    if file is not None:
        file.write_bytes(msgspec.json.format(msgspec.json.encode(grades)) + b"\n")
    if form is None:
        show(grade_lines(grades, width()))
    else:
        _print(form, grades)


def _inputs(paths: tuple[Path, ...], katas: list[Kata], form: str | None) -> list[tuple[str, Path]]:
    from drill_katas.grading.submission import alone, find

    if form != "gradescope":
        return [each for path in paths for each in find(path, katas)]
    from drill_katas.grading.formats.gradescope import expect_one

    expect_one(len(paths))
    return list(map(alone, paths))


def _print(form: str, grades: Book) -> None:
    """Print the document, in UTF-8 whatever the terminal has, for it is for other programs."""
    from drill_katas.grading import formats

    for piece in formats.FORMATS[form](grades):
        sys.stdout.buffer.write(piece.encode())
    sys.stdout.buffer.flush()


def _expect(tier: str | None) -> None:
    """Raise `UserError` when what is judged would be held less well than at that tier."""
    from drill_katas.grading.grader import TIER

    if tier is not None and TIERS.index(TIER) > TIERS.index(tier):
        raise UserError(f"what is judged would be held at the tier {TIER}, and --require-tier asks for {tier}")


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
