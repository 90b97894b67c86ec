"""Incidents: replays of broken and fixed modules, their files, and their failures."""

from __future__ import annotations

import json
import re
import shutil
import subprocess

import psutil
import pytest

from drill_katas.catalog.katas import shipped
from drill_katas.catalog.mechanisms import MECHANISMS
from drill_katas.practice.journal import Replayed
from tests.support.commands import Started, done, kata, refused
from tests.support.replays import FILES, NAMES, asked, events, incident
from tests.support.waiting import wait_until

# The replays


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_only_broken_modules_hurt_customers(drills, mended, name):
    broken, right = incident(drills, name).summary, incident(mended, name).summary
    assert broken.after.share < 0.6, broken.after
    assert right.after.share == 1, right.after
    assert right.before.share == 1, right.before
    assert broken.source == "workspace"
    assert right.source == "solutions"


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_only_broken_modules_page_somebody(drills, mended, name):
    broken, right = ({alert.name: alert for alert in incident(folder, name).alerts} for folder in (drills, mended))
    assert any(alert.severity == "page" for alert in broken.values()), broken
    assert not any(alert.severity == "page" for alert in right.values()), right
    assert set(broken) & set(right), "no alert fires on both, so there is no red herring"


@pytest.mark.parametrize("name", NAMES)
def test_records_are_ordered_within_the_incident(drills, name):
    found = incident(drills, name)
    began, ended = found.summary.began, found.summary.ended
    assert ended - began == 30 * 60
    assert found.spans
    for times in ([line.at for line in found.logs], [span.began for span in found.spans]):
        assert times == sorted(times)
        assert all(began - 5 <= at <= ended + 5 for at in times)
    for family in found.metrics:
        for series in family.series:
            assert list(series.points) == sorted(series.points)


@pytest.mark.parametrize("name", NAMES)
def test_spans_have_parents_on_their_trace(drills, name):
    spans = {span.span_id: span for span in incident(drills, name).spans}
    assert any(span.parent_id for span in spans.values())
    for span in spans.values():
        if span.parent_id is not None:
            parent = spans[span.parent_id]
            assert (parent.trace_id, parent.service) == (span.trace_id, span.attributes["caller"])
            assert parent.began <= span.began


@pytest.mark.long
def test_a_seed_changes_names_and_moments(own):
    found = {0: incident(own, "red_herring")}
    done(own, "incident", "red_herring", "--seed", 2)
    found[2] = incident(own, "red_herring")
    first, second = ([(line.at, line.fields) for line in each.logs] for each in found.values())
    assert first != second
    assert [event.seed for event in events(own, Replayed)] == [2]


# The files


@pytest.mark.parametrize("name", NAMES)
def test_files_have_formats_others_read(drills, name):
    folder = drills / ".kata" / "incidents" / name
    assert {file.name for file in folder.iterdir()} == FILES
    for line in (folder / "logs.jsonl").read_text().splitlines():
        assert {"id", "at", "service", "level", "event"} <= json.loads(line).keys()
    request = json.loads((folder / "traces.json").read_text())
    spans = [span for each in request["resourceSpans"] for scope in each["scopeSpans"] for span in scope["spans"]]
    assert all(len(span["traceId"]) == 32 and len(span["spanId"]) == 16 for span in spans)
    assert all(
        int(span.get("endTimeUnixNano", span["startTimeUnixNano"])) >= int(span["startTimeUnixNano"]) for span in spans
    )


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is not installed; .ci/run installs it")
@pytest.mark.parametrize("name", NAMES)
def test_promtool_takes_the_rules_and_the_metrics(drills, tmp_path, name):
    folder = drills / ".kata" / "incidents" / name
    rules = subprocess.run(
        ["promtool", "check", "rules", folder / "rules.yml"], capture_output=True, text=True, check=False
    )
    assert rules.returncode == 0, rules.stdout + rules.stderr
    assert "3 rules found" in rules.stdout
    command = ["promtool", "tsdb", "create-blocks-from", "openmetrics", folder / "metrics.txt", tmp_path]
    blocks = subprocess.run(command, capture_output=True, text=True, check=False)
    assert blocks.returncode == 0, blocks.stdout + blocks.stderr
    assert [block for block in tmp_path.iterdir() if (block / "meta.json").is_file()]


TELLTALE = re.compile(
    r"leak|deadlock|n\+1|idempot|duplicate|rounding|drift|circular|cycle|nested|blocking|event loop|lazy|root cause|"
    r"false alarm|red herring|herring|innocent|" + "|".join(MECHANISMS)
)


@pytest.mark.long
@pytest.mark.parametrize("name", NAMES)
def test_nothing_in_the_files_names_the_cause(drills, mended, name):
    """But for the kata's own name, which everybody knows."""
    for folder in (drills, mended):
        for file in (folder / ".kata" / "incidents" / name).iterdir():
            text = file.read_text().lower().replace(name, "")
            assert not TELLTALE.findall(text), f"{file.name} of {name}"


# Mistakes


@pytest.fixture(scope="module")
def untouched(tmp_path_factory):
    folder = tmp_path_factory.mktemp("untouched")
    done(folder, "init", ".")
    return folder


@pytest.mark.parametrize("question", ["alerts", "logs", "traces", "metrics", "graph"])
def test_questions_need_a_recorded_incident(untouched, question):
    message = refused(kata(untouched, question, "fp_drift"))
    assert message == "there is no incident of fp_drift yet; `kata incident fp_drift` replays one"


