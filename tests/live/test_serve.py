"""`kata serve`: a broken system that is live, scraped by a real Prometheus, called by hand, followed, exported."""

from __future__ import annotations

import gzip
import http.server
import itertools
import json
import queue
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
from msgspec.structs import replace
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from drill_katas.catalog.katas import shipped
from drill_katas.evidence.records import LogLine, Span
from drill_katas.kit.rules import Rule, gauge, increase, quantile, rate
from drill_katas.live.export import Exporter
from drill_katas.live.system import buckets
from drill_katas.quantiles import nearest_rank
from tests.support.commands import Started, done, kata, refused, words
from tests.support.waiting import wait_until

REQUESTS = {"/v1/traces": ExportTraceServiceRequest, "/v1/logs": ExportLogsServiceRequest}


@dataclass
class Collector:
    """Takes what an OpenTelemetry collector takes over HTTP, as long as it is `up`."""

    got: dict[str, list] = field(default_factory=lambda: {"/v1/traces": [], "/v1/logs": []})
    headers: list = field(default_factory=list)
    up: bool = True

    def __enter__(self):
        collector = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["content-length"]))
                if collector.up:
                    collector.headers.append(self.headers)
                    whole = gzip.decompress(body) if self.headers["content-encoding"] == "gzip" else body
                    collector.got[self.path].append(REQUESTS[self.path].FromString(whole))
                self.send_response(200 if collector.up else 503)
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def spans(self):
        """All spans, as JSON has them but for their ids, which are bytes there."""
        return [span for request in self.got["/v1/traces"] for span in spans_in(request)]

    def logs(self):
        """All log records, with the services that they are of."""
        return [
            (service_of(group), record)
            for request in self.got["/v1/logs"]
            for group in request.resource_logs
            for scope in group.scope_logs
            for record in scope.log_records
        ]


def service_of(group):
    return next(each.value.string_value for each in group.resource.attributes if each.key == "service.name")


def spans_in(request):
    """The spans of an OTLP request."""
    for group in request.resource_spans:
        for scope in group.scope_spans:
            for span in scope.spans:
                yield Span(
                    trace_id=span.trace_id.hex(),
                    span_id=span.span_id.hex(),
                    parent_id=span.parent_span_id.hex() or None,
                    service=service_of(group),
                    name=span.name,
                    kind="server" if span.kind == span.SPAN_KIND_SERVER else "client",
                    began=span.start_time_unix_nano / 1_000_000_000,
                    ended=span.end_time_unix_nano / 1_000_000_000,
                    failed=span.status.code == span.status.STATUS_CODE_ERROR,
                    attributes={each.key: each.value.string_value for each in span.attributes},
                )


