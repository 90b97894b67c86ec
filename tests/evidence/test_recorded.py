"""The record of an incident, and actions that do not change it: pages, experiments, replays of other code."""

from __future__ import annotations

import json
import shutil

import pytest

from drill_katas.practice.journal import Checked, Journal, Ran, Replayed
from drill_katas.verdict import Outcome, Stage
from tests.support.commands import done, kata, refused
from tests.support.night import commit
from tests.support.replays import events, incident

HALF = "half"


def contents(folder):
    """All files of a folder: their bytes, and when they were written."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {file.relative_to(folder): (file.read_bytes(), file.stat().st_mtime_ns) for file in files}


def in_time(folder, late=None):
    """Have the records say that their replays ran in time, or late."""
    for file in folder.rglob("incident.json"):
        message = json.loads(file.read_text())
        message["summary"]["late"] = late
        file.write_text(json.dumps(message))


def edit(folder):
    """Change the learner's module, without any effect."""
    with (folder / "katas" / "night" / "shop.py").open("a") as file:
        file.write("# changed\n")


def solve(folder):
    """Put the solution in place, and note that it passed."""
    shutil.copyfile(folder / "solutions" / "night" / "shop.py", folder / "katas" / "night" / "shop.py")
    check = Checked("test_it", Stage.SYMPTOM, Outcome.PASS, 1.0)
    Journal(folder / ".kata" / Journal.NAME).append(
        Ran(kata="night", variant="original", seed=0, seconds=1.0, checks=(check,), solved=True)
    )


def test_a_page_draws_what_is_recorded(night):
    """It replays nothing: a module that cannot be imported any more changes nothing in the record, nor in the page."""
    done(night, "experiment", "night", "no_deploy")
    before = contents(night / ".kata")
    assert any("no_deploy" in file.parts for file in before), "the experiment is on record"
    assert not kata(night, "incident", "night", "--html", "page.html").stderr.count("note")
    first = (night / "page.html").read_text()
    (night / "katas" / "night" / "shop.py").write_text("import no_such_module\n")
    message = kata(night, "incident", "night", "--html", "page.html")
    assert message.returncode == 0, message.stderr
    assert (night / "page.html").read_text() == first
    changed = "note: your code has changed since this incident was recorded: `kata incident night` replays it"
    assert changed in message.stderr
    assert contents(night / ".kata") == before
    assert changed in kata(night, "alerts", "night").stderr


def test_a_page_without_a_record_makes_one(quiet_night):
    done(quiet_night, "incident", "night", "--html", "page.html", "--seed", 3)
    assert (quiet_night / "page.html").is_file()
    assert incident(quiet_night, "night").summary.seed == 3
    assert [event.seed for event in events(quiet_night, Replayed)] == [3]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--from", "solutions"], "to replace it, run `kata incident night --from solutions`"),
        (["--seed", "7"], "to replace it, run `kata incident night --seed 7`"),
    ],
)
def test_a_page_never_replaces_the_record(night, options, says):
    before = contents(night / ".kata")
    message = refused(kata(night, "incident", "night", "--html", "page.html", *options))
    assert "--html draws the recorded incident, and that is a replay of your code with seed 0" in message
    assert says in message
    assert contents(night / ".kata") == before


@pytest.mark.long
def test_experiments_of_the_same_code_are_kept(night):
    """A replay of the same code, variant and seed changes nothing; one of other code sets them aside until then."""
    done(night, "experiment", "night", "no_weather")
    question = ("logs", "night", "--experiment", "no_weather")
    answer = done(night, *question)
    done(night, "incident", "night")
    assert done(night, *question) == answer
    done(night, "incident", "night", "--seed", 1)
    not_made = "no_weather did not run yet with this incident of night; run `kata experiment night no_weather`"
    assert refused(kata(night, *question)) == not_made
    done(night, "incident", "night", "--from", "solutions")
    assert refused(kata(night, *question)) == not_made
    done(night, "incident", "night")
    assert done(night, *question) == answer


def test_an_experiment_compares_no_two_programs(night):
    edit(night)
    message = refused(kata(night, "experiment", "night", "no_weather"))
    assert message == (
        "the code of night has changed since its incident was recorded, so an experiment would compare two "
        "programs; `kata incident night` records the incident again"
    )


def test_what_is_compared_is_replayed_once(night):
    done(night, "incident", "night", "--html", "page.html", "--compare", HALF)
    in_time(night / ".kata" / "compared")
    done(night, "incident", "night", "--html", "page.html", "--compare", HALF)
    before, first = contents(night / ".kata"), (night / "page.html").read_text()
    assert events(night, Replayed) == []
    done(night, "incident", "night", "--html", "page.html", "--compare", HALF)
    assert contents(night / ".kata") == before
    assert (night / "page.html").read_text() == first


def test_a_late_comparison_is_replayed_again(night):
    done(night, "incident", "night", "--html", "page.html", "--compare", HALF)
    in_time(night / ".kata" / "compared", late=12.5)
    before = contents(night / ".kata" / "compared")
    done(night, "incident", "night", "--html", "page.html", "--compare", HALF)
    assert contents(night / ".kata" / "compared") != before


def test_how_it_was_stays_on_record(night):
    """The page after the fix draws the night of the broken files, which was recorded before the fix."""
    before_fix = (night / ".kata" / "incidents" / "night" / "traces.json").read_bytes()
    commit(night)
    solve(night)
    done(night, "incident", "night")
    (kept,) = (night / ".kata" / "compared" / "night").iterdir()
    assert (kept / "traces.json").read_bytes() == before_fix
    in_time(kept)
    before = contents(night / ".kata")
    done(night, "incident", "night", "--html", "page.html")
    assert contents(night / ".kata") == before
