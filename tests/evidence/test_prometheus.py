"""A real Prometheus reads the files of an incident, and evaluates them to the same results."""

from __future__ import annotations

import json
import math
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request

import pytest

from drill_katas.catalog.katas import shipped
from drill_katas.evidence import store
from drill_katas.evidence.replay import story_of
from drill_katas.evidence.samples import Metrics, alerts_of
from drill_katas.kit.rules import Rule, gauge, increase, quantile, rate

pytestmark = pytest.mark.skipif(
    shutil.which("prometheus") is None, reason="prometheus is not installed; .ci/run installs it"
)
NAMES = shipped().names()


@pytest.fixture(scope="module")
def incidents(drills):
    """The folders of the incidents, by kata."""
    return {name: drills / ".kata" / "incidents" / name for name in NAMES}


@pytest.fixture(scope="module")
def ask(incidents, tmp_path_factory):
    """A Prometheus with the metrics of all incidents: evaluates an expression at a time, as {labels: value}."""
    data = tmp_path_factory.mktemp("prometheus")
    for folder in incidents.values():
        command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", folder / "metrics.txt", data]
        subprocess.run(command, check=True, capture_output=True)
    (data / "prometheus.yml").write_text("")
    port = free_port()
    server = subprocess.Popen(
        [
            "prometheus", f"--config.file={data / 'prometheus.yml'}", f"--storage.tsdb.path={data}",
            "--storage.tsdb.retention.time=100y", f"--web.listen-address=127.0.0.1:{port}", "--log.level=error",
        ],
    )  # fmt: skip

    def ask(expression, at):
        query = urllib.parse.urlencode({"query": expression, "time": at})
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/api/v1/query?{query}", timeout=20) as answer:
            found = json.load(answer)["data"]["result"]
        return {tuple(sorted(each["metric"].items())): float(each["value"][1]) for each in found}

    try:
        wait_until_it_answers(ask)
        yield ask
    finally:
        server.kill()
        server.wait()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until_it_answers(ask):
    for _ in range(200):
        try:
            ask("vector(1)", 0)
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
        else:
            return
    raise AssertionError("prometheus does not answer")


def rules_of(name):
    with story_of(shipped().get(name)) as story:
        return story.INCIDENT.rules


@pytest.mark.parametrize("name", NAMES)
def test_prometheus_agrees_on_every_rule_every_minute(incidents, ask, name):
    incident = store.read(incidents[name], name)
    metrics, compared = Metrics(incident.metrics), 0
    for rule in rules_of(name):
        for at in metrics.times()[4::4]:
            theirs = ask(str(rule.condition.expression), at)
            ours = rule.condition.expression.value(metrics, at)
            (value,) = theirs.values() or [None]
            if ours is None or value is None:
                assert ours == value, f"{rule.name} at {at}: {ours} here, {value} there"
            else:
                assert math.isnan(ours) == math.isnan(value)
                assert math.isnan(ours) or ours == pytest.approx(value, rel=1e-6), f"{rule.name} at {at}"
                compared += 1
    assert compared > 20


@pytest.mark.parametrize("name", NAMES)
def test_alert_fires_while_prometheus_condition_is_true(incidents, ask, name):
    incident = store.read(incidents[name], name)
    metrics = Metrics(incident.metrics)
    of_rules = {rule.name: rule for rule in rules_of(name)}
    assert incident.alerts == alerts_of(of_rules.values(), metrics)
    for alert in incident.alerts:
        assert alert.expression == str(of_rules[alert.name].condition)
        assert ask(alert.expression, alert.fired), f"{alert.name} does not hold when it fires"
        if alert.resolved:
            assert not ask(alert.expression, alert.resolved), f"{alert.name} still holds when it is resolved"


def test_a_percentile_is_interpolated_as_it_does(incidents, ask):
    """A histogram's percentile is at most a bucket from the truth, here and there."""
    metrics = Metrics(store.read(incidents["red_herring"], "red_herring").metrics)
    for share in (0.5, 0.9, 0.95, 0.99):
        of = quantile(share, "request_duration_seconds", "10m", request="checkout")
        at = metrics.times()[-1]
        assert of.value(metrics, at) == pytest.approx(*ask(str(of), at).values(), rel=1e-6)


def test_expressions_of_every_kind_are_the_same(incidents, ask):
    metrics = Metrics(store.read(incidents["circular_deadlock"], "circular_deadlock").metrics)
    for expression in (
        gauge("calls_open", caller="stock"),
        gauge("no_such_metric"),
        rate("calls_total", "2m"),
        increase("calls_total", "5m", callee="pricing"),
        increase("calls_total", "5m", callee="nobody") / rate("calls_total", "1m"),
    ):
        for at in metrics.times()[10::20]:
            (value,) = ask(str(expression), at).values() or [None]
            ours = expression.value(metrics, at)
            assert ours == value if value is None else ours == pytest.approx(value, rel=1e-6), f"{expression} at {at}"


def test_rule_that_disagrees_with_prometheus_is_seen(incidents, ask):
    """Should this fail, the tests above may have compared nothing."""
    metrics = Metrics(store.read(incidents["red_herring"], "red_herring").metrics)
    never = Rule("Never", gauge("db_connections_in_use") > 1e9, wait="0s", severity="page", summary="")
    assert not alerts_of([never], metrics)
    assert ask("db_connections_in_use", metrics.times()[-1])
