"""Queries on an incident, and experiments with it."""

from __future__ import annotations

import json

import msgspec
import pytest

from drill_katas.evidence.records import ServiceLevel
from drill_katas.practice.journal import Queried, Replayed
from tests.support.commands import done, kata, refused, words
from tests.support.replays import events, incident

# Questions


def test_alerts_show_firing_time_and_rule(drills):
    message = words(done(drills, "alerts", "red_herring"))
    assert "ExportWorkerCpuHigh (ticket) The nightly export worker uses more than 90 % of a processor." in message
    assert "sum(export_worker_cpu_ratio) > 0.9" in message
    assert json.loads(done(drills, "alerts", "red_herring", "--json"))[0]["name"] == "ExportWorkerCpuHigh"


def test_logs_filter_by_every_option(drills):
    def found(*options):
        return json.loads(done(drills, "logs", "red_herring", "--json", *options))

    everything = found()
    assert {line["level"] for line in found("--level", "warning")} == {"warning", "error"}
    assert {line["service"] for line in found("--service", "export-worker")} == {"export-worker"}
    assert {line["fields"]["reason"] for line in found("--grep", "sold out")} == {"sold out"}
    (at,) = {line["at"] for line in everything if line["event"] == "drop on sale"}
    assert found("--since", "02:45")[0]["at"] == at
    trace = next(line["trace_id"] for line in everything if line["event"] == "checkout failed")
    assert {line["trace_id"] for line in found("--trace", trace[:12])} == {trace}
    assert "checkout failed" in done(drills, "logs", "red_herring", "--trace", trace)


def test_an_empty_log_says_why(own):
    (own / ".kata" / "incidents" / "circular_deadlock" / "logs.jsonl").write_text("")
    message = kata(own, "logs", "circular_deadlock")
    assert message.returncode == 1
    assert message.stderr.startswith("no service wrote a log line: a request that hangs or ends silently writes none")


def test_traces_are_listed_and_drawn(drills):
    """The slowest or the failed ones come first, and one is drawn as a tree."""
    slowest = json.loads(done(drills, "traces", "red_herring", "--json", "--slowest", 5))
    times = [trace["seconds"] for trace in slowest]
    assert len(times) == 5
    assert times == sorted(times, reverse=True)
    failed = json.loads(done(drills, "traces", "red_herring", "--json", "--failed"))
    assert all(any(span["failed"] for span in trace["spans"]) for trace in failed)
    tree = done(drills, "traces", "red_herring", failed[0]["trace_id"][:10])
    assert f"trace {failed[0]['trace_id']}" in tree
    assert "  orders-db: SELECT" in tree


def test_abandoned_requests_come_first(drills):
    first = done(drills, "traces", "circular_deadlock", "--slowest", 1).splitlines()[1]
    assert "checkout: POST /orders (none)" in first
    found = json.loads(done(drills, "traces", "circular_deadlock", "--slowest", 200, "--json"))
    stuck = max(found, key=lambda trace: ((trace["seconds"] or 0) > 30, len(trace["spans"])))
    tree = done(drills, "traces", "circular_deadlock", stuck["trace_id"])
    assert "      checkout: GET /orders/{id}/terms" in tree


def test_metrics_are_listed_and_plotted(drills):
    assert "db_connections_in_use  gauge, 1 series" in done(drills, "metrics", "red_herring")
    plot = done(drills, "metrics", "red_herring", "db_connections_in_use")
    assert "        6 ┤" in plot, "five that leaked, and the one at work"
    assert "02:35" in plot
    assert "03:05" in plot
    chosen = ["--label", "request=checkout", "--percentile", "99"]
    assert "p99 of request_duration_seconds" in done(
        drills, "metrics", "red_herring", "request_duration_seconds", *chosen
    )
    rates = json.loads(
        done(drills, "metrics", "red_herring", "checkout_failure_total", "--label", "reason=sold out", "--json")
    )
    assert [each["name"] for each in rates] == ["checkout_failure_total{reason=sold out}, per minute"]


def test_the_graph_marks_the_cycle(drills):
    message = words(done(drills, "graph", "circular_deadlock"))
    assert "in a cycle: checkout -> stock -> pricing -> checkout" in message
    dot = done(drills, "graph", "circular_deadlock", "--dot")
    assert dot.count("color=red") == 3
    assert '"customers" -> "checkout"' in dot
    assert "cycle" not in done(drills, "graph", "n_plus_one")


