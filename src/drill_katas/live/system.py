"""A live system: starts a kata's system and plays its incident until it is stopped."""

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

SHORTEST: Final = 0.0001  # upper bound of the first bucket, in seconds
APART: Final = 1.05  # ratio of two bucket bounds, so that a percentile is accurate to 5 %
SCRAPED: Final = 15.0  # seconds of the incident's clock between two scrapes


@dataclass(frozen=True)
class LivePlan:
    """The options of a live system: speed of the incident's clock, TCP port, folder of its files, OTLP exporter."""

    speed: float
    port: int
    folder: Path
    exporter: Exporter | None


def serve(what: Replay, plan: LivePlan, ready: Callable[[Endpoint], None]) -> str:
    """Serve until interrupted, or until the SUT ends; return the reason. `ready` is called when all services run.

    Raises `UserError` if the module cannot be imported, the port is not available, or the kata is already live.
    """
    with story_of(what.kata) as story, LogFile(plan.folder) as log, system(what, math.inf) as sut:
        incident, jobs = story.INCIDENT, JobQueue()
        clock = PacedClock(incident.began, incident.scale, plan.speed, jobs.rest)

        def after_step(scene: ReplayScene, _: float) -> None:
            endpoint.measure()
            publish(scene)

        def publish(scene: ReplayScene) -> None:
            lines, spans = stream.logs(), stream.spans()
            log.write(lines)
            if plan.exporter:
                plan.exporter.send(spans, lines, time.time() - scene.clock.now())
            scene.sut.begin_example()  # drops the recorded calls, because nothing reads them

        meters = Meters(buckets(incident.buckets[-1]), incident.scale)
        scene = ReplayScene(sut, incident, clock, meters, after_step, what.variant, what.seed, endless=True)
        stream = Stream(scene)
        with Endpoint(scene, jobs, plan.port) as endpoint:
            configure(plan, incident, endpoint)
            jobs.submit(lambda: ready(endpoint))  # runs at the first rest, when all services run
            try:
                play(story.replay, scene)
            finally:
                publish(scene)
    return str(scene.logs[-1].fields["reason"])


def buckets(longest: float) -> tuple[float, ...]:
    """Return the upper bounds of a histogram's buckets, in seconds; the last is at least `longest`."""
    many = math.ceil(math.log(longest / SHORTEST, APART))
    return tuple(float(f"{SHORTEST * APART**number:.6g}") for number in range(many + 1))


def configure(plan: LivePlan, incident: Incident, endpoint: Endpoint) -> None:
    """Write the Prometheus configuration for the system: scraping, and alert rules at its speed."""
    name, every = plan.folder.name, f"{round(SCRAPED / plan.speed * 1000)}ms"
    rules = plan.folder / "rules.yml"
    rules.write_text(rule_file(name, (rule.at_speed(plan.speed) for rule in incident.rules)), encoding="utf-8")
    lines = [
        f"global: {{scrape_interval: {every}, scrape_timeout: {every}, evaluation_interval: {every}}}",
        f"rule_files: [{json.dumps(rules.name)}]",
        "scrape_configs:",
        f"  - job_name: {json.dumps(name)}",
        f"    static_configs: [{{targets: [{json.dumps(endpoint.url.removeprefix('http://'))}]}}]",
    ]
    (plan.folder / "prometheus.yml").write_text("\n".join(lines) + "\n", encoding="utf-8")
