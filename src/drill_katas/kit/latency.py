"""Latency as a ratio to a control, measured in pairs in the same run.

A time in seconds depends on the machine. A ratio does not, because a slow machine slows down both parts of a pair.
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
BINS: Final = 20  # bins of a distribution, one character each
UNRECORDED: Final = "pytest-benchmark is off in this session and does not record these times"


def sla(  # noqa: PLR0913 - each argument is an independent setting
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
    """Time `target` against `control` in pairs, and return the median of the ratios.

    Raises `AssertionError` if the median is above the limit of `figure` in the kata's `thresholds.toml`. `what` is the
    subject of the message.

    | rule | detail |
    | --- | --- |
    | pair | the control, then the target; a first pair is a warm-up and does not count |
    | number of pairs | `rounds`, but no more than fit in `seconds`; at least 3, or 1 if one pair takes longer |
    | records | target: pytest-benchmark's statistics; control: `benchmark.extra_info` |
    | pytest-benchmark off (`--benchmark-disable`, `-n`) | the times are measured here, and the verdict is the same |
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
        assert benchmark.stats is not None, "pytest-benchmark is on, so it has statistics"
        targets = list(benchmark.stats.stats.data)
    controls = controls[:rounds]  # --benchmark-cprofile adds one
    ratio = statistics.median(one / other for one, other in zip(targets, controls, strict=True))
    limit = sut.measured(figure, ratio)
    benchmark.extra_info |= {"control": figures(controls), "ratio": ratio, "limit": limit}
    assert ratio <= limit, against_control(what, targets, controls, ratio, limit, recorded=not benchmark.disabled)
    return ratio


def figures(times: Sequence[float]) -> dict[str, float]:
    """Return the minimum, median, and 95th percentile (nearest rank) of times, in seconds."""
    from pytest_benchmark.stats import Stats  # noqa: PLC0415 - few katas need it

    stats = Stats()  # type: ignore[no-untyped-call]
    stats.data = list(times)
    return {"min": stats.min, "median": stats.median, "p95": stats.sorted_data[math.ceil(0.95 * len(times)) - 1]}


def against_control(
    what: str, targets: Sequence[float], controls: Sequence[float], ratio: float, limit: float, *, recorded: bool
) -> str:
    """Return the message of a missed limit: the ratio, and the distribution and figures of both parts."""
    low, high = min(*targets, *controls), max(*targets, *controls)
    lines = [
        f"{what} takes {ratio:.1f} times as long as the control; the limit is {limit:g}",
        *(
            f"  {name:7} {strip(times, low, high)}  "
            + "  ".join(f"{figure} {value * 1000:.0f} ms" for figure, value in figures(times).items())
            for name, times in (("it", targets), ("control", controls))
        ),
        f"  (rounds by duration, from {low * 1000:.0f} ms to {high * 1000:.0f} ms)",
    ]
    return "\n".join(lines if recorded else [*lines, f"  ({UNRECORDED})"])


def strip(times: Sequence[float], low: float, high: float) -> str:
    """Return the distribution of times as one line: a count for each bin, `.` for 0 and `+` for more than 9.

    The bins are logarithmic between `low` and `high`, in seconds.
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
