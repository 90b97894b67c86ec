"""The replay of a kata's incident: `incident.py` drives the SUT, and the evidence is collected."""

from __future__ import annotations

import contextlib
import hashlib
import importlib
import itertools
import sys
import time
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from drill_katas.catalog.arms import Overlay
from drill_katas.errors import UserError, nearest
from drill_katas.evidence.clock import Clock
from drill_katas.evidence.meters import Meters
from drill_katas.evidence.recording import level_of, logs_of, spans_of
from drill_katas.evidence.records import IncidentRecord, Summary
from drill_katas.evidence.samples import Metrics, alerts_of
from drill_katas.evidence.scene import ReplayScene
from drill_katas.failures import Broken, CheckEnded, KataMistake, SutError
from drill_katas.judge.check_context import CheckContext
from drill_katas.judge.program import Program
from drill_katas.judge.session import SutSession
from drill_katas.judge.sut import Sut
from drill_katas.judge.zygote_client import AlternatingZygotes
from drill_katas.machine.cpu_time import BUSY_SHARE, Meter, sampling
from drill_katas.services.retained import MIB, RetainedBytes

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from drill_katas.catalog.arms import Arm
    from drill_katas.catalog.katas import Kata
    from drill_katas.kit.scene import Scene

BUDGET: Final = 60.0  # seconds after which a replay is cut short; ten are usual
MOST_REPLAYED: Final = 2_048 * MIB  # limit on retained data; large, because `kata serve` runs a system for hours
_NUMBERS: Final = itertools.count(1)


@dataclass(frozen=True)
class Replay:
    """The input of a replay: files, variant, seed, and the ablation of an experiment."""

    kata: Kata
    arm: Arm
    variant: str
    seed: int = 0
    ablation: str | None = None


def replay(what: Replay, report_progress: Callable[[float], None] = lambda _: None) -> IncidentRecord:
    """Play an incident and return its evidence; `report_progress(share)` is called after each step.

    A SUT that hangs or crashes ends the incident early, with a log line. Raises `UserError` if the kata has no incident
    or no such ablation, or if the learner's module cannot be imported.
    """
    with story_of(what.kata) as story:
        known = story.INCIDENT.ablations
        if what.ablation is not None and what.ablation not in known:
            raise UserError(f"{what.kata.name} has no experiment {what.ablation!r}{nearest(what.ablation, known)}")

        def after_step(scene: ReplayScene, share: float) -> None:
            scene.meters.read(round(scene.clock.now(), 3), scene.sut, scene.watched.values())
            report_progress(share)

        incident, code = story.INCIDENT, code_of(what.arm)
        with system(what, BUDGET) as sut:
            began = time.monotonic()
            clock, meters = Clock(incident.began, incident.scale), Meters(incident.buckets, incident.scale)
            scene = ReplayScene(sut, incident, clock, meters, after_step, what.variant, what.seed, what.ablation)
            play(story.replay, scene)
            return _collected(what, code, scene, time.monotonic() - began)


@contextlib.contextmanager
def story_of(kata: Kata) -> Iterator[Any]:
    """Import a fresh copy of a kata's `incident.py` into the judge. Raises `UserError` if the kata has none."""
    if not kata.has_incident:
        raise UserError(f"{kata.name} has no incident to replay: there is no incident.py in {kata.folder}")
    package = ModuleType(f"drill_katas_incident_{next(_NUMBERS)}")  # unique, because the SUT imports the real name
    package.__path__ = [str(kata.folder)]
    sys.modules[package.__name__] = package
    try:
        yield importlib.import_module(f"{package.__name__}.incident")
    finally:
        for name in [name for name in sys.modules if name.partition(".")[0] == package.__name__]:
            del sys.modules[name]


def code_of(arm: Arm) -> str:
    """Return the digest of an arm's files."""
    return digest(arm.contents)


def digest(files: Mapping[str, bytes]) -> str:
    """Return one digest of the names and contents of files."""
    parts = sorted((name, hashlib.sha256(content).hexdigest()) for name, content in files.items())
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def ablations_of(kata: Kata) -> dict[str, str]:
    """Return the ablations of a kata's incident by name, with their meaning in words."""
    with story_of(kata) as story:
        return dict(story.INCIDENT.ablations)


@contextlib.contextmanager
def system(what: Replay, seconds: float) -> Iterator[Sut]:
    """Yield the SUT of a replay that may take `seconds`."""
    overlay = Overlay(what.kata, what.arm)
    zygotes = AlternatingZygotes(list(what.kata.manifest.imports)).get_ready()
    session = SutSession(zygotes, seed=what.seed, virtual_time=True)
    try:
        program = Program.of(what.kata, overlay)
        check = CheckContext(program, what.kata.manifest.limits, seconds, retained=RetainedBytes(MOST_REPLAYED))
        session.begin_check(check)
        with sampling(check.meter):
            yield Sut(session)
    finally:
        session.close()
        zygotes.close()
        overlay.close()


def play(act: Callable[[Scene], object], scene: ReplayScene) -> None:
    """Play an incident to its end with its `replay`; a SUT that hangs, crashes or raises ends it early."""
    try:
        act(scene)
    except Broken as broken:
        raise UserError("\n  ".join([str(broken), *broken.details])) from None
    except KataMistake as mistake:
        raise UserError(f"incident.py cannot be played: {mistake}") from None
    except CheckEnded as ended:
        scene.log("platform", "critical", "the program does not answer", reason=str(ended))
    except SutError as error:  # outside of `scene.call`, which logs errors as those of a request
        scene.log("platform", "critical", "the program failed", reason=str(error))


def _late(meter: Meter) -> float | None:
    """Return the seconds that a replay waited for a processor, None if that was too short to matter."""
    return round(meter.run_delay, 2) if meter.delay_share() > BUSY_SHARE else None


def _collected(what: Replay, code: str, scene: ReplayScene, seconds: float) -> IncidentRecord:
    metrics = scene.meters.families()
    alerts = alerts_of(scene.incident.rules, Metrics(metrics))
    began, ended = scene.incident.began, scene.incident.ended
    since, until = scene.incident.impact
    requests = [each for each in scene.requests if each.name == scene.incident.request]
    summary = Summary(
        kata=what.kata.name,
        variant=what.variant,
        source=what.arm.source,
        seed=what.seed,
        ablation=what.ablation,
        began=began,
        ended=ended,
        since=since,
        until=until,
        onset=min((each.began for each in requests if each.good is False), default=None),
        before=level_of(requests, began, since),
        after=level_of(requests, since, until),
        seconds=round(seconds, 2),
        late=_late(scene.sut.check.meter),
        code=code,
    )
    return IncidentRecord(summary=summary, logs=logs_of(scene), spans=spans_of(scene), metrics=metrics, alerts=alerts)
