"""`kata new` writes a complete kata, which can be certified, replayed, and diagnosed without changes."""

from __future__ import annotations

import compileall
import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from drill_katas.catalog.answer import ExpectedDiagnosis, read_answer
from drill_katas.catalog.arms import arm_from
from drill_katas.catalog.katas import ORIGINAL, Kata, Library
from drill_katas.catalog.mechanisms import MECHANISMS
from drill_katas.catalog.scaffold import TEMPLATE, scaffold
from drill_katas.evidence.replay import Replay, replay
from drill_katas.investigation.scoring import texts
from tests.support.commands import done, kata, refused, words
from tests.support.replays import asked, incident

if TYPE_CHECKING:
    from pathlib import Path

CONTRACTS = ["calls", "http"]
OTHERS = ["harbour", "orchard"]
NAME = "slow_queue"
TELLTALE = re.compile(rf"again|stale|cache|remember|overwrit|lost|drop|{'|'.join(MECHANISMS)}", re.IGNORECASE)


@dataclass(frozen=True)
class Fresh:
    """A workspace in which `kata new` has just been called."""

    root: Path

    @property
    def kata(self) -> Kata:
        return Library(self.root / "katas").get(NAME)

    @property
    def answer(self):
        return self.root / "solutions" / NAME / "answer.toml"


@pytest.fixture(params=CONTRACTS)
def fresh(request, tmp_path):
    """A new kata with each contract."""
    (tmp_path / "katas").mkdir()
    scaffold(tmp_path, NAME, request.param)
    return Fresh(tmp_path)


@pytest.fixture(params=CONTRACTS, scope="module")
def untouched(request, tmp_path_factory):
    """A fresh kata that no test changes."""
    root = tmp_path_factory.mktemp(request.param)
    (root / "katas").mkdir()
    scaffold(root, NAME, request.param)
    return Fresh(root)


def judged(root, file):
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--kata", NAME, "--kata-report", str(file)]
    subprocess.run(command, cwd=root, check=False, capture_output=True, timeout=120)
    return json.loads(file.read_text())


def options_of(expected: ExpectedDiagnosis, found):
    """The options of `kata diagnose` for the right answer."""
    shows = next(
        line.id for line in found.logs if any(re.search(expected.evidence, text) for text in texts(found, line.id))
    )
    name, outcome = next(iter(expected.supports.items()))
    options = ["--component", expected.components[0], "--onset", expected.onset[0] if expected.onset else "never"]
    options += ["--evidence", shows, "--experiment", f"{name}={outcome}"]
    options += [word for each in expected.mechanisms for word in ("--mechanism", each)]
    return options + [word for alert, mark in expected.alerts.items() for word in ("--alert", f"{alert}={mark}")]


# The command


@pytest.mark.parametrize("contract", CONTRACTS)
def test_output_names_the_next_steps(toy, contract):
    output = done(toy.root, "new", NAME, "--contract", contract)
    assert re.match(rf"katas/{NAME}: \d+ files, .*\nsolutions/{NAME}: \d+ files, ", output)
    for step in ("pytest --kata", "kata verify", "kata incident", "kata arm"):
        assert f"{step} {NAME}" in output
    assert len(output.splitlines()) <= 10
    assert max(map(len, output.splitlines())) <= 80
    assert NAME in done(toy.root, "list")


@pytest.mark.parametrize("name", ["1x", "Slow-Queue", "../slow", "", "import/me", "_x"])
def test_impossible_name_is_refused(toy, name):
    before = sorted(toy.root.rglob("*"))
    assert "use lower-case letters, digits and _" in refused(kata(toy.root, "new", name))
    assert sorted(toy.root.rglob("*")) == before


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("toy", "exists; choose another name, or remove it first"),
        ("class", "class is a keyword or a module of Python"),
        ("json", "json is a keyword or a module of Python"),
        ("aiohttp", "aiohttp is a keyword or a module of Python"),
        ("fp_drift", "an installed kata has the name fp_drift"),
    ],
)
def test_taken_name_is_refused(toy, name, reason):
    before = sorted(toy.root.rglob("*"))
    assert reason in refused(kata(toy.root, "new", name))
    assert sorted(toy.root.rglob("*")) == before


# The files


