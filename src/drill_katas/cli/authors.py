"""Subcommands for authors of katas: certify a kata, scaffold one, write and save arms."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from drill_katas.cli.base import command, short, show, width, workspace_here
from drill_katas.cli.progress import counted
from drill_katas.errors import UserError

if TYPE_CHECKING:
    from drill_katas.catalog.katas import Contract, Kata

FULL_SEEDS = 3  # seeds of a full certification
NEXT_STEPS = """
run it      pytest --kata {name}  (fails: the learner's module is broken)
prove it    kata verify {name}
replay it   kata incident {name}
break it    kata arm {name} reference /tmp/arm  (then edit its files)
            pytest --kata {name} --kata-from /tmp/arm  (must fail)
keep it     kata arm {name} my_mistake /tmp/arm --save"""
JOBS = 2 * (os.cpu_count() or 1)  # two per core, because runs spend half of their time waiting for timeouts


@command("verify", "kata verify fp_drift --json matrix.json")
@click.argument("names", nargs=-1)
@click.option("--full", is_flag=True, help="Judge near misses on every check, and every arm with three seeds.")
@click.option(
    "--seeds", metavar="N", type=click.IntRange(1), help="Number of seeds for each arm; default: 1, with --full 3."
)
@click.option(
    "--first-seed", metavar="N", default=0, show_default=True, type=click.IntRange(0), help="First of these seeds."
)
@click.option(
    "--repeat",
    metavar="N",
    default=1,
    show_default=True,
    type=click.IntRange(1),
    help="Number of runs with each seed; verdicts that differ are counted as flips.",
)
@click.option(
    "--load",
    metavar="N",
    default=0,
    show_default=True,
    type=click.IntRange(0),
    help="Number of other busy processes during the certification.",
)
@click.option(
    "--jobs", metavar="N", default=JOBS, type=click.IntRange(1), help="Number of parallel runs; default: two per core."
)
@click.option(
    "--derive", is_flag=True, help="Write thresholds.toml from the figures that the arms measure; implies --full."
)
@click.option(
    "--json",
    "json_file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File for the matrices as JSON.",
)
def verify(
    names: tuple[str, ...], json_file: Path | None, seeds: int | None, first_seed: int, *, full: bool, **plan: Any
) -> None:
    """Certify katas: broken arms fail, right arms pass, and near misses fail as declared.

    Broken and right arms are judged on every check. Near misses are judged on the checks that they must fail and on
    the checks of the stage symptom; with --full, on every check.
    """
    from msgspec.structs import replace

    from drill_katas.files import write_json
    from drill_katas.guardrail.certifying import guardrail_faults
    from drill_katas.postmortem.certifying import postmortem_faults
    from drill_katas.report.matrix import matrix_lines, summary_lines
    from drill_katas.verify.certificate import CertificationPlan, certify

    full = full or plan["derive"]
    seeds = seeds or (FULL_SEEDS if full else 1)
    certificates = []
    how = CertificationPlan(range(first_seed, first_seed + seeds), full=full, **plan)
    for kata in _katas(names):
        with counted(f"{kata.name}, runs") as report_progress:
            certificate = certify(kata, how, report_progress)
        with counted(f"{kata.name}, guardrail") as report_progress:
            faults = tuple(guardrail_faults(kata, report_progress))
        with counted(f"{kata.name}, post-mortem") as report_progress:
            faults += tuple(postmortem_faults(kata, report_progress))
        certificate = replace(certificate, faults=(*certificate.faults, *faults))
        certificates.append(certificate)
        show(matrix_lines(certificate, width()))
        if json_file:
            write_json(json_file, certificates)
    if len(certificates) > 1:
        show(summary_lines(certificates, width()))
    if not all(certificate.holds for certificate in certificates):
        raise SystemExit(1)


@command("new", "kata new slow_queue --contract http")
@click.argument("name")
@click.option(
    "--contract",
    type=click.Choice(["calls", "http"]),
    default="calls",
    show_default=True,
    help="Interface of the learner's code: Python calls or HTTP requests.",
)
def new(name: str, contract: Contract) -> None:
    """Scaffold a small kata in this workspace: it is complete, and `kata verify` proves it as it is."""
    from drill_katas.catalog.scaffold import scaffold

    workspace = workspace_here()
    files = scaffold(workspace.root, name, contract)
    for folder, contents in (("katas", "for the learner"), ("solutions", "the answer and its proof")):
        number = sum(file.is_relative_to(workspace.root / folder) for file in files)
        click.echo(f"{short(workspace.root / folder / name, workspace)}: {number} files, {contents}")
    click.echo(NEXT_STEPS.format(name=name))


@command("arm", "kata arm fp_drift rounded_twice /tmp/arm")
@click.argument("name", metavar="KATA")
@click.argument("arm", metavar="NAME")
@click.argument("folder", metavar="DIR", type=click.Path(file_okay=False, path_type=Path))
@click.option("--save", is_flag=True, help="Save the files in DIR as the near miss NAME.")
@click.option(
    "--base",
    metavar="ARM",
    help="With --save: arm that the patch applies to; default: the current base, or for a new near miss the nearest "
    "arm.",
)
def arm(name: str, arm: str, folder: Path, *, save: bool, base: str | None) -> None:
    """Write the files of an arm to DIR, or save the files in DIR as a near miss.

    NAME is reference, original, accepted/X, variants/Y, or the name of a near miss.
    """
    from drill_katas.catalog.arm_files import save_near_miss, write_arm

    if base and not save:
        raise UserError("--base names the arm that --save patches; give --save, too")
    (kata,) = _katas((name,))
    files = save_near_miss(kata, arm, folder, base) if save else write_arm(kata, arm, folder)
    for file in files:
        click.echo(file)


def _katas(names: tuple[str, ...]) -> list[Kata]:
    """Return the katas, shipped copies first, because a learner may have changed those in the workspace."""
    from drill_katas.catalog.katas import find, packs, shipped

    libraries = [shipped(), workspace_here().library, *packs()]
    wanted = names or shipped().names()
    return [find(name, libraries) for name in wanted]
