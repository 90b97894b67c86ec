"""The subcommands that grade what others have handed in, and that set up where that is done."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from drill_katas.cli.base import command, counter, show, warn, width
from drill_katas.errors import UserError

if TYPE_CHECKING:
    from drill_katas.batch.pool import Pool
    from drill_katas.catalog.katas import Kata
    from drill_katas.grading.cluster import Cluster
    from drill_katas.grading.grade_store import GradeStore
    from drill_katas.grading.grades import Grades
    from drill_katas.grading.submission import Entry
    from drill_katas.sandbox.tier import Tier

FORMATS: Final = ("gradescope", "ctrf", "junit", "github", "csv", "html")  # those of grading.formats, not imported yet
NOT_JUDGED: Final = 3  # exit code: the grader is to blame that a submission has no score
TIERS: Final = ("strong", "reduced")
LAYOUTS: Final = ("auto", "one", "folders", "flat")  # those of grading.shapes
LISTED: Final = 5  # files that are not graded and named


@command("grade", "kata grade submissions --json grades.json")
@click.argument("paths", metavar="PATH...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--kata", "name", metavar="NAME", help="Which kata they are for; by default their files tell.")
@click.option(
    "--json", "file", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path), help="Write the grades."
)
@click.option("--resume", is_flag=True, help="Judge only what has no verdict of yours yet, in FILE or kept for it.")
@click.option("--format", "form", type=click.Choice(FORMATS), help="What to print, in place of lines to read.")
@click.option(
    "--jobs", type=click.IntRange(1), default=os.cpu_count() or 1, help="So many at once, here; default: one a core."
)
@click.option(
    "--seed-secret-env",
    "variable",
    metavar="VAR",
    help="The environment variable with the secret of the seeds; without one they can be known.",
)
@click.option(
    "--require-tier", "tier", type=click.Choice(TIERS), help="Fail unless at least this sandbox tier is available."
)
@click.option(
    "--cluster",
    metavar="ADDRESS",
    help="Judge on the workers of this dask scheduler, as tcp://host:8786. Whoever reaches it can run code there.",
)
@click.option(
    "--layout",
    type=click.Choice(LAYOUTS),
    default="auto",
    help="What a PATH is: one submission, a class with a folder or archive each, or a class with a file each; by "
    "default the names decide.",
)
@click.option("--unsafe", is_flag=True, help="Judge also where nothing can policy what was handed in.")
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
    """Judge fixes that were handed in, and grade them.

    PATH is a submission (a folder, an archive or a file) or a class: a folder or an archive of them, as Canvas, Moodle,
    Gradescope and GitHub Classroom make it. Only a kata's editable files are taken from it. The katas are those that
    come with this tool and installed packs: what lies around is not trusted.

    With --format gradescope each PATH is one submission, whatever lies in it. With --format github the summary goes to
    the file that GITHUB_STEP_SUMMARY names, if it does.

    What is judged is held at the strongest tier that this machine can: strong (namespaces of its own, and nothing in
    them), reduced (it may read Python's files, and no more), practice (limits alone, which holds accidents).
    """
    from drill_katas.grading.grade_store import GradeStore
    from drill_katas.grading.grader import Grader
    from drill_katas.grading.state import expect_apart
    from drill_katas.sandbox.tier import Tier

    if resume and file is None:
        raise UserError("--resume goes on with what --json FILE has; say which FILE")
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
            Grader(katas, _secret(variable), judges.tier).grade(inputs, store, judges, counter("graded"))
        except KeyboardInterrupt:
            kept = (
                f"--resume goes on with what is kept for {file}"
                if store.resumes
                else "without --json FILE, or a state folder, nothing is kept"
            )
            click.echo(f"\ninterrupted; {kept}", err=True)
            raise SystemExit(1) from None
        store.finish()
        _tell(form, store)
        if any(each.score is None for each in store):
            raise SystemExit(NOT_JUDGED)


def _tell(form: str | None, store: GradeStore) -> None:
    """Print the grades, after what the grader itself could not do."""
    from drill_katas.grading.formats.plain import without_score
    from drill_katas.report.grading import grade_lines

    warn(failed.problem + (f"; its log:\n{failed.log}" if failed.log else "") for failed in store.failures)
    if form is None:
        show(grade_lines(store, width()))
    elif form == "gradescope" and any(each.score is None for each in store):  # it takes any document for a score
        warn(f"{each.id} has no score and there are no results: {without_score(each)}" for each in store)
    else:
        _print(form, store)


def _judges(katas: list[Kata], cluster: str | None, jobs: int, wanted: Tier | None, *, unsafe: bool) -> Pool | Cluster:
    from drill_katas.batch.pool import Pool
    from drill_katas.grading.cluster import Cluster
    from drill_katas.grading.tiers import strongest_policy

    if cluster is not None:
        return Cluster(cluster, katas, wanted, unsafe=unsafe)
    pool = Pool(katas, strongest_policy(katas, wanted, unsafe=unsafe), jobs)
    if pool.jobs < jobs:
        warn([f"one submission at a time: at the tier {pool.tier} the threads of all are counted as this user's"])
    return pool


def _inputs(
    paths: tuple[Path, ...], katas: list[Kata], form: str | None, file: Path | None, layout: str
) -> list[Entry]:
    """Return the entries to grade, and print which files at the paths belong to none."""
    from drill_katas.grading.formats.gradescope import expect_one
    from drill_katas.grading.intake import alone, distinct, find
    from drill_katas.grading.shapes import Layout

    if form == "gradescope":
        expect_one(len(paths))
        return distinct(list(map(alone, paths)))
    found = [find(path, katas, Layout(layout), file) for path in paths]
    beside = [name for each in found for name in each.beside]
    if beside:
        warn([f"not graded, for they are no submissions: {_few(beside)}"])
    return distinct([entry for each in found for entry in each.entries])


def _few(names: list[str]) -> str:
    from drill_katas.text import printable

    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return f"{', '.join(map(printable, names[:LISTED]))}{more}"


def _print(form: str, grades: Grades) -> None:
    """Print the document, in UTF-8 whatever the terminal has, for it is for other programs."""
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
        raise UserError(f"--seed-secret-env {variable}: that environment variable is not set, or empty")
    return secret.encode()