def test_an_experiment_needs_a_recorded_incident(untouched):
    assert "`kata incident fp_drift`" in refused(kata(untouched, "experiment", "fp_drift", "no_restart"))


@pytest.mark.parametrize(
    ("question", "says"),
    [
        (["logs", "red_herring", "--trace", "zz"], "there is no trace 'zz' in this incident; `kata traces` lists them"),
        (["traces", "red_herring", "zz"], "there is no trace 'zz' in this incident; `kata traces` lists them"),
        (["logs", "red_herring", "--since", "noon"], "'noon' is not a time of day such as 02:57 or 02:57:30"),
        (["logs", "red_herring", "--grep", "("], "--grep '(' is not a regular expression"),
        (
            ["logs", "red_herring", "--service", "chekout"],
            "there is no service 'chekout'; did you mean",
        ),
        (["metrics", "red_herring", "db_conections_open"], "did you mean 'db_connections_open'"),
        (["metrics", "red_herring", "requests_total", "--label", "x"], "--label 'x' should be NAME=VALUE"),
        (
            ["experiment", "red_herring", "worker_of"],
            "red_herring has no experiment 'worker_of'; did you mean 'worker_off'?",
        ),
        (["incident", "red_hering"], "there is no kata 'red_hering'; did you mean 'red_herring'?"),
    ],
)
def test_a_mistake_gets_one_sentence(drills, question, says):
    assert says in refused(kata(drills, *question))


def test_no_matching_line_exits_with_1(drills):
    done(drills, "logs", "fp_drift", "--grep", "no such thing", code=1)


def test_a_broken_import_keeps_the_incident_before(night):
    done(night, "incident", "night", "--from", "solutions")
    (night / "katas" / "night" / "shop.py").write_text("import no_such_module\n")
    message = refused(kata(night, "incident", "night"))
    assert "shop.py cannot be imported: ModuleNotFoundError: No module named 'no_such_module'" in message
    assert incident(night, "night").summary.source == "solutions"


def test_a_damaged_incident_is_reported(night):
    (night / ".kata" / "incidents" / "night" / "traces.json").write_text("{")
    message = refused(kata(night, "logs", "night"))
    assert "is damaged" in message
    assert "`kata incident night` replays the incident again" in message


def test_a_hanging_module_ends_the_incident(quiet_night):
    """The log records this."""
    shop = quiet_night / "katas" / "night" / "shop.py"
    hangs = "        if minute > 3:\n            import time; time.sleep(60)\n        return "
    shop.write_text(shop.read_text().replace("        return ", hangs))
    done(quiet_night, "incident", "night")
    (line,) = json.loads(done(quiet_night, "logs", "night", "--level", "critical", "--json"))
    assert line["event"] == "the program does not answer"
    assert "no answer within 3 s" in line["fields"]["reason"]


def test_a_kata_without_an_incident_says_so(toy):
    message = refused(toy.kata("incident", "toy"))
    assert "toy has no incident to replay: there is no incident.py" in message


# The effect of a fix


@pytest.mark.long
def test_sooner_timeouts_show_failed_calls(own):
    """Events that the system waits for keep their order, even if the incident's clock jumps."""
    near_miss = shipped().get("circular_deadlock").solutions / "near_misses" / "timeouts"
    hung = [
        trace for trace in asked(own, "traces", "circular_deadlock", "--slowest", 200) if (trace["seconds"] or 60) > 50
    ]
    assert len(hung) > 50
    done(own, "incident", "circular_deadlock", "--from", near_miss)
    slowest = asked(own, "traces", "circular_deadlock", "--slowest", 200)
    assert all(trace["seconds"] < 5 for trace in slowest)
    late = [trace for trace in slowest if trace["failed"] and trace["root"]["attributes"]["status"] == "200"]
    assert len(late) > 50
    assert max(trace["seconds"] for trace in late) > 1, "it gives up after a second"


def test_programs_measure_the_incidents_clock(drills):
    """Which runs ten times as fast as the program's in n_plus_one."""
    metrics = {family["name"]: family for family in asked(drills, "metrics", "n_plus_one")}
    made = {each["name"]: each["points"][-1][1] for each in metrics["dashboard_seconds"]["series"]}
    mean = made["dashboard_seconds_sum"] / made["dashboard_seconds_count"]
    traces = asked(drills, "traces", "n_plus_one", "--slowest", 500, "--grep", "GET /dashboard")
    assert mean == pytest.approx(sum(trace["seconds"] or 3 for trace in traces) / len(traces), rel=0.5)


def test_ctrl_c_keeps_the_incident_before(own):
    before = incident(own, "n_plus_one").summary
    with Started(own, "incident", "n_plus_one", "--seed", 7) as started:
        wait_until(lambda: psutil.Process(started.process.pid).children(recursive=True))
        tree = psutil.Process(started.process.pid).children(recursive=True)
        assert started.interrupt() == 1
        assert "".join(started.lines).strip() == "Aborted!"
        _, alive = psutil.wait_procs(tree, timeout=5)
        assert not alive
    assert incident(own, "n_plus_one").summary == before
    assert not list((own / ".kata" / "incidents").glob(".*"))


def test_traces_have_the_answers_customers_saw(drills):
    shown = asked(drills, "traces", "fp_drift", "--grep", r"balance .*answer=-?\d+\.\d{4}")
    assert shown
    assert asked(drills, "traces", "fp_drift", "--grep", "delivery=2"), "and what was delivered again is found"
