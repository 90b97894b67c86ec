"""Diagnoses at the command line: questions, report, cost, and the low score of guesses."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import subprocess
from datetime import timedelta

import click
import pytest

from drill_katas.catalog.katas import shipped
from drill_katas.catalog.mechanisms import GROUPS, MECHANISMS
from drill_katas.evidence import store
from drill_katas.practice.journal import Diagnosed, Journal
from drill_katas.practice.progress import progress
from drill_katas.report.text import clock
from tests.support.commands import KATA, done, kata, refused, words

RIGHT = [
    "--component", "shop-checkout", "--mechanism", "resource-leak", "--alert", "ExportWorkerCpuHigh=noise",
    "--alert", "CheckoutErrors=caused", "--alert", "CheckoutLatencyHigh=caused",
]  # fmt: skip
RIGHT_NOW = ["diagnose", "red_herring", *RIGHT, "--onset", "02:56", "--experiment", "no_drop=gone"]


@pytest.fixture
def incident(own):
    return store.read(own / ".kata" / "incidents" / "red_herring", "red_herring")


def onset_of(incident):
    minutes = int(incident.summary.onset % 86400) // 60
    return f"{minutes // 60:02}:{minutes % 60:02}"


def diagnoses(folder):
    return [event for event in Journal(folder / ".kata" / Journal.NAME).read().events if isinstance(event, Diagnosed)]


# At the command line


@pytest.mark.long
def test_a_supported_diagnosis_is_recorded(own, incident):
    sold_out = next(line.id for line in incident.logs if line.fields.get("reason") == "sold out")
    done(own, "logs", "red_herring")
    done(own, "graph", "red_herring")
    done(own, "experiment", "red_herring", "no_drop")
    message = done(
        own, "diagnose", "red_herring", *RIGHT, "--onset", onset_of(incident), "--evidence", sold_out,
        "--experiment", "no_drop=gone",
    )  # fmt: skip
    assert "hypothesis supported" in message
    assert re.search(r"That is the cause: 100 of 100 points, after \d+:\d\d", message)
    (event,) = diagnoses(own)
    assert (event.right, event.score, event.state) == (True, 100, "supported")
    assert re.search(r"detected \d+:\d\d, diagnosed \d+:\d\d", done(own, "status"))


def test_parts_without_queried_evidence_are_not_shown(own, incident):
    guess = ["diagnose", "red_herring", *RIGHT, "--onset", onset_of(incident), "--experiment", "none"]
    message = words(done(own, *guess, code=1))
    assert "hypothesis not supported yet" in message
    assert "component not shown: your queries so far do not decide it; query the " in message
    assert "mechanism not shown: your queries so far do not decide it; run an experiment and query the" in message
    assert "alerts not shown: your queries so far do not decide it; run an experiment" in message
    done(own, "graph", "red_herring")
    message = words(done(own, *guess, code=1))
    assert "component right" in message
    assert "mechanism not shown" in message
    assert re.search(r"The clock shows \d+:\d\d\.", message), "the cause is right, and only not proven"


def at_a_terminal(folder, replies, *options):
    """The command's output for these typed replies, and its exit code."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "COLUMNS": "80"}
    command = [KATA, "diagnose", "red_herring", *options]
    process = subprocess.Popen(command, cwd=folder, env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    os.write(ours, replies)
    message = ""
    with contextlib.suppress(OSError):  # Linux raises EIO after the other end is closed
        while piece := os.read(ours, 65536):
            message += piece.decode()
    os.close(ours)
    return click.unstyle(message.replace("\r", "")), process.wait(30)


def test_terminal_asks_for_missing_answers(own):
    """By number or name, with a way back; the summary is confirmed before it counts."""
    replies = b"nowhere\nb\n6\n9\nb\n10\n02:56\n\ncaused\n\n1\nnoise\nnone\nb\n\nmaybe\ny\n"
    message, code = at_a_terminal(own, replies)
    assert code == 1
    assert "there is no component 'nowhere'" in words(message), "it is asked for again"
    assert "This is the first question." in message
    assert "6  shop-checkout" in message
    for group, names in GROUPS.items():
        listed = re.split("\n\n|Which", message.partition(f"\n{group}\n")[2])[0]
        assert re.findall(r"^ *\d+  (\S+) ", listed, re.MULTILINE) == list(names)
    assert re.search(r"10  resource-leak +some code path does not return a resource to its pool\n", message)
    assert re.search(
        r" 9  nested-acquisition +a task keeps one member of a bounded pool while it\n +waits for", message
    )
    mechanism = "Which mechanism (numbers or names, separated by commas) [nested-acquisition]: "
    assert mechanism in message, "the earlier reply"
    fired = re.findall(r"^  (\d\d:\d\d:\d\d) to \S+ ", message, re.MULTILINE)
    assert len(fired) >= 3
    assert fired == sorted(fired)
    assert re.search(r"2  no_drop +no drop goes on sale", message)
    assert "y submits the diagnosis, b goes back one question" in words(message)
    summary = message.rpartition("your diagnosis\n")[2].partition("A wrong diagnosis")[0]
    for part in ("shop-checkout", "resource-leak", "02:56", "CheckoutErrors: ", "experiment  none"):
        assert part in summary
    assert "hypothesis not supported yet" in message
    as_typed = re.sub(": (?=Error|Was|your|hypothesis)", ":\n", message)  # a person ends each of these lines
    assert max(map(len, as_typed.splitlines())) <= 80
    (event,) = diagnoses(own)
    assert (event.component, event.mechanisms, event.state) == ("shop-checkout", ("resource-leak",), "proposed")
    assert "not supported yet" in done(own, "history", "red_herring")
    assert "proposed" not in message + done(own, "history", "red_herring")


@pytest.mark.long
def test_predicted_outcome_is_asked_and_confirmed(own):
    """Only for what the options leave out; leaving before the confirmation costs nothing."""
    done(own, "experiment", "red_herring", "no_drop")
    options = [*RIGHT, "--onset", "02:56", "--evidence", "none"]
    message, code = at_a_terminal(own, b"no_drop\ngone\n\x04", *options)
    assert code == 1
    assert "Which component" not in message
    assert "no drop goes on sale at 02:45 (result: the harm is gone)" in words(message)
    assert "1  gone       at least 98 of 100 requests are good" in message
    assert "experiment  no_drop: the harm is gone\n" in message
    assert "Aborted!" in message
    assert not diagnoses(own)
    message, code = at_a_terminal(own, b"2\n1\ny\n", *options)
    assert code == 0
    assert "hypothesis supported" in message


def test_with_all_options_a_terminal_asks_nothing(own):
    options = [*RIGHT, "--onset", "02:56", "--evidence", "none", "--experiment", "none"]
    message, _ = at_a_terminal(own, b"", *options)
    assert message.startswith("hypothesis not supported yet")


@pytest.mark.long
def test_wrong_prediction_refutes_the_hypothesis(own):
    done(own, "experiment", "red_herring", "worker_off")
    wrong = [
        "--component", "export-worker", "--mechanism", "cpu-saturation", "--alert", "ExportWorkerCpuHigh=caused",
        "--alert", "CheckoutErrors=caused", "--alert", "CheckoutLatencyHigh=caused", "--onset", "02:51",
    ]  # fmt: skip
    message = words(done(own, "diagnose", "red_herring", *wrong, "--experiment", "worker_off=gone", code=1))
    assert "hypothesis refuted" in message
    assert "with worker_off the harm is unchanged; you predicted gone" in message


@pytest.mark.long
def test_an_experiment_that_is_predicted_is_made(own):
    done(own, "logs", "red_herring")
    message = words(done(own, "diagnose", "red_herring", *RIGHT, "--onset", "02:56", "--experiment", "no_drop=gone"))
    assert "with no_drop the harm is gone, as predicted" in message
    assert done(own, "logs", "red_herring", "--experiment", "no_drop")


@pytest.mark.long
def test_outcome_shared_by_other_causes_supports_nothing(own):
    """Nor does an experiment support a hypothesis that names another cause."""
    done(own, "experiment", "red_herring", "no_drop")
    other = [word.replace("resource-leak", "nested-acquisition") for word in RIGHT]
    for given, why in (
        ([*RIGHT, "--experiment", "worker_off=unchanged"], "other causes have the same outcome"),
        ([*other, "--experiment", "no_drop=gone"], "this supports another cause"),
    ):
        message = words(done(own, "diagnose", "red_herring", *given, "--onset", "02:56", code=1))
        assert "hypothesis not supported yet" in message
        assert f"as predicted; {why}" in message
    assert re.search(r"The clock shows \d+:\d\d: 1 wrong diagnosis \(\+5:00\)\.", message)


@pytest.mark.long
def test_irrelevant_citation_makes_evidence_partly_right(own, incident):
    sold_out = next(line.id for line in incident.logs if line.fields.get("reason") == "sold out")
    other = next(line.id for line in incident.logs if line.event == "drop on sale")
    message = words(done(own, *RIGHT_NOW, "--evidence", f"{sold_out},{other}"))
    assert "evidence partly right: 1 of 2 cited log lines and traces shows the cause" in message


def test_mechanisms_are_listed(tmp_path):
    message = done(tmp_path, "mechanisms")
    assert sorted(name for names in GROUPS.values() for name in names) == sorted(MECHANISMS)
    assert [line for line in message.splitlines() if line and line[0] != " "] == list(GROUPS)
    assert "resource-leak some code path does not return a resource to its pool" in words(message)
    assert max(map(len, message.splitlines())) <= 80


def test_experiments_are_listed_within_the_terminal(tmp_path):
    done(tmp_path, "init")
    for name in shipped().names():
        lines = done(tmp_path, "experiment", name).splitlines()
        assert len(lines) >= 3
        assert max(map(len, lines)) <= 80


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"--component": "chekout"}, "there is no component 'chekout'; did you mean"),
        ({"--mechanism": "n+1"}, "there is no mechanism 'n+1'"),
        ({"--onset": "early"}, "'early' is not a time of day"),
        ({"--evidence": "log-99999"}, "there is no log line log-99999 in this incident"),
        ({"--evidence": "zz"}, "there is no trace 'zz' in this incident"),
        ({"--alert": "CheckoutErrors"}, "--alert 'CheckoutErrors' should be NAME=VALUE"),
        ({"--alert": "CheckoutErrors=loud"}, "there is no label 'loud'; known: caused, noise"),
        ({"--alert": "Checkouts=noise"}, "there is no alert 'Checkouts'; did you mean 'CheckoutErrors'?"),
        ({"--experiment": "no_drop=well"}, "there is no outcome 'well'; known: better, gone"),
        ({"--experiment": "no_such=gone"}, "there is no experiment 'no_such'"),
    ],
)
def test_a_mistake_is_told_and_costs_nothing(own, change, says):
    options = {"--onset": "02:56", "--experiment": "none"} | change
    given = [word for option in options.items() for word in option]
    rest = [word for word in RIGHT if not change.keys() & {"--component", "--mechanism"}] or RIGHT[4:]
    missing = {"--component": ["--mechanism", "resource-leak"], "--mechanism": ["--component", "shop-checkout"]}
    more = [word for option in change for word in missing.get(option, [])]
    assert says in refused(kata(own, "diagnose", "red_herring", *rest, *more, *given))
    assert not diagnoses(own)