def test_learner_sees_short_briefing_in_two_parts(untouched):
    text = untouched.kata.briefing.read_text()
    assert len(text.splitlines()) <= 25
    assert "**What does not hold today**" in text
    assert "**What holds today, and has to stay so**" in text


def test_incident_fits_25_lines_of_code(untouched):
    lines = (untouched.kata.folder / "incident.py").read_text().splitlines()
    assert len([line for line in lines if line and not line.startswith(('"""', "import", "from"))]) <= 25


def test_learners_files_do_not_name_the_cause(untouched):
    for file in untouched.kata.folder.rglob("basket.py"):
        assert not TELLTALE.findall(file.read_text()), file


def test_compiled_templates_are_not_copied(tmp_path, monkeypatch):
    """An installer compiles every module of a package."""
    template = shutil.copytree(TEMPLATE, tmp_path / "template")
    compileall.compile_dir(template, quiet=1)
    monkeypatch.setattr("drill_katas.catalog.scaffold.TEMPLATE", template)
    assert {file.suffix for file in scaffold(tmp_path, NAME, "http")} == {".py", ".md", ".toml", ".patch"}


def test_story_does_not_use_the_name(untouched):
    for file in (path for path in TEMPLATE.rglob("*") if path.is_file() and path.suffix != ".pyc"):
        assert "NAME" not in file.read_text(), f"{file}: only names of files and folders are filled in"


# It is a kata


@pytest.mark.long
def test_fresh_kata_certifies(untouched):
    output = done(untouched.root, "verify", NAME, "--jobs", 2)
    assert "every verdict is as declared" in output
    assert "!" not in output.partition("every verdict")[2]


@pytest.mark.long
def test_fresh_kata_certifies_in_full(untouched):
    done(untouched.root, "verify", NAME, "--full", "--jobs", 2)


@pytest.mark.parametrize("fresh", ["calls", pytest.param("http", marks=pytest.mark.long)], indirect=True)
def test_undeclared_near_miss_fails_the_certification(fresh):
    text = fresh.answer.read_text()
    start = text.index("[near_misses.last_price]")
    fresh.answer.write_text(text[:start] + text[text.index("\n[", start) :])
    output = words(done(fresh.root, "verify", NAME, "--jobs", 2, code=1))
    assert "near miss last_price: answer.toml does not declare which checks it fails" in output


def test_learner_starts_with_a_failing_symptom(untouched):
    file = untouched.root / "report.json"
    report = judged(untouched.root, file)
    outcomes = {check["stage"]: check["outcome"] for check in report["katas"][0]["checks"]}
    assert outcomes["symptom"] == "fail"
    assert outcomes["cause"] == "not reached"


@pytest.mark.parametrize("variant", [ORIGINAL, *(pytest.param(each, marks=pytest.mark.long) for each in OTHERS)])
def test_right_diagnosis_scores_100(fresh, variant):
    done(fresh.root, "start", NAME, "--variant", variant)
    done(fresh.root, "incident", NAME)
    expected = read_answer(fresh.kata.solutions).diagnosis[variant]
    asked(fresh.root, "logs", NAME)
    asked(fresh.root, "graph", NAME)
    message = done(fresh.root, "diagnose", NAME, *options_of(expected, incident(fresh.root, NAME)))
    assert "100 of 100 points" in message


@pytest.mark.long
def test_right_fix_pages_nobody(untouched):
    of = untouched.kata
    for folder in (of.solutions, *(of.solutions / "accepted").iterdir()):
        found = replay(Replay(of, arm_from(of, str(folder)), ORIGINAL))
        assert [alert.name for alert in found.alerts] == ["PriceImportSlow"], folder
        assert found.summary.after.share == 1, folder


@pytest.mark.long
@pytest.mark.parametrize("variant", [ORIGINAL, *OTHERS])
def test_loud_alert_is_harmless(untouched, variant):
    of = untouched.kata
    arm = arm_from(of, str(of.variant_folder(variant)))
    with_import, without = (replay(Replay(of, arm, variant, ablation=each)) for each in (None, "import"))
    assert {alert.name for alert in with_import.alerts} == {"PriceImportSlow", "BasketsTooCheap"}
    assert {alert.name for alert in without.alerts} == {"BasketsTooCheap"}
    assert with_import.summary.after.share == without.summary.after.share
