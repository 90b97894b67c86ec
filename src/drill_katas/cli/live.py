"""The subcommand that runs a broken system live."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING

import click

from drill_katas.cli.base import command, find, short, warn
from drill_katas.errors import UserError

if TYPE_CHECKING:
    from pathlib import Path

    from drill_katas.live.endpoint import Endpoint
    from drill_katas.live.export import Exporter
    from drill_katas.practice.workspace import Workspace


@command("serve", "kata serve red_herring --speed 60")
@click.argument("name")
@click.option("--from", "source", metavar="DIR", help="Folder of the files to serve, or 'solutions'; default: yours.")
@click.option("--seed", default=0, show_default=True, help="Seed of names, amounts, and moments.")
@click.option(
    "--speed",
    default=10.0,
    show_default=True,
    type=click.FloatRange(0.1, 100),
    help="Simulated minutes per real minute.",
)
@click.option(
    "--port", default=9464, show_default=True, type=click.IntRange(0, 65535), help="TCP port; 0 takes any free port."
)
def serve(name: str, source: str | None, *, seed: int, speed: float, port: int) -> None:
    """Run a kata's system with its customers until Ctrl-C.

    It listens on this machine only. With OTEL_EXPORTER_OTLP_ENDPOINT set, it sends spans and log lines to that
    collector (extra `otel`).
    """
    from drill_katas.catalog.arms import arm_from, workspace_arm
    from drill_katas.evidence.replay import Replay
    from drill_katas.live.logfile import folder_of
    from drill_katas.live.system import LivePlan
    from drill_katas.live.system import serve as bring_up

    workspace, kata = find(name)
    arm = workspace_arm(kata) if source is None else arm_from(kata, source, "--from")
    what = Replay(kata, arm, workspace.progress_of(kata).variant, seed)
    folder = folder_of(workspace, name)
    exporter = _exporter()
    plan = LivePlan(speed, port, folder, exporter)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that SIGTERM ends it as Ctrl-C does
    try:
        reason = bring_up(what, plan, lambda endpoint: _announce(name, endpoint, workspace, folder))
    except KeyboardInterrupt:
        click.echo(f"\n{name} is stopped")
        return
    finally:
        if exporter:
            exporter.close()
    click.echo(f"{name} stopped by itself: {reason}", err=True)
    raise SystemExit(1)


def _exporter() -> Exporter | None:
    endpoint = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    if not endpoint:
        return None
    if not endpoint.startswith(("http://", "https://")):
        raise UserError(f"OTEL_EXPORTER_OTLP_ENDPOINT is {endpoint}; it should be a URL, such as http://localhost:4318")
    try:
        from drill_katas.live.export import Exporter
    except ModuleNotFoundError as missing:
        raise UserError(
            f"OTEL_EXPORTER_OTLP_ENDPOINT needs the extra `otel` ({missing}): pip install drill-katas[otel]"
        ) from None
    return Exporter(lambda notice: warn([notice]))


def _announce(name: str, endpoint: Endpoint, workspace: Workspace, folder: Path) -> None:
    here = short(folder, workspace)
    click.echo(f"{name} is running; Ctrl-C stops it.")
    click.echo(f"Endpoints:   curl {endpoint.url}/")
    click.echo(f"Logs:        kata logs {name} --follow")
    click.echo(f"Prometheus:  prometheus --config.file={here}/prometheus.yml \\")
    click.echo(f"               --storage.tsdb.path={here}/tsdb")