def test_missing_option_is_named_without_terminal(own):
    missing = "is missing, and the command can ask for it only at a terminal"
    assert refused(kata(own, "diagnose", "red_herring")) == f"--component {missing}"
    message = refused(kata(own, "diagnose", "red_herring", *RIGHT[:-2], "--onset", "02:56"))
    assert message == f"--alert CheckoutLatencyHigh=caused|noise {missing}"


@pytest.mark.long
def test_wrong_diagnosis_costs_five_minutes(own):
    wrong = [word.replace("resource-leak", "cpu-saturation") for word in RIGHT]
    done(own, "diagnose", "red_herring", *wrong, "--onset", "02:56", "--experiment", "none", code=1)
    status = words(done(own, "status"))
    assert re.search(r"original \(current\) 0 attempts, 0 hints, clock 5:\d\d 1 wrong diagnosis \(\+5:00\)", status)
    message = done(own, *RIGHT_NOW)
    standing = progress(Journal(own / ".kata" / Journal.NAME).read().events)["red_herring"]
    assert standing.diagnosed_at - standing.began + timedelta(minutes=5) == standing.to_diagnose()
    assert f"points, after {clock(standing.to_diagnose())}" in message
    assert json.loads(done(own, *RIGHT_NOW, "--json"))["right"]
