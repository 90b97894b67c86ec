"""How the plugin gets on with pytest's own options, with xdist, and with terminals."""

from __future__ import annotations

import re
import sys
from xml.etree import ElementTree as ET

import msgspec
import pytest

from drill_katas.verdict import Outcome
from tests.support.bicycle import ALL, UNPLAIN, add_kata, begun, bicycle, bicycle_module, runs, summary
from tests.support.places import REPOSITORY


def test_k_runs_matching_checks_and_never_solves(toy):
    bicycle(toy, *ALL)
    done = toy.pytest("-k", "wheel")
    assert done.returncode == 0
    assert begun(toy) == ["wheel"]
    assert "run `pytest --kata toy`; only a run of all checks counts" in done.stdout
    (run,) = runs(toy)
    assert (run.partial, run.solved) == (True, False)


def test_deselect_does_not_count_as_solved_either(toy):
    bicycle(toy, *ALL)
    assert toy.pytest("--kata", "toy", "--deselect", "katas/toy/test_toy.py::test_brake").returncode == 0
    assert [(run.partial, run.solved) for run in runs(toy)] == [(True, False)]


def test_lf_runs_failed_checks_and_never_solves(toy):
    bicycle(toy, "horn")
    toy.pytest("-p", "cacheprovider")
    bicycle(toy, *ALL)
    begun(toy)
    again = toy.pytest("-p", "cacheprovider", "--lf")
    assert again.returncode == 0
    assert begun(toy) == ["wheel"]
    assert not runs(toy)[-1].solved
    assert "only a run of all checks counts" in again.stdout


def test_run_stopped_by_x_is_an_attempt(toy):
    bicycle(toy, "wheel", stages={"horn": "symptom", "wheel": "symptom", "brake": "cause"})
    done = toy.pytest("-x")
    assert done.returncode == 1
    assert begun(toy) == ["horn"]
    assert "✗ The horn works" in done.stdout
    (run,) = runs(toy)
    assert [(check.name, check.outcome) for check in run.checks] == [("test_horn", Outcome.FAIL)]
    assert (run.partial, run.solved) == (True, False)


def test_x_with_all_checks_passing_counts(toy):
    bicycle(toy, *ALL)
    assert toy.pytest("-x").returncode == 0
    assert [(run.partial, run.solved) for run in runs(toy)] == [(False, True)]


@pytest.fixture
def three(toy):
    """Three katas with three checks each: `toy` fails its second stage; the others pass."""
    bicycle(toy, "horn")
    add_kata(toy, "twin", *ALL)
    add_kata(toy, "third", *ALL)
    return toy


def test_xdist_records_each_kata_once(three):
    done = three.pytest("--kata", "toy,twin,third", "-n", "2", "--kata-report", "report.json")
    assert done.returncode == 1
    recorded = {run.kata: [check.outcome.value for check in run.checks] for run in runs(three)}
    assert len(runs(three)) == 3
    assert recorded == {
        "toy": ["pass", "fail", "not reached"],
        "twin": ["pass", "pass", "pass"],
        "third": ["pass", "pass", "pass"],
    }
    report = msgspec.json.decode(three.root.joinpath("report.json").read_bytes())
    assert {kata["kata"] for kata in report["katas"]} == set(recorded)
    text = "\n".join(summary(done.stdout))
    assert "toy · 1 of 3 checks pass" in text
    assert "third · 3 of 3 checks pass" in text
    assert "2 of 3 variants solved" in text


@pytest.mark.long
def test_xdist_reports_a_mistake_alike(toy):
    toy.write("test_toy.py", (toy.folder / "test_toy.py").read_text().replace('"symptom"', '"sympton"'))
    done = toy.pytest("-n", "2")
    assert "test_go: unknown stage 'sympton'; did you mean 'symptom'?" in done.stdout
    assert done.returncode == pytest.ExitCode.USAGE_ERROR


@pytest.mark.long
def test_xdist_judges_stages_of_kata_in_order(toy):
    bicycle(toy, *ALL, stages={"brake": "trace", "wheel": "sla", "horn": "symptom"})
    done = toy.pytest("-n", "2")
    assert done.returncode == 0
    assert begun(toy) == ["horn", "wheel", "brake"]
    assert [run.solved for run in runs(toy)] == [True]
    assert [line.split()[0] for line in summary(done.stdout)[:3]] == ["symptom", "sla", "trace"]


@pytest.mark.long
def test_xdist_with_x_records_judged_checks(toy):
    bicycle(toy, stages={"horn": "symptom", "wheel": "symptom"})
    assert toy.pytest("-n", "2", "-x").returncode != 0
    (run,) = runs(toy)
    assert run.checks[0].outcome is Outcome.FAIL
    assert not run.solved


def test_junitxml_has_properties_of_every_check(toy):
    bicycle(toy, "horn")
    for attempt in ("1", "2"):
        toy.pytest("--junitxml", "junit.xml")
        cases = ET.parse(toy.root / "junit.xml").findall(".//testcase")
        found = {
            case.get("name"): {each.get("name"): each.get("value") for each in case.findall("properties/property")}
            for case in cases
        }
        assert list(found) == ["test_horn", "test_wheel", "test_brake"]
        for properties, stage in zip(found.values(), ("symptom", "cause", "regression"), strict=True):
            assert float(properties.pop("seconds")) >= 0
            assert properties == {"kata": "toy", "stage": stage, "attempt": attempt}
        assert [len(case.findall("failure")) for case in cases] == [0, 1, 0]
        assert [len(case.findall("skipped")) for case in cases] == [0, 0, 1]
        (failure,) = cases[1].findall("failure")
        assert "the wheel is stuck" in failure.get("message", "") + (failure.text or "")


