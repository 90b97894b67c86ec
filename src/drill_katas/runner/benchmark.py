"""Checks that measure with pytest-benchmark: what its options and its habits mean for them."""

from __future__ import annotations

import os
from typing import Final

import pytest

FIXTURE: Final = "benchmark"


def keep_no_empty_storage(config: pytest.Config) -> None:
    """Keep pytest-benchmark from making its folder for saved runs when none is saved or read.

    It makes the folder as it starts, which is after us; one that is there already it leaves as it is.
    """
    option = config.option
    if not any(getattr(option, f"benchmark_{use}", None) for use in ("save", "autosave", "compare")):
        option.benchmark_storage = f"file://{config.rootpath}"


def keep_table_aside(config: pytest.Config) -> None:
    """Show pytest-benchmark's table only when one of its options is given, and then on 80 columns."""
    if not hasattr(config.option, "benchmark_quiet"):
        return
    environment = os.environ.get("PYTEST_ADDOPTS", "").split()
    arguments = (*config.invocation_params.args, *config.getini("addopts"), *environment)
    asked = any(str(each).startswith("--benchmark-") for each in arguments)
    config.option.benchmark_quiet = config.option.benchmark_quiet or not asked
    config.option.benchmark_columns = config.option.benchmark_columns or ["min", "median", "max", "rounds"]


def is_left_out(item: pytest.Item) -> bool:
    """Whether `--benchmark-only` or `--benchmark-skip` leaves a check out; pytest-benchmark would have it skipped.

    A check that is skipped has failed, and one that is left out has not run.
    """
    only, skip = (item.config.getoption(f"benchmark_{what}", default=False) for what in ("only", "skip"))
    return bool(skip) if _measures(item) else bool(only)


def is_unrecorded(item: pytest.Item) -> bool:
    """Whether a check has measured while pytest-benchmark was off: under `-n`, or `--benchmark-disable`."""
    fixtures = getattr(item, "funcargs", {})
    return bool(getattr(fixtures.get(FIXTURE), "disabled", False))


def need_not_measure(item: pytest.Item) -> None:
    """Let a check fail before it has measured anything: it has said why, and need not be warned of it."""
    if _measures(item):
        item.add_marker(pytest.mark.filterwarnings("ignore:Benchmark fixture was not used"))


def _measures(item: pytest.Item) -> bool:
    return FIXTURE in getattr(item, "fixturenames", ())
