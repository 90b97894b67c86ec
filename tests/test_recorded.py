"""What is on record of an incident, and what leaves it alone: pages, experiments, replays of other code."""

from __future__ import annotations

import json
import shutil

import pytest

from drill_katas.catalog.katas import shipped
from drill_katas.practice.journal import Checked, Journal, Ran, Replayed
from drill_katas.verdict import Outcome, Stage
from tests.commands import done, kata, refused
from tests.replays import events, incident

HALF = shipped().get("fp_drift").solutions / "near_misses" / "round_at_the_end"


def contents(folder):
    """All files of a folder: their bytes, and when they were written."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {file.relative_to(folder): (file.read_bytes(), file.stat().st_mtime_ns) for file in files}


def in_time(folder, late=None):
    """Have the records say that their replays ran in time, or late."""
    for file in folder.rglob("incident.json"):
        told = json.loads(file.read_text())
        told["summary"]["late"] = late
        file.write_text(json.dumps(told))


def edit(folder):
    """Change the learner's module, without any effect."""
    with (folder / "katas" / "fp_drift" / "ledger.py").open("a") as file:
        file.write("# changed\n")


def solve(folder):
    """Put the solution in place, and note that it passed."""
    solution = shipped().get("fp_drift").solutions / "ledger.py"
    shutil.copyfile(solution, folder / "katas" / "fp_drift" / "ledger.py")
    check = Checked("test_it", Stage.SYMPTOM, Outcome.PASS, 1.0)
    Journal(folder / ".kata" / Journal.NAME).append(
        Ran(kata="fp_drift", variant="original", seed=0, seconds=1.0, checks=(check,), solved=True)
    )


def test_a_page_draws_what_is_recorded(own):
    """It replays nothing: a module that cannot be imported any more changes nothing in the record, nor in the page."""
    done(own, "experiment", "fp_drift", "no_restart")
    before = contents(own / ".kata")
    assert any("no_restart" in file.parts for file in before), "the experiment is on record"
    assert not kata(own, "incident", "fp_drift", "--html", "page.html").stderr.count("note")
    first = (own / "page.html").read_text()
    (own / "katas" / "fp_drift" / "ledger.py").write_text("import no_such_module\n")
    told = kata(own, "incident", "fp_drift", "--html", "page.html")
    assert told.returncode == 0, told.stderr
    assert (own / "page.html").read_text() == first
    assert "your code has changed since: `kata incident fp_drift` replays it" in told.stderr
    assert contents(own / ".kata") == before


def test_a_page_without_a_record_makes_one(tmp_path):
    done(tmp_path, "init", ".")
    done(tmp_path, "incident", "fp_drift", "--html", "page.html", "--seed", 3)
    assert (tmp_path / "page.html").is_file()
    assert incident(tmp_path, "fp_drift").summary.seed == 3
    assert [event.seed for event in events(tmp_path, Replayed)] == [3]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--from", "solutions"], "to replace it, run `kata incident fp_drift --from solutions`"),
        (["--seed", "7"], "to replace it, run `kata incident fp_drift --seed 7`"),
    ],
)
def test_a_page_never_replaces_the_record(own, options, says):
    before = contents(own / ".kata")
    told = refused(kata(own, "incident", "fp_drift", "--html", "page.html", *options))
    assert "--html draws the recorded incident, and that is a replay of your code with seed 0" in told
    assert says in told
    assert contents(own / ".kata") == before


@pytest.mark.long
def test_experiments_of_the_same_code_are_kept(own):
    """A replay of the same code, variant and seed changes nothing; one of other code sets them aside until then."""
    done(own, "experiment", "fp_drift", "no_bahrain")
    question = ("logs", "fp_drift", "--experiment", "no_bahrain")
    answer = done(own, *question)
    done(own, "incident", "fp_drift")
    assert done(own, *question) == answer
    done(own, "incident", "fp_drift", "--seed", 1)
    not_made = "no_bahrain did not run yet with this incident of fp_drift; run `kata experiment fp_drift no_bahrain`"
    assert refused(kata(own, *question)) == not_made
    done(own, "incident", "fp_drift", "--from", "solutions")
    assert refused(kata(own, *question)) == not_made
    done(own, "incident", "fp_drift")
    assert done(own, *question) == answer


def test_an_experiment_compares_no_two_programs(own):
    edit(own)
    told = refused(kata(own, "experiment", "fp_drift", "no_bahrain"))
    assert told == (
        "the code of fp_drift has changed since its incident was recorded, so an experiment would compare two "
        "programs; `kata incident fp_drift` records the incident again"
    )


@pytest.mark.long
def test_what_is_compared_is_replayed_once(own):
    done(own, "incident", "fp_drift", "--html", "page.html", "--compare", HALF)
    in_time(own / ".kata" / "compared")
    done(own, "incident", "fp_drift", "--html", "page.html", "--compare", HALF)
    before, first = contents(own / ".kata"), (own / "page.html").read_text()
    assert events(own, Replayed) == []
    done(own, "incident", "fp_drift", "--html", "page.html", "--compare", HALF)
    assert contents(own / ".kata") == before
    assert (own / "page.html").read_text() == first


@pytest.mark.long
def test_a_late_comparison_is_replayed_again(own):
    done(own, "incident", "fp_drift", "--html", "page.html", "--compare", HALF)
    in_time(own / ".kata" / "compared", late=12.5)
    before = contents(own / ".kata" / "compared")
    done(own, "incident", "fp_drift", "--html", "page.html", "--compare", HALF)
    assert contents(own / ".kata" / "compared") != before


@pytest.mark.long
def test_how_it_was_stays_on_record(own):
    """The page after the fix draws the night of the broken files, which was recorded before the fix."""
    night = (own / ".kata" / "incidents" / "fp_drift" / "traces.json").read_bytes()
    solve(own)
    done(own, "incident", "fp_drift")
    (kept,) = (own / ".kata" / "compared" / "fp_drift").iterdir()
    assert (kept / "traces.json").read_bytes() == night
    in_time(kept)
    before = contents(own / ".kata")
    done(own, "incident", "fp_drift", "--html", "page.html")
    assert contents(own / ".kata") == before