class Live(Started):
    """A real `kata serve` on a free port."""

    def __init__(self, folder, name, *options, env=None):
        super().__init__(folder, "serve", name, "--port", "0", *options, env=env)
        self.folder = folder / ".kata" / "live" / name
        self.url = re.search(r"curl (\S+)/", self.wait_for("Endpoints:"))[1]

    def ask(self, path, body=None):
        data = None if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        try:
            with urllib.request.urlopen(self.url + path, data, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()

    def until_up(self, service):
        wait_until(lambda: f"/{service}/" in self.ask("/")[1])


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    folder = tmp_path_factory.mktemp("live")
    done(folder, "init", ".")
    return folder


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# By a real Prometheus


class Prometheus:
    """A real Prometheus, with the configuration that `kata serve` writes."""

    def __init__(self, live):
        self.url = f"http://127.0.0.1:{free_port()}"
        self.process = subprocess.Popen(
            [
                "prometheus", f"--config.file={live.folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={live.folder / 'tsdb'}", "--log.level=error",
                f"--web.listen-address={self.url.removeprefix('http://')}",
            ],
        )  # fmt: skip

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()

    def get(self, path, **query):
        try:
            with urllib.request.urlopen(f"{self.url}{path}?{urllib.parse.urlencode(query)}", timeout=20) as answer:
                return json.load(answer)["data"]
        except (urllib.error.URLError, ConnectionError):
            return {}

    def wait_until(self, fires, seconds):
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            alerts = {
                each["labels"]["alertname"]: each["state"] for each in self.get("/api/v1/alerts").get("alerts", [])
            }
            if alerts.get(fires) == "firing":
                return
            time.sleep(0.2)
        raise AssertionError(f"{fires} does not fire; there are {alerts}")

    def value(self, expression):
        (found,) = self.get("/api/v1/query", query=expression)["result"]
        return float(found["value"][1])


@pytest.mark.long
@pytest.mark.skipif(shutil.which("prometheus") is None, reason="prometheus is not installed; .ci/run installs it")
def test_real_prometheus_scrapes_and_fires_its_page(workspace):
    """Its p95 equals the p95 of the spans, to 5 %."""
    with Collector() as collector:
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url}
        with Live(workspace, "red_herring", "--speed", "60", env=env) as live, Prometheus(live) as prometheus:
            subprocess.run(["promtool", "check", "rules", live.folder / "rules.yml"], check=True, capture_output=True)
            prometheus.wait_until(fires="CheckoutErrors", seconds=60)
            assert prometheus.value("up") == 1
            assert live.interrupt() == 0
            wait_until(lambda: prometheus.value("up") == 0)  # the last scraped values stay
            buckets = 'sum by (le) (last_over_time(request_duration_seconds_bucket{service="shop-checkout"}[1m]))'
            message = prometheus.value(f"histogram_quantile(0.95, {buckets})")
            scraped = prometheus.value('last_over_time(request_duration_seconds_count{service="shop-checkout"}[1m])')
    took = [span.seconds for span in collector.spans() if (span.service, span.name) == ("shop-checkout", "checkout")]
    assert len(took) > 25
    assert message == pytest.approx(nearest_rank(sorted(took[: int(scraped)]), 95), rel=0.05)


def test_buckets_give_percentiles_to_5_percent():
    bounds = buckets(6)
    assert bounds[0] <= 0.0001
    assert bounds[-1] >= 6
    assert all(upper / lower <= 1.051 for lower, upper in itertools.pairwise(bounds))


@pytest.mark.parametrize(
    ("rule", "faster"),
    [
        (gauge("a") > 3, "sum(a) > 3"),
        (rate("a", "5m") > 3, "sum(rate(a[30s])) > 30"),
        (increase("a", "5m") > 3, "sum(increase(a[30s])) > 3"),
        (rate("a", "5m") / rate("b", "1m") < 3, "sum(rate(a[30s])) / sum(rate(b[6s])) < 3"),
        (quantile(0.95, "a", "1m") > 3, "histogram_quantile(0.95, sum by (le) (rate(a_bucket[6s]))) > 3"),
    ],
)
def test_rules_follow_the_speed(rule, faster):
    alert = Rule("A", rule, wait="5s", severity="page", summary="").at_speed(10)
    assert (str(alert.condition), alert.wait) == (faster, "500ms")


# By hand


@pytest.mark.long
def test_methods_are_called_by_hand(workspace):
    with Live(workspace, "fp_drift") as live:
        live.until_up("ledger")
        paid = {"id": "evt-1", "type": "payment", "account": "me", "currency": "USD", "amount": "2.50", "delivery": 1}
        assert live.ask("/ledger/apply", paid)[0] == 200
        assert live.ask("/ledger/balance", ["me", "USD"]) == (200, '"2.50"')
        assert live.ask("/ledger/apply", {}) == (500, "KeyError: 'type'\n")
        assert live.ask("/ledger/balance") == (405, "POST a JSON list of arguments\n")
        status, message = live.ask("/ledger/no_such", [])
        assert (status, "no_such is missing" in message) == (400, True)
        status, message = live.ask("/ledger/balance", b"me")
        assert (status, message.partition(":")[0]) == (400, "the body should be a JSON list of arguments")
        assert live.ask("/nobody/x") == (404, "there is no service 'nobody' here; services: ledger\n")
        assert 'requests_total{request="balance",service="ledger",status="ok"} ' in live.ask("/metrics")[1]
        assert live.interrupt() == 0
    assert "fp_drift is stopped" in live.lines[-1]


def test_http_services_are_asked_by_hand(workspace):
    """Each request has a trace of its own."""
    with Live(workspace, "circular_deadlock", "--from", "solutions") as live:
        live.until_up("checkout")
        assert live.ask("/checkout/health")[0] == 200
        assert live.ask("/checkout/nothing")[0] == 404
        assert 'calls_total{callee="checkout",caller="customers",status="404"} 1.0' in live.ask("/metrics")[1]


