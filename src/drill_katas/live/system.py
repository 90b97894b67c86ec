"""Brings a kata's system up, and keeps its incident playing until it is stopped."""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from drill_katas.evidence.clock import PacedClock
from drill_katas.evidence.exposition import rule_file
from drill_katas.evidence.meters import Meters
from drill_katas.evidence.recording import Stream
from drill_katas.evidence.replay import play, story_of, system
from drill_katas.evidence.scene import ReplayScene
from drill_katas.live.endpoint import Endpoint
from drill_katas.live.job_queue import JobQueue
from drill_katas.live.logfile import LogFile

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from drill_katas.evidence.replay import Replay
    from drill_katas.kit.incident import Incident
    from drill_katas.live.export import Exporter

SHORTEST: Final = 0.0001  # seconds; the upper bound of the first bucket
APART: Final = 1.05  # from one bucket's bound to the next, so that a percentile is right to 5 %
SCRAPED: Final = 15.0  # seconds of the incident's clock between two scrapes


@dataclass(frozen=True)
class LivePlan:
    """How to serve: so many times as fast as the incident's clock, on which port, and where its files are to lie."""

    speed: float
    port: int
    folder: Path
    exporter: Exporter | None


def serve(what: Replay, plan: LivePlan, ready: Callable[[Endpoint], None]) -> str:
    """Serve until interrupted, or until the SUT is at its end; returns why. `ready` is called when all is up.

    Raises `UserError` when the module cannot be imported, the port is taken, or the kata is served already.
    """
    with story_of(what.kata) as story, LogFile(plan.folder) as log, system(what, math.inf) as sut:
        told, desk = story.INCIDENT, JobQueue()
        clock = PacedClock(told.began, told.scale, plan.speed, desk.rest)

        def after_step(scene: ReplayScene, _: float) -> None:
            endpoint.measure()
            tell(scene)

        def tell(scene: ReplayScene) -> None:
            lines, spans = stream.logs(), stream.spans()
            log.write(lines)
            if plan.exporter:
                plan.exporter.send(spans, lines, time.time() - scene.clock.now())
            scene.sut.begin_example()  # what it was asked is of no use any more

        meters = Meters(buckets(told.buckets[-1]), told.scale)
        scene = ReplayScene(sut, told, clock, meters, after_step, what.variant, what.seed, endless=True)
        stream = Stream(scene)
        with Endpoint(scene, desk, plan.port) as endpoint:
            configure(plan, told, endpoint)
            desk.leave(lambda: ready(endpoint))  # which is done when all services are up
            try:
                play(story.replay, scene)
            finally:
                tell(scene)
    return str(scene.logs[-1].fields["reason"])


def buckets(longest: float) -> tuple[float, ...]:
    """Return bounds of a histogram's buckets, in seconds, up to the longest duration of interest or just over it."""
    many = math.ceil(math.log(longest / SHORTEST, APART))
    return tuple(float(f"{SHORTEST * APART**number:.6g}") for number in range(many + 1))


def configure(plan: LivePlan, told: Incident, endpoint: Endpoint) -> None:
    """Write the configuration of a Prometheus that scrapes the system and has its alert rules."""
    name, every = plan.folder.name, f"{round(SCRAPED / plan.speed * 1000)}ms"
    rules = plan.folder / "rules.yml"
    rules.write_text(rule_file(name, (rule.at_speed(plan.speed) for rule in told.rules)), encoding="utf-8")
    lines = [
        f"global: {{scrape_interval: {every}, scrape_timeout: {every}, evaluation_interval: {every}}}",
        f"rule_files: [{json.dumps(rules.name)}]",
        "scrape_configs:",
        f"  - job_name: {json.dumps(name)}",
        f"    static_configs: [{{targets: [{json.dumps(endpoint.url.removeprefix('http://'))}]}}]",
    ]
    (plan.folder / "prometheus.yml").write_text("\n".join(lines) + "\n", encoding="utf-8")