def test_questions_are_noted_in_the_journal(own):
    before = len(events(own, Queried))
    done(own, "logs", "red_herring", "--level", "error")
    done(own, "graph", "red_herring")
    asked = events(own, Queried)[before:]
    assert [(event.about, event.options) for event in asked] == [("logs", {"level": "error"}), ("graph", {})]


@pytest.mark.long
@pytest.mark.parametrize(
    "question", [["alerts"], ["logs"], ["traces"], ["metrics"], ["metrics", "requests_total"], ["graph"], ["incident"]]
)
def test_sixty_columns_and_no_unicode_are_enough(own, question):
    command, *rest = question
    message = done(
        own,
        command,
        "fp_drift",
        *rest,
        env={"COLUMNS": "60", "PYTHONUTF8": "0", "LC_ALL": "C", "PYTHONIOENCODING": "ascii"},
    )
    assert message.isascii()
    assert max(map(len, message.splitlines())) <= 60, message


# Experiments


def test_experiments_are_listed(drills):
    assert "worker_off the export worker does not run" in words(done(drills, "experiment", "red_herring"))


@pytest.mark.long
def test_only_the_causes_experiment_changes_much(own):
    base = incident(own, "red_herring").summary.after
    off = json.loads(done(own, "experiment", "red_herring", "worker_off", "--json"))
    level = msgspec.convert(off["experiment"]["after"], ServiceLevel)
    assert (level.requests, level.good) == (base.requests, base.good)
    none = json.loads(done(own, "experiment", "red_herring", "no_drop", "--json"))
    assert msgspec.convert(none["experiment"]["after"], ServiceLevel).share == 1
    message = done(own, "experiment", "red_herring", "no_drop")
    assert "requests good (0%)" in message
    assert "  experiment  " in message
    assert "CheckoutErrors" not in message
    assert "drop on sale" not in done(own, "logs", "red_herring", "--experiment", "no_drop")
    assert [event.ablation for event in events(own, Replayed)][-3:] == ["worker_off", "no_drop", "no_drop"]


# The record


def test_nights_are_drawn_to_one_scale(own):
    lines = done(own, "metrics", "red_herring", "export_worker_cpu_ratio", "--recorded").splitlines()
    assert lines[0] == "export_worker_cpu_ratio, 14 nights, up to 0.985"
    nights = [line for line in lines if line.startswith("2026-")]
    assert len(nights) == 14
    assert all("▇" in night or "█" in night for night in nights), "the worker is busy every night"
    errors = done(own, "metrics", "red_herring", "checkout_error_ratio", "--recorded").splitlines()
    assert sum("█" in night for night in errors) == 2, "and customers are hurt in two whole ones"
    (asked, _) = events(own, Queried)
    assert asked.options == {"metric": "export_worker_cpu_ratio", "recorded": "True"}


def test_long_lists_say_what_is_left(drills):
    message = "The nights before are recorded: kata metrics red_herring --recorded"
    assert message in kata(drills, "metrics", "red_herring").stderr
    assert not kata(drills, "metrics", "fp_drift").stderr
    assert "checkout_answers  gauge, 5 series" in done(drills, "metrics", "red_herring", "--recorded")


def test_deploys_on_record_are_log_lines(drills):
    lines = done(drills, "logs", "red_herring", "--recorded", "--service", "export-worker").splitlines()
    assert lines[0].startswith("2026-03-08 04:00:00 info    export-worker: restart what=by on-call")
    assert json.loads(done(drills, "logs", "red_herring", "--recorded", "--json"))[0]["event"] == "deploy"


def test_deploys_are_found_from_a_day_on(drills):
    lines = done(drills, "logs", "red_herring", "--recorded", "--since", "2026-03-11").splitlines()
    assert [line[:10] for line in lines if line.startswith("2026")] == ["2026-03-11", "2026-03-12", "2026-03-12"]


@pytest.mark.parametrize("what", ["metrics", "logs"])
def test_nothing_on_record_is_said(drills, what):
    message = refused(kata(drills, what, "fp_drift", "--recorded"))
    assert message == "fp_drift has no recorded history from before its incident"
