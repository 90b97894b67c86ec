"""An incident's page, alert rules, metrics, and traces agree on times, names, and counts."""

from __future__ import annotations

import re
from collections import Counter

import pytest

from drill_katas.catalog.katas import shipped
from drill_katas.evidence.records import clock_time
from drill_katas.evidence.replay import story_of
from drill_katas.evidence.samples import Metrics, alerts_of
from drill_katas.kit.rules import seconds_of
from tests.support.commands import done
from tests.support.pages import data_of, needs_chromium, shown, written
from tests.support.replays import NAMES, asked, incident


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


@pytest.fixture
def found(drills, name):
    return incident(drills, name)


@pytest.fixture
def plan(name):
    with story_of(shipped().get(name)) as story:
        return story.INCIDENT


def total(found, name, **labels):
    """The last values of a counter's series, added up."""
    return sum(series.points[-1][1] for series in Metrics(found.metrics).of(name, labels))


def from_customers(found):
    return [span for span in found.spans if span.attributes["caller"] == "customers"]


def test_alerts_are_those_that_rules_give(found, plan):
    """The recorded metrics, as others read them from the file, make the same alerts fire at the same times."""
    assert alerts_of(plan.rules, Metrics(found.metrics)) == found.alerts
    assert found.alerts


def test_an_alert_fires_after_its_wait(found, plan):
    metrics = Metrics(found.metrics)
    rules = {rule.name: rule for rule in plan.rules}
    for alert in found.alerts:
        rule = rules[alert.name]
        pending = [at for at in metrics.times() if alert.fired - seconds_of(rule.wait) <= at <= alert.fired]
        assert all(rule.condition.holds(metrics, at) for at in pending), alert
        assert not alert.resolved or not rule.condition.holds(metrics, alert.resolved)


def test_rules_on_disk_match_the_alerts(drills, name, found):
    text = (drills / ".kata" / "incidents" / name / "rules.yml").read_text()
    for alert in found.alerts:
        assert f'alert: "{alert.name}"' in text
        assert alert.summary in text


def test_requests_are_as_many_as_their_spans(found):
    spans = Counter((span.service, span.name) for span in from_customers(found))
    counted = {
        (service, request): total(found, "requests_total", service=service, request=request)
        for service, request in spans
    }
    assert counted == spans
    for (service, request), number in spans.items():
        assert total(found, "request_duration_seconds_count", service=service, request=request) == number


def test_statements_and_calls_match_their_span_counts(found):
    for metric, label in (("db_statements_total", "database"), ("upstream_calls_total", "upstream")):
        for of in {series.labels[label] for series in Metrics(found.metrics).of(metric, {})}:
            spans = [span for span in found.spans if span.service == of]
            assert total(found, metric, **{label: of}) == len(spans), of
    ended = Counter((span.attributes["caller"], span.service) for span in found.spans if span.ended is not None)
    for series in Metrics(found.metrics).of("calls_total", {}):
        pair = series.labels["caller"], series.labels["callee"]
        assert total(found, "calls_total", caller=pair[0], callee=pair[1]) == ended[pair], pair


def test_what_customers_got_is_what_was_counted(found, plan):
    """In the summary, in the counter that the page draws, and in the spans."""
    summary = found.summary
    good, bad = (total(found, "slo_requests_total", result=result) for result in ("good", "bad"))
    if plan.until is None:
        assert (summary.before.good + summary.after.good) == good
        assert (summary.before.requests + summary.after.requests) == good + bad
    asked_for = [span for span in from_customers(found) if span.name == plan.request]
    levels = (summary.before, summary.after)
    assert sum(level.requests for level in levels) <= len(asked_for), "some would not have waited anyway"
    assert summary.onset is not None
    assert min(span.began for span in asked_for) - plan.scale < summary.onset < summary.until


def test_the_graph_counts_all_calls(drills, name, found):
    calls = {(edge["caller"], edge["callee"]): edge["calls"] for edge in asked(drills, "graph", name)}
    assert calls == Counter((span.attributes["caller"], span.service) for span in found.spans)


def test_a_trace_is_one_request(drills, name, found):
    """Work on no trace is no trace: the books that are compared every five minutes, a shop that is filled."""
    traces = asked(drills, "traces", name, "--slowest", 100_000)
    assert len(traces) == len({span.trace_id for span in from_customers(found)})


def test_chart_figures_match_their_metric(drills, name, found):
    summary = found.summary
    for chart in data_of(name, your_code=drills).metrics:
        for line in chart.lines:
            during = [value for at, value in line.points[0] if summary.since <= at <= summary.until]
            if during and line.figures[0].during is not None:
                assert line.figures[0].during == pytest.approx(sum(during) / len(during))


@needs_chromium
def test_page_rounds_shares_as_terminal_does(opened, drills, tmp_path):
    shares = [0.0, 0.005, 0.015, 0.115, 0.125, 0.135, 0.375, 0.625, 1.0]
    page = opened(written(tmp_path, "red_herring", shown("red_herring", your_code=drills)))
    assert page.evaluate(f"{shares}.map(percent)") == [int(f"{share * 100:.0f}") for share in shares]


@needs_chromium
def test_the_page_shows_these_figures(opened, drills, tmp_path, name, found):
    page = opened(written(tmp_path, name, shown(name, your_code=drills)))
    message = page.locator("section.card").first.inner_text()
    summary = found.summary
    for level in (summary.before, summary.after):
        assert f"{level.good} of {level.requests} requests good" in message
        assert f"{level.share * 100:.0f} %" in message
    assert f"First bad answer at {clock_time(summary.onset)}." in message
    timeline = page.locator(".timeline").inner_text()
    for alert in found.alerts:
        until = clock_time(alert.resolved) if alert.resolved else "the end"
        assert f"{alert.name} {alert.severity}, {clock_time(alert.fired)} to {until}" in re.sub(r"\s+", " ", timeline)
    calls = page.locator(".graphs .figures").inner_text().split()
    edges = Counter((span.attributes["caller"], span.service) for span in found.spans)
    assert sorted(int(word) for word in calls if word.isdigit()) == sorted(edges.values())[-8:]


def test_the_terminal_shows_the_same_alerts(drills, name, found):
    message = done(drills, "alerts", name)
    for alert in found.alerts:
        assert f"{clock_time(alert.fired)}  " in message
        assert alert.name in message
