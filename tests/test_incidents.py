"""Incidents: replays of the broken and of the mended modules, their files, and what goes wrong with them."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import time

import psutil
import pytest

from drill_katas.catalog.katas import shipped
from drill_katas.catalog.mechanisms import MECHANISMS
from drill_katas.practice.journal import Replayed
from tests.commands import Started, done, kata, refused
from tests.replays import FILES, NAMES, asked, events, incident

# The replays


@pytest.mark.parametrize("name", NAMES)
def test_customers_are_hurt_after_the_page_and_not_when_it_is_mended(drills, mended, name):
    broken, right = incident(drills, name).summary, incident(mended, name).summary
    assert broken.after.share < 0.6, broken.after
    assert right.after.share == 1, right.after
    assert right.before.share == 1, right.before
    assert broken.source == "workspace"
    assert right.source == "solutions"


@pytest.mark.parametrize("name", NAMES)
def test_a_page_fires_on_the_broken_module_and_something_harmless_does_on_both(drills, mended, name):
    broken, right = ({alert.name: alert for alert in incident(folder, name).alerts} for folder in (drills, mended))
    assert any(alert.severity == "page" for alert in broken.values()), broken
    assert not any(alert.severity == "page" for alert in right.values()), right
    assert set(broken) & set(right), "no alert fires on both, so there is no red herring"


@pytest.mark.parametrize("name", NAMES)
def test_everything_lies_within_the_time_of_the_incident_and_is_in_order(drills, name):
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
def test_every_span_has_a_parent_of_its_own_trace_or_is_a_root(drills, name):
    spans = {span.span_id: span for span in incident(drills, name).spans}
    assert any(span.parent_id for span in spans.values())
    for span in spans.values():
        if span.parent_id is not None:
            parent = spans[span.parent_id]
            assert (parent.trace_id, parent.service) == (span.trace_id, span.attributes["caller"])
            assert parent.began <= span.began


@pytest.mark.long
def test_a_seed_changes_names_and_moments(tmp_path):
    done(tmp_path, "init", ".")
    found = []
    for seed in (1, 2):
        done(tmp_path, "incident", "red_herring", "--seed", seed)
        found.append([(line.at, line.fields) for line in incident(tmp_path, "red_herring").logs])
    assert found[0] != found[1]
    assert [event.seed for event in events(tmp_path, Replayed)] == [1, 2]


# The files


@pytest.mark.parametrize("name", NAMES)
def test_the_files_are_of_formats_that_others_read(drills, name):
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
def test_without_an_incident_it_says_how_to_get_one(untouched, question):
    told = refused(kata(untouched, question, "fp_drift"))
    assert told == "there is no incident of fp_drift yet; `kata incident fp_drift` replays one"


def test_an_experiment_needs_an_incident_to_compare_with(untouched):
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
def test_a_mistake_is_told_in_a_sentence(drills, question, says):
    assert says in refused(kata(drills, *question))


def test_what_is_not_there_ends_with_1(drills):
    done(drills, "logs", "fp_drift", "--grep", "no such thing", code=1)


@pytest.mark.long
def test_a_module_that_does_not_import_is_told_and_the_incident_before_is_kept(tmp_path):
    done(tmp_path, "init", ".")
    done(tmp_path, "incident", "fp_drift", "--from", "solutions")
    ledger = tmp_path / "katas" / "fp_drift" / "ledger.py"
    ledger.write_text("import no_such_module\n")
    told = refused(kata(tmp_path, "incident", "fp_drift"))
    assert "ledger.py cannot be imported: ModuleNotFoundError: No module named 'no_such_module'" in told
    assert incident(tmp_path, "fp_drift").summary.source == "solutions"


def test_a_damaged_incident_is_told(tmp_path):
    done(tmp_path, "init", ".")
    done(tmp_path, "incident", "fp_drift", "--from", "solutions")
    (tmp_path / ".kata" / "incidents" / "fp_drift" / "traces.json").write_text("{")
    told = refused(kata(tmp_path, "logs", "fp_drift"))
    assert "is damaged" in told
    assert "`kata incident fp_drift` replays the incident again" in told


@pytest.mark.long
def test_a_module_that_hangs_ends_the_incident_there_and_the_log_says_so(tmp_path):
    done(tmp_path, "init", ".")
    ledger = tmp_path / "katas" / "fp_drift" / "ledger.py"
    text = ledger.read_text()
    ledger.write_text(
        text.replace("        _check(event)\n", "        _check(event)\n        import time; time.sleep(60)\n")
    )
    done(tmp_path, "incident", "fp_drift")
    (line,) = json.loads(done(tmp_path, "logs", "fp_drift", "--level", "critical", "--json"))
    assert line["event"] == "the program does not answer"
    assert "no answer within 3 s" in line["fields"]["reason"]


def test_a_kata_without_an_incident_says_so(toy):
    told = refused(toy.kata("incident", "toy"))
    assert "toy has no incident to replay: there is no incident.py" in told


# What a fix changes in it


@pytest.mark.long
def test_a_fix_that_gives_up_sooner_shows_failed_calls_in_place_of_hangs(own):
    """What the system waits for comes in its turn, though the incident's clock jumps."""
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


def test_a_programs_own_times_are_those_of_the_incidents_clock(drills):
    """Which runs ten times as fast as the program's in n_plus_one."""
    metrics = {family["name"]: family for family in asked(drills, "metrics", "n_plus_one")}
    made = {each["name"]: each["points"][-1][1] for each in metrics["dashboard_seconds"]["series"]}
    mean = made["dashboard_seconds_sum"] / made["dashboard_seconds_count"]
    traces = asked(drills, "traces", "n_plus_one", "--slowest", 500, "--grep", "GET /dashboard")
    assert mean == pytest.approx(sum(trace["seconds"] or 3 for trace in traces) / len(traces), rel=0.5)


def test_ctrl_c_keeps_the_incident_before_and_leaves_nothing_behind(own):
    before = incident(own, "n_plus_one").summary
    with Started(own, "incident", "n_plus_one", "--seed", 7) as started:
        time.sleep(2.5)
        tree = psutil.Process(started.process.pid).children(recursive=True)
        assert tree
        assert started.interrupt() == 1
        assert "".join(started.lines).strip() == "Aborted!"
        _, alive = psutil.wait_procs(tree, timeout=5)
        assert not alive
    assert incident(own, "n_plus_one").summary == before
    assert not list((own / ".kata" / "incidents").glob(".*"))


def test_a_number_that_a_customer_was_shown_stands_on_its_trace(drills):
    shown = asked(drills, "traces", "fp_drift", "--grep", r"balance .*answer=-?\d+\.\d{4}")
    assert shown
    assert asked(drills, "traces", "fp_drift", "--grep", "delivery=2"), "and what was delivered again is found"
