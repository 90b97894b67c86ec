"""Latency: how long something takes, against a control that is measured in the same run, in pairs.

A number of seconds says as much of the machine as of the program. The ratio to a control does not: whatever slows the
machine down slows both of a pair down.
"""

from __future__ import annotations

import math
import statistics
import time
from collections import Counter
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pytest_benchmark.fixture import BenchmarkFixture

    from drill_katas.judge.sut import Sut

LEAST_ROUNDS: Final = 3
BINS: Final = 20  # of a distribution, each one character
UNRECORDED: Final = "pytest-benchmark is off in this session, and keeps no record of this"


def sla(  # noqa: PLR0913 - who is timed, against what, how long, and what it is called
    sut: Sut,
    benchmark: BenchmarkFixture,
    target: Callable[[], object],
    control: Callable[[], object],
    *,
    figure: str,
    rounds: int = 15,
    seconds: float = 8.0,
    what: str = "it",
) -> float:
    """Time `target` against `control` and return the median of their paired ratios.

    Raises `AssertionError` when that is above the limit of `figure` in the kata's `thresholds.toml`. Each of `rounds`
    pairs is the control and then the target; there are fewer, but at least 3, where more would take longer than
    `seconds`, and one alone when it takes longer by itself. A first pair does not count. The target's times are in
    pytest-benchmark's statistics, and the control's in `benchmark.extra_info`; where pytest-benchmark is off
    (`--benchmark-disable`, pytest-xdist's `-n`) they are taken here, and the verdict is the same. `what` is the
    subject of the message.
    """
    began = time.perf_counter()
    _timed(control)
    _timed(target)
    pair = time.perf_counter() - began
    rounds = 1 if pair > seconds else min(rounds, max(LEAST_ROUNDS, int(seconds / pair)))
    controls: list[float] = []

    def before() -> None:
        controls.append(_timed(control))

    if benchmark.disabled:
        targets = _pairs(target, before, rounds)
    else:
        benchmark.pedantic(target, setup=before, rounds=rounds, iterations=1)  # type: ignore[no-untyped-call]
        assert benchmark.stats is not None, "pytest-benchmark is on, and so it has statistics"
        targets = list(benchmark.stats.stats.data)
    controls = controls[:rounds]  # with --benchmark-cprofile there is one more
    ratio = statistics.median(one / other for one, other in zip(targets, controls, strict=True))
    limit = sut.measured(figure, ratio)
    benchmark.extra_info |= {"control": figures(controls), "ratio": ratio, "limit": limit}
    assert ratio <= limit, against_control(what, targets, controls, ratio, limit, recorded=not benchmark.disabled)
    return ratio


def figures(times: Sequence[float]) -> dict[str, float]:
    """Return the minimum, median and 95th percentile (nearest rank) of times, in seconds."""
    from pytest_benchmark.stats import Stats  # noqa: PLC0415 - few katas need it

    stats = Stats()  # type: ignore[no-untyped-call]
    stats.data = list(times)
    return {"min": stats.min, "median": stats.median, "p95": stats.sorted_data[math.ceil(0.95 * len(times)) - 1]}


def against_control(
    what: str, targets: Sequence[float], controls: Sequence[float], ratio: float, limit: float, *, recorded: bool
) -> str:
    """Say how much longer than its control something takes, with the distribution and the figures of both."""
    low, high = min(*targets, *controls), max(*targets, *controls)
    told = [
        f"{what} takes {ratio:.1f} times as long as the control; the limit is {limit:g}",
        *(
            f"  {name:7} {strip(times, low, high)}  "
            + "  ".join(f"{figure} {value * 1000:.0f} ms" for figure, value in figures(times).items())
            for name, times in (("it", targets), ("control", controls))
        ),
        f"  (rounds by how long they took, from {low * 1000:.0f} ms to {high * 1000:.0f} ms)",
    ]
    return "\n".join(told if recorded else [*told, f"  ({UNRECORDED})"])


def strip(times: Sequence[float], low: float, high: float) -> str:
    """Return the distribution of times as one line: how many fell into each bin, `.` for none and `+` for over 9.

    The bins lie between `low` and `high` seconds, and each is wider than the last by the same factor.
    """
    counts = Counter(min(BINS - 1, int(BINS * math.log(each / low) / (math.log(high / low) or 1))) for each in times)
    return "".join("." if not counts[bin_] else "+" if counts[bin_] > 9 else str(counts[bin_]) for bin_ in range(BINS))  # noqa: PLR2004


def _pairs(target: Callable[[], object], before: Callable[[], None], rounds: int) -> list[float]:
    times = []
    for _ in range(rounds):
        before()
        times.append(_timed(target))
    return times


def _timed(act: Callable[[], object]) -> float:
    began = time.perf_counter()
    act()
    return time.perf_counter() - began
