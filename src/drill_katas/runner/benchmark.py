"""Adapts pytest-benchmark, its options and its report, to checks that measure with it."""

from __future__ import annotations

import os
from typing import Final

import pytest

FIXTURE: Final = "benchmark"


def keep_no_empty_storage(config: pytest.Config) -> None:
    """Prevent pytest-benchmark from creating its folder for saved runs, unless a run is saved or read.

    It creates a missing folder when it starts, so this points it to a folder that exists. This plugin starts first.
    """
    option = config.option
    if not any(getattr(option, f"benchmark_{use}", None) for use in ("save", "autosave", "compare")):
        option.benchmark_storage = f"file://{config.rootpath}"


def hide_table(config: pytest.Config) -> None:
    """Hide pytest-benchmark's table unless one of its options is given; limit it to 80 columns."""
    if not hasattr(config.option, "benchmark_quiet"):
        return
    environment = os.environ.get("PYTEST_ADDOPTS", "").split()
    arguments = (*config.invocation_params.args, *config.getini("addopts"), *environment)
    has_option = any(str(each).startswith("--benchmark-") for each in arguments)
    config.option.benchmark_quiet = config.option.benchmark_quiet or not has_option
    config.option.benchmark_columns = config.option.benchmark_columns or ["min", "median", "max", "rounds"]


def is_left_out(item: pytest.Item) -> bool:
    """Return whether `--benchmark-only` or `--benchmark-skip` excludes a check.

    Such a check is deselected, because pytest-benchmark would skip it, and a skipped check counts as failed.
    """
    only, skip = (item.config.getoption(f"benchmark_{what}", default=False) for what in ("only", "skip"))
    return bool(skip) if _measures(item) else bool(only)


def is_unrecorded(item: pytest.Item) -> bool:
    """Return whether a check measured while pytest-benchmark was disabled, by `-n` or `--benchmark-disable`."""
    fixtures = getattr(item, "funcargs", {})
    return bool(getattr(fixtures.get(FIXTURE), "disabled", False))


def need_not_measure(item: pytest.Item) -> None:
    """Silence the warning about an unused benchmark fixture, because a check may fail before it measures."""
    if _measures(item):
        item.add_marker(pytest.mark.filterwarnings("ignore:Benchmark fixture was not used"))


def _measures(item: pytest.Item) -> bool:
    return FIXTURE in getattr(item, "fixturenames", ())