def test_junitxml_of_a_submission_has_no_attempt(toy):
    toy.pytest("--kata", "toy", "--kata-from", "katas/toy", "--junitxml", "junit.xml")
    names = [each.get("name") for each in ET.parse(toy.root / "junit.xml").iter("property")]
    assert names == ["kata", "stage", "seconds"]


def test_q_and_v_leave_the_summary_unchanged(toy):
    bicycle(toy, "horn")
    summaries = []
    for args in ((), ("-q",), ("-v",), ("-qq",), ("-vv",)):
        text = toy.pytest("--kata", "toy", *args).stdout
        stages, *_ = "\n".join(summary(text)).partition("toy ·")
        summaries.append(re.sub(r"\d+\.\d+ s", "N s", stages))
    assert "the wheel is stuck" in summaries[0]
    assert len(set(summaries)) == 1


def test_pipe_gets_no_color_or_control_characters(toy):
    bicycle(toy, "horn")
    assert not UNPLAIN.search(toy.pytest().stdout)


def test_colour_adds_colour_and_changes_no_word(toy):
    bicycle(toy, "horn")
    plain = toy.pytest("--color=no").stdout
    colored = toy.pytest("--color=yes").stdout
    assert "\x1b[31m" in colored
    stripped = re.sub(r"\x1b\[[\d;]*m", "", colored)

    def words(text: str) -> str:
        stages, *_ = "\n".join(summary(text)).partition("toy ·")
        return re.sub(r"\d+\.\d+ s", "N s", stages)

    assert words(stripped) == words(plain)
    colored_marks = re.findall(r"\x1b\[(\d+)m[✓✗] ", colored)
    assert colored_marks == ["32", "31"]


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_summary_lines_fit_the_terminal(toy, columns):
    bicycle(toy, "horn", stages={"horn": "symptom", "wheel" * 12: "regression", "brake": "sla"})
    env = {"COLUMNS": str(columns)}
    for args in ((), ("--kata-from", "katas/toy")):
        lines = summary(toy.pytest("--kata", "toy", *args, env=env).stdout)
        assert len(lines) > 4
        assert [line for line in lines if len(line) > columns] == []


@pytest.mark.parametrize("columns", [60, 80])
def test_lines_of_several_katas_fit(three, columns):
    env = {"COLUMNS": str(columns)}
    three.pytest("--kata", "all", env=env)
    three.module(bicycle_module("wheel"))
    lines = summary(three.pytest("--kata", "all", env=env).stdout)
    assert len(lines) > 4
    assert [line for line in lines if len(line) > columns] == []


@pytest.mark.long
def test_ascii_only_terminal_gets_ascii(toy):
    bicycle(toy, "horn")
    file = toy.folder / "test_toy.py"
    file.write_text(file.read_text().replace("the wheel is stuck", "the wheel — 5 € — is stuck"))
    env = {"PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii", "LC_ALL": "C"}
    done = toy.pytest(env=env)
    assert done.returncode == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert done.stdout.isascii()
    lines = summary(done.stdout)
    assert lines[0].startswith("symptom    + The horn works")
    assert lines[1].startswith("cause      x The wheel works")
    assert "  the wheel - 5 ? - is stuck" in lines
    listed = toy.pytest("--kata-list", env=env)
    assert listed.returncode == 0
    assert listed.stdout.isascii()


def test_a_run_leaves_only_the_journal(toy):
    theirs = {"__pycache__", ".benchmarks", ".hypothesis"}
    before = set(toy.root.rglob("*"))
    toy.pytest()
    new = {path for path in set(toy.root.rglob("*")) - before if not theirs & set(path.parts)}
    assert new == {toy.root / ".kata", toy.journal.path}


@pytest.mark.long
def test_plain_pytest_here_runs_no_kata(pytester, monkeypatch):
    monkeypatch.chdir(REPOSITORY)
    done = pytester.run(sys.executable, "-mpytest", "-p", "no:cacheprovider", "--collect-only", "-q", timeout=120)
    ids = [line for line in done.outlines if "::" in line]
    assert any(each.startswith("tests/runner/test_plugin.py::") for each in ids)
    assert [each for each in ids if not each.startswith("tests/")] == []


def test_examples_do_not_depend_on_loaded_modules(toy):
    drawn = []
    for constant in (7_777_777_777, 8_888_888_888):
        toy.write("more.py", "".join(f"A{number} = {constant + number}\n" for number in range(500)))
        toy.checks('''
            from . import more
            from hypothesis import settings

            @pytest.mark.stage("symptom")
            @settings(max_examples=200)
            @given(st.integers())
            def test_go(sut, number):
                """It goes."""
                with open("drawn", "a") as file:
                    file.write(f"{number}\\n")
                sut.open("Thing")
        ''')
        assert toy.check("--kata-seed", "1").passed
        drawn.append((toy.root / "drawn").read_text())
        (toy.root / "drawn").unlink()
    assert drawn[0] == drawn[1]
    assert len(drawn[0].splitlines()) == 200