def test_metrics_use_the_requested_format(workspace):
    with Live(workspace, "n_plus_one") as live:
        live.until_up("dashboard")
        wanted = urllib.request.Request(f"{live.url}/metrics", headers={"accept": "application/openmetrics-text"})
        with urllib.request.urlopen(wanted, timeout=20) as answer:
            assert answer.headers["content-type"].startswith("application/openmetrics-text")
            assert answer.read().endswith(b"# EOF\n")


# Followed


@pytest.mark.long
def test_its_log_is_followed_until_it_ends(workspace):
    with (
        Live(workspace, "fp_drift", "--speed", "100") as live,
        Started(workspace, "logs", "fp_drift", "--follow", "--service", "finance-reconciliation") as following,
    ):
        live.until_up("ledger")
        live.ask("/ledger/balance", [])  # is logged, and not by this service
        following.wait_for("finance-reconciliation: books compared")
        assert live.interrupt() == 0
        assert following.process.wait(10) == 0
    assert not any("request failed" in line for line in following.lines)
    message = refused(kata(workspace, "logs", "fp_drift", "--follow"))
    assert message == "fp_drift is not live; `kata serve fp_drift` in another terminal starts it"


@pytest.mark.long
def test_lines_that_are_followed_can_be_json(workspace):
    with (
        Live(workspace, "fp_drift", "--speed", "100"),
        Started(workspace, "logs", "fp_drift", "--follow", "--json", "--grep", "compared") as following,
    ):
        line = json.loads(following.wait_for("compared"))
        assert (line["service"], line["accounts"] > 0) == ("finance-reconciliation", True)
        assert following.interrupt() == 0


# Exported


@pytest.mark.long
def test_telemetry_waits_for_its_collector(workspace):
    with Collector(up=False) as collector:
        env = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "OTEL_BSP_SCHEDULE_DELAY": "500"}
        began = time.time()
        with Live(workspace, "red_herring", "--speed", "100", env=env) as live:
            live.wait_for("note: OpenTelemetry: Transient error Service Unavailable")
            collector.up = True
            wait_until(lambda: collector.got["/v1/logs"] and len(collector.got["/v1/traces"]) > 2)
            assert live.interrupt() == 0
    assert collector.logs()
    spans = collector.spans()
    assert len({span.span_id for span in spans}) == len(spans), "an id was given twice"
    known = {span.span_id: span for span in spans}
    for span in spans:
        assert began - 60 < span.began <= span.ended < time.time() + 60
        assert span.parent_id is None or known[span.parent_id].trace_id == span.trace_id
    assert {"shop-checkout", "orders-db", "payments"} <= {span.service for span in spans}


SPANS = (
    Span(
        trace_id="0123456789abcdef0123456789abcdef",
        span_id="00000000000000a1",
        service="shop",
        name="checkout",
        kind="server",
        began=1_773_000_000.25,
        ended=1_773_000_001.5,
        failed=True,
        attributes={"caller": "customer"},
    ),
    Span(
        trace_id="0123456789abcdef0123456789abcdef",
        span_id="00000000000000a2",
        parent_id="00000000000000a1",
        service="payments",
        name="pay",
        kind="client",
        began=1_773_000_000.5,
        ended=1_773_000_001.0,
    ),
)
LINES = (
    LogLine(
        id="log-1",
        at=1_773_000_001.125,
        service="shop",
        level="error",
        event="failed",
        trace_id="0123456789abcdef0123456789abcdef",
        fields={"order": 7},
    ),
    LogLine(id="log-2", at=1_773_000_002.0, service="shop", level="info", event="odd", trace_id="no trace"),
)


@pytest.fixture
def exported(monkeypatch):
    """Sends to a collector, with settings of the SDK's, and gives the collector."""

    def export(**settings):
        with Collector() as collector:
            monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url)
            for name, value in settings.items():
                monkeypatch.setenv(f"OTEL_EXPORTER_OTLP_{name}", value)
            exporter = Exporter(pytest.fail)
            exporter.send(SPANS, LINES, offset=100.0)
            exporter.close()
        return collector

    return export


