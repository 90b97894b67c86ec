"""Quantiles of measurements and of histogram buckets."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def nearest_rank(ordered: Sequence[float], percent: float) -> float:
    """Return the percentile of ordered numbers by the nearest-rank method, without interpolation."""
    return ordered[max(1, math.ceil(len(ordered) * percent / 100)) - 1]


def quantile_of(buckets: Mapping[float, float], share: float) -> float | None:
    """Return a quantile as Prometheus's `histogram_quantile` does; None without measurements.

    `buckets` maps upper bounds to cumulative counts; `share` is between 0 and 1.
    """
    bounds = sorted(buckets)
    if not bounds or not buckets[bounds[-1]]:
        return None
    rank = share * buckets[bounds[-1]]
    index = next(number for number, bound in enumerate(bounds) if buckets[bound] >= rank)
    if math.isinf(bounds[index]):
        return bounds[index - 1] if index else math.nan
    below, lower = (buckets[bounds[index - 1]], bounds[index - 1]) if index else (0.0, 0.0)
    within = buckets[bounds[index]] - below
    return lower + (bounds[index] - lower) * ((rank - below) / within if within else 1.0)
