"""A kata's collected checks: read from markers and docstrings, seeded, and limited by a watchdog timer."""

from __future__ import annotations

import functools
import inspect
import signal
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import hypothesis
import pytest
from pytest_timeout import is_debugging

from drill_katas.errors import UserError, nearest
from drill_katas.failures import Hang, NotJudged, StopShrinking
from drill_katas.machine.cpu_time import BUSY_SHARE
from drill_katas.verdict import Stage

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from drill_katas.catalog.katas import Kata
    from drill_katas.judge.sut import Sut

WATCHDOG_SECONDS: Final = 15  # after the end of a check's budget


@dataclass(frozen=True)
class Check:
    """One check of a kata; the learner reads its `title`. The `budget` is in seconds."""

    kata: Kata
    name: str
    stage: Stage
    title: str
    budget: float


def read_check(item: pytest.Item, kata: Kata, guardrail: Path | None = None) -> Check:
    """Return the check of a collected item. Raises `UserError` if a marker is missing or invalid.

    In the file `guardrail` every test is a check of the stage `guardrail`, whatever its markers.
    """
    name = item.name
    title = (inspect.getdoc(item.obj) or name).splitlines()[0]  # type: ignore[attr-defined]
    try:
        stage = Stage.GUARDRAIL if item.path == guardrail else _stage(item, name)
        return Check(kata, name, stage, title.rstrip("."), _budget(item, kata))
    except UserError as mistake:
        raise UserError(f"{item.path}: {mistake}") from None


def seeded(item: pytest.Item, seed: int) -> None:
    """Seed Hypothesis, so that it draws the same examples for the same seed."""
    if hasattr(item.obj, "hypothesis"):  # type: ignore[attr-defined]
        hypothesis.seed(seed)(item.obj)  # type: ignore[attr-defined]


def track_examples(item: pytest.Item, sut: Sut) -> None:
    """Report the beginning and the failure of each Hypothesis example to the SUT."""
    handle = getattr(item.obj, "hypothesis", None)  # type: ignore[attr-defined]
    if handle is not None:
        handle.inner_test = _tracked(handle.inner_test, sut)


def add_watchdog(item: pytest.Item, budget: float) -> None:
    """Put pytest-timeout's timer around a check, as a watchdog for a judge that does not end the check itself."""
    if item.config.pluginmanager.hasplugin("timeout"):
        item.add_marker(pytest.mark.timeout(budget + WATCHDOG_SECONDS, func_only=True), append=False)


def start_watchdog(check: Check, sut: Sut) -> bool:
    """Start the watchdog timer; return False if this thread receives no signals.

    It replaces pytest-timeout's timer, because Hypothesis takes that timer's exception for a failing example.
    """
    if threading.current_thread() is not threading.main_thread():
        return False

    def expire(*_: object) -> None:
        if is_debugging():
            return
        context = sut.check
        left = context.seconds_left(WATCHDOG_SECONDS)
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(left, 1.0))
            return
        if context.failure is not None:
            raise StopShrinking
        if context.meter.delay_share() > BUSY_SHARE:
            raise NotJudged(context.busy_message())
        raise Hang(f"the check did not end within its {check.budget:g} s, nor in {WATCHDOG_SECONDS} s more")

    signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, check.budget + WATCHDOG_SECONDS)
    return True


def stop_watchdog() -> None:
    """Stop the watchdog timer."""
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)


def _tracked(test: Callable[..., Any], sut: Sut) -> Callable[..., Any]:
    @functools.wraps(test)
    def one_example(*args: Any, **kwargs: Any) -> Any:
        sut.check.begin_example()
        try:
            return test(*args, **kwargs)
        except Exception as error:
            sut.check.note_failure(error)
            raise

    return one_example


def _stage(item: pytest.Item, name: str) -> Stage:
    known = [stage.value for stage in Stage if stage is not Stage.GUARDRAIL]
    marker = item.get_closest_marker("stage")
    if marker is None:
        raise UserError(f"{name} has no stage; mark it with @pytest.mark.stage(NAME), one of {', '.join(known)}")
    if marker.kwargs:
        word = next(iter(marker.kwargs))
        raise UserError(f"{name}: the marker stage takes one name and no keyword, but has {word!r}")
    if len(marker.args) != 1:
        raise UserError(f"{name}: the marker stage takes one name, but has {len(marker.args)}")
    if marker.args[0] not in known:
        given = str(marker.args[0])
        raise UserError(f"{name}: unknown stage {given!r}{nearest(given, known)}")
    return Stage(marker.args[0])


def _budget(item: pytest.Item, kata: Kata) -> float:
    marker = item.get_closest_marker("timeout")
    if marker is None:
        return kata.manifest.limits.check_seconds
    seconds = marker.args[0] if marker.args else marker.kwargs.get("timeout")
    if not isinstance(seconds, int | float) or seconds <= 0:
        raise UserError(f"{item.name}: the marker timeout takes the check's budget in seconds, but has {seconds!r}")
    return float(seconds)