def test_ids_and_times_arrive_unchanged(exported):
    collector = exported()
    assert collector.spans() == [replace(span, began=span.began + 100, ended=span.ended + 100) for span in SPANS]
    (service, failed), (_, other) = collector.logs()
    assert (service, failed.body.string_value, failed.severity_number) == ("shop", "failed", 17)
    assert (failed.trace_id.hex(), failed.time_unix_nano) == (LINES[0].trace_id, 1_773_000_101_125_000_000)
    assert {each.key: each.value.string_value for each in failed.attributes} == {"order": "7"}
    assert (other.body.string_value, other.trace_id) == ("odd", b"")


def test_environment_sets_headers_and_compression(exported):
    collector = exported(HEADERS="x-key=a%20b,y=2", COMPRESSION="gzip")
    assert {(each["x-key"], each["y"]) for each in collector.headers} == {("a b", "2")}
    assert {each["content-encoding"] for each in collector.headers} == {"gzip"}
    assert len(collector.spans()) == len(SPANS)


def test_collector_outage_is_reported_once(monkeypatch):
    """And the end does not wait for it for long."""
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{free_port()}")
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "10")
    notices = queue.Queue()
    exporter = Exporter(notices.put)
    exporter.send(SPANS, (), offset=0.0)
    assert notices.get(timeout=20).startswith("OpenTelemetry: Transient error ")
    began = time.monotonic()
    exporter.close()
    assert time.monotonic() - began < 10
    assert notices.empty()


def test_serve_explains_how_to_install_missing_extra(workspace, tmp_path):
    (tmp_path / "opentelemetry.py").write_text("raise ModuleNotFoundError('No module named opentelemetry')")
    env = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://localhost:4318", "PYTHONPATH": str(tmp_path)}
    message = refused(kata(workspace, "serve", "fp_drift", env=env))
    assert message.endswith("pip install drill-katas[otel]")


def test_an_endpoint_without_a_scheme_is_refused(workspace):
    message = refused(kata(workspace, "serve", "fp_drift", env={"OTEL_EXPORTER_OTLP_ENDPOINT": "collector:4317"}))
    assert message == (
        "OTEL_EXPORTER_OTLP_ENDPOINT is collector:4317; it should be a URL, such as http://localhost:4318"
    )


# Ends and mistakes


@pytest.mark.long
@pytest.mark.parametrize("name", shipped().names())
def test_serve_listens_only_locally_and_leaves_nothing(workspace, name):
    with Live(workspace, name) as live:
        wait_until(lambda: psutil.Process(live.process.pid).children(recursive=True))
        tree = [psutil.Process(live.process.pid), *psutil.Process(live.process.pid).children(recursive=True)]
        listening = [
            each.laddr for process in tree for each in process.net_connections("inet") if each.status == "LISTEN"
        ]
        assert [address.ip for address in listening] == ["127.0.0.1"]
        assert live.interrupt(signal.SIGTERM) == 0
        _, alive = psutil.wait_procs(tree, timeout=5)
        assert not alive


@pytest.mark.long
def test_a_system_is_served_once(workspace):
    """A port that is taken gets its message."""
    with Live(workspace, "fp_drift") as live:
        assert (
            refused(kata(workspace, "serve", "fp_drift", "--port", "0"))
            == "fp_drift is already live in another terminal"
        )
        port = live.url.rpartition(":")[2]
        message = refused(kata(workspace, "serve", "red_herring", "--port", port))
        assert message == f"port {port} is not available (Address already in use); --port 0 takes any free port"


@pytest.mark.long
def test_a_dead_module_gets_its_message(tmp_path):
    done(tmp_path, "init", ".")
    module = Path(tmp_path, "katas", "fp_drift", "ledger.py")
    text = module.read_text()
    module.write_text("import nothing_like_it\n")
    assert "ledger.py cannot be imported" in words(kata(tmp_path, "serve", "fp_drift", "--port", "0").stderr)
    module.write_text(text + "\n\nLedger.balance = lambda *_: __import__('os')._exit(3)\n")
    result = kata(tmp_path, "serve", "fp_drift", "--port", "0")
    assert result.returncode == 1
    assert "fp_drift stopped by itself: " in result.stderr
