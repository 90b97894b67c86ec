"""Gauges keep their maximum between two samples, so a peak between them is visible."""

from __future__ import annotations

import re

import pytest

from drill_katas.evidence.peaks import Level, Use, most_at_once
from drill_katas.evidence.samples import Metrics
from tests.support.commands import done
from tests.support.replays import NAMES, incident


def highest(folder, name, metric, **labels):
    return max(
        value for series in Metrics(incident(folder, name).metrics).of(metric, labels) for _, value in series.points
    )


def most_open(spans):
    return most_at_once([Use(span.began, span.ended) for span in spans], 0)


@pytest.mark.parametrize("name", ["n_plus_one", "circular_deadlock"])
def test_requests_in_flight_match_the_spans(drills, name):
    """Dozens of customers wait at once between two samples, and are gone when the next one is taken."""
    found = incident(drills, name)
    asked = [span for span in found.spans if span.attributes["caller"] == "customers"]
    most = most_open(asked)
    assert most >= 5
    assert highest(drills, name, "calls_open", caller="customers") >= 4
    assert most * 0.7 <= highest(drills, name, "requests_in_flight") <= most * 1.3


def test_a_plot_shows_the_customers_that_wait(drills):
    message = done(drills, "metrics", "n_plus_one", "requests_in_flight")
    assert "0 all the time" not in message
    assert re.search(r"^ +[4-9]\d? ┤", message, re.MULTILINE), message


@pytest.mark.parametrize("name", NAMES)
def test_every_work_gauge_shows_activity(drills, name):
    for family in incident(drills, name).metrics:
        if family.name in {"requests_in_flight", "calls_open", "db_connections_in_use", "db_connections_open"}:
            for series in family.series:
                assert any(value for _, value in series.points), (family.name, series.labels)


def test_connections_are_in_use_while_statements_run(drills):
    assert highest(drills, "red_herring", "db_connections_in_use") >= 5, "those that leak, too"
    assert highest(drills, "fp_drift", "db_connections_in_use") == 1


def test_overlapping_uses_are_counted_from_then_on():
    uses = [Use(1, 4), Use(2, 3), Use(3, 5), Use(9, None)]
    assert [most_at_once(uses, since) for since in (0, 3.5, 4.5, 6)] == [2, 2, 1, 1]
    assert most_at_once([], 0) == 0


def test_level_falls_only_with_next_sample():
    level, since = Level(), 0.0
    level.set(3)
    level.set(24)
    level.set(0)
    assert level.highest(since) == 24
    assert level.highest(float("inf")) == 0
    level.set(2)
    assert level.highest(since) == 2
