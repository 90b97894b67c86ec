"""Subcommands for authors of katas: proving one, and beginning one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from drill_katas.cli.base import command, counter, short, show, width, workspace_here

if TYPE_CHECKING:
    from drill_katas.catalog.katas import Contract, Kata

JOBS = 2 * (os.cpu_count() or 1)  # runs wait for time-outs half of their time


@command("verify", "kata verify fp_drift --json matrix.json")
@click.argument("names", nargs=-1)
@click.option("--seeds", default=3, show_default=True, type=click.IntRange(1), help="Seeds to judge each arm with.")
@click.option("--first-seed", default=0, show_default=True, type=click.IntRange(0), help="The first of these seeds.")
@click.option(
    "--repeat", default=1, type=click.IntRange(1), help="Judge so many times with each seed; count the flips."
)
@click.option("--load", default=0, type=click.IntRange(0), help="Keep so many other processes busy meanwhile.")
@click.option("--jobs", default=JOBS, type=click.IntRange(1), help="Runs at once; default: two a core.")
@click.option("--derive", is_flag=True, help="Write thresholds.toml anew from what the arms measure.")
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), help="Write the matrices there.")
def verify(names: tuple[str, ...], json_file: Path | None, seeds: int, first_seed: int, **plan: Any) -> None:
    """Prove katas against their arms: broken ones fail, right ones pass, near misses fail as declared."""
    from drill_katas.files import write_json
    from drill_katas.report.matrix import matrix_lines, summary_lines
    from drill_katas.verify.certificate import CertificationPlan, certify

    certificates = []
    how = CertificationPlan(range(first_seed, first_seed + seeds), **plan)
    for kata in _to_verify(names):
        certificate = certify(kata, how, counter(f"{kata.name}, runs"))
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
@click.option("--contract", type=click.Choice(["calls", "http"]), default="calls", help="How its checks ask.")
def new(name: str, contract: Contract) -> None:
    """Scaffold a kata in this workspace: it runs at once, and `kata verify` says what is still missing."""
    from drill_katas.catalog.scaffold import scaffold

    workspace = workspace_here()
    for file in scaffold(workspace.root, name, contract):
        click.echo(short(file, workspace))
    click.echo(f"Run it with: pytest --kata {name}. Prove it with: kata verify {name}")


def _to_verify(names: tuple[str, ...]) -> list[Kata]:
    """Return the katas as they were shipped where there are such, for a learner's copies are not what is proven."""
    from drill_katas.catalog.katas import find, packs, shipped

    libraries = [shipped(), workspace_here().library, *packs()]
    wanted = names or shipped().names()
    return [find(name, libraries) for name in wanted]
