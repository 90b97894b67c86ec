"""`kata grade`: judge submissions and print their grades."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from drill_katas.cli.base import command, show, warn, width
from drill_katas.cli.progress import counted
from drill_katas.errors import UserError

if TYPE_CHECKING:
    from drill_katas.batch.pool import Pool
    from drill_katas.catalog.katas import Kata
    from drill_katas.grading.cluster import Cluster
    from drill_katas.grading.grade_store import GradeStore
    from drill_katas.grading.grades import Grades
    from drill_katas.grading.submission import Entry
    from drill_katas.sandbox.tier import Tier

FORMATS: Final = ("gradescope", "ctrf", "junit", "github", "csv", "html")  # equal to grading.formats.FORMATS
NOT_JUDGED: Final = 3  # exit code: a submission has no score because the grader or the machine failed
TIERS: Final = ("strong", "reduced")
LAYOUTS: Final = ("auto", "one", "folders", "flat")  # equal to grading.shapes.Layout
LISTED: Final = 5  # ungraded files that a note names


@command("grade", "kata grade submissions --json grades.json")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--kata", "name", metavar="NAME", help="Kata of the submissions; by default the submitted files decide.")
@click.option(
    "--json", "file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="File for the grades."
)
@click.option("--resume", is_flag=True, help="Judge only submissions without a verdict; needs --json.")
@click.option("--format", "form", type=click.Choice(FORMATS), help="Output format; default: text.")
@click.option(
    "--jobs", type=click.IntRange(1), default=os.cpu_count() or 1, help="Submissions at once; default: one per core."
)
@click.option(
    "--seed-secret-env",
    "variable",
    metavar="VAR",
    help="Environment variable with the seed secret; without one, anyone can compute the seeds.",
)
@click.option(
    "--require-tier", "tier", type=click.Choice(TIERS), help="Fail unless at least this sandbox tier is available."
)
@click.option(
    "--cluster",
    metavar="ADDRESS",
    help="dask scheduler whose workers judge, as tcp://host:8786. Anyone who reaches it can run code there.",
)
@click.option(
    "--layout",
    type=click.Choice(LAYOUTS),
    default="auto",
    help="Layout of each PATH: one submission, a class of folders and archives, or a class of single files (flat); by "
    "default the names decide.",
)
@click.option("--unsafe", is_flag=True, help="Judge even if no sandbox is available.")
def grade(  # noqa: PLR0913 - one for each option
    paths: tuple[Path, ...],
    name: str | None,
    file: Path | None,
    *,
    resume: bool,
    form: str | None,
    jobs: int,
    variable: str | None,
    tier: str | None,
    cluster: str | None,
    layout: str,
    unsafe: bool,
) -> None:
    """Judge and grade submissions.

    PATH is a submission (a folder, an archive, or a file) or a class (a folder or an archive of submissions, such as a
    download of Canvas, Moodle, Gradescope, or GitHub Classroom). Only a kata's editable files are read from it. The
    katas are those of this tool and of installed packs; katas near the submissions are not trusted.

    With --format gradescope, PATH is one submission. With --format github, the summary goes to the file in the
    environment variable GITHUB_STEP_SUMMARY, if it is set.

    Submissions run at the strongest sandbox tier of this machine: strong (sees only Python, /usr, and its own files),
    reduced (reads Python and its own files, writes nothing, no network), or practice (resource limits only; needs
    --unsafe).
    """
    from drill_katas.grading.grade_store import GradeStore
    from drill_katas.grading.grader import Grader
    from drill_katas.grading.state import expect_apart
    from drill_katas.sandbox.tier import Tier

    if resume and file is None:
        raise UserError("--resume needs --json FILE: the file of the run to continue")
    if file is not None:
        expect_apart(paths, file)
    katas = _katas(name)
    inputs = _inputs(paths, katas, form, file, layout)
    wanted = Tier(tier) if tier else None
    with (
        _judges(katas, cluster, jobs, wanted, unsafe=unsafe) as judges,
        GradeStore(file, judges.tier, resume=resume) as store,
    ):
        warn(store.notices)
        try:
            with counted("graded") as report_progress:
                Grader(katas, _secret(variable), judges.tier).grade(inputs, store, judges, report_progress)
        except KeyboardInterrupt:
            next_step = (
                f"continue with --json {file} --resume"
                if store.resumes
                else "the grades are lost, because they need --json FILE and a state folder"
            )
            click.echo(f"\ninterrupted; {next_step}", err=True)
            raise SystemExit(1) from None
        store.finish()
        _print_grades(form, store)
        if any(each.score is None for each in store):
            raise SystemExit(NOT_JUDGED)


def _print_grades(form: str | None, store: GradeStore) -> None:
    """Print warnings about submissions that could not be judged, then the grades."""
    from drill_katas.grading.formats.common import without_score
    from drill_katas.report.grading import grade_lines

    warn(failed.problem + (f"; its log:\n{failed.log}" if failed.log else "") for failed in store.failures)
    if form is None:
        show(grade_lines(store, width()))
    elif form == "gradescope" and any(each.score is None for each in store):  # its format requires a score
        warn(f"{each.id} has no score, so no results are printed: {without_score(each)}" for each in store)
    else:
        _print_document(form, store)


def _judges(katas: list[Kata], cluster: str | None, jobs: int, wanted: Tier | None, *, unsafe: bool) -> Pool | Cluster:
    from drill_katas.batch.pool import Pool
    from drill_katas.grading.cluster import Cluster
    from drill_katas.grading.tiers import strongest_policy

    if cluster is not None:
        return Cluster(cluster, katas, wanted, unsafe=unsafe)
    pool = Pool(katas, strongest_policy(katas, wanted, unsafe=unsafe), jobs)
    if pool.jobs < jobs:
        warn([f"one submission at a time: at tier {pool.tier}, the thread limit counts all threads of this user"])
    return pool


def _inputs(
    paths: tuple[Path, ...], katas: list[Kata], form: str | None, file: Path | None, layout: str
) -> list[Entry]:
    """Return the entries to grade; warn about files that belong to no entry."""
    from drill_katas.grading.formats.gradescope import expect_one
    from drill_katas.grading.intake import alone, distinct, find
    from drill_katas.grading.shapes import Layout

    if form == "gradescope":
        expect_one(len(paths))
        return distinct(list(map(alone, paths)))
    found = [find(path, katas, Layout(layout), file) for path in paths]
    beside = [name for each in found for name in each.beside]
    if beside:
        warn([f"not graded, because they are not submissions: {_few(beside)}"])
    return distinct([entry for each in found for entry in each.entries])


def _few(names: list[str]) -> str:
    from drill_katas.text import printable

    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return f"{', '.join(map(printable, names[:LISTED]))}{more}"


def _print_document(form: str, grades: Grades) -> None:
    """Print the document in UTF-8, because other programs read it."""
    from drill_katas.grading import formats

    for piece in formats.FORMATS[form](grades):
        sys.stdout.buffer.write(piece.encode())
    sys.stdout.buffer.flush()


def _katas(name: str | None) -> list[Kata]:
    from drill_katas.catalog.katas import find, packs, shipped

    libraries = [shipped(), *packs()]
    return [kata for library in libraries for kata in library] if name is None else [find(name, libraries)]


def _secret(variable: str | None) -> bytes:
    if variable is None:
        return b""
    secret = os.environ.get(variable)
    if not secret:
        raise UserError(f"--seed-secret-env {variable}: this environment variable is not set, or empty")
    return secret.encode()
