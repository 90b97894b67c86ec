"""Each option of the plugin, and how it gets on with pytest's own: what a person sees, and what is remembered."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from xml.etree import ElementTree as ET

import msgspec
import pytest

from drill_katas.journal import Ran
from drill_katas.verdict import Outcome

USAGE_ERROR = pytest.ExitCode.USAGE_ERROR
ALL = ("horn", "wheel", "brake")
UNPLAIN = re.compile(r"\x1b|\r")


def bicycle(toy, *works: str, stages: dict[str, str] | None = None) -> None:
    """Give the toy a check for each part, and a learner's module in which these parts work.

    Every check leaves a line in the file `begun`, so that what did not even begin can be seen.
    """
    checks = [
        f'@pytest.mark.stage("{stage}")\ndef test_{part}(sut):\n    """The {part} works."""\n    begin("{part}")\n'
        f'    with sut.open("Thing") as thing:\n        assert thing.works("{part}"), "the {part} is stuck"\n'
        for part, stage in (stages or {"horn": "symptom", "wheel": "cause", "brake": "regression"}).items()
    ]
    toy.checks(begin(toy) + "".join(checks))
    toy.module(bicycle_module(*works))


def begin(toy) -> str:
    """Return the function `begin`, with which a check says that it is running."""
    return f"""
def begin(what):
    with open({str(toy.root / "begun")!r}, "a") as log:
        log.write(f"{{what}}\\n")
"""


def bicycle_module(*works: str) -> str:
    return f"class Thing:\n    def works(self, part):\n        return part in {works}\n"


def add_kata(toy, name: str, *works: str) -> None:
    """Add a kata with the toy's checks, and a learner's module in which these parts work."""
    folder = toy.root / "katas" / name
    folder.mkdir()
    folder.joinpath("kata.toml").write_text(toy.folder.joinpath("kata.toml").read_text())
    folder.joinpath("toy.py").write_text(bicycle_module(*works))
    folder.joinpath(f"test_{name}.py").write_text(toy.folder.joinpath("test_toy.py").read_text())


def begun(toy) -> list[str]:
    """Return which checks have begun since the last time this was asked."""
    log = toy.root / "begun"
    names = log.read_text().split() if log.exists() else []
    log.unlink(missing_ok=True)
    return names


def outcomes(verdict) -> dict[str, str]:
    return {check.name.removeprefix("test_"): check.outcome.value for check in verdict.checks}


def runs(toy) -> list[Ran]:
    return [event for event in toy.journal.read().events if isinstance(event, Ran)]


def summary(text: str) -> list[str]:
    """Return the lines of our part at the end of a run."""
    lines = text.splitlines()
    begin = next(number for number, line in enumerate(lines) if re.fullmatch(r"=+ +kata +=+", line))
    return lines[begin + 1 : -1]


# --kata-from


@pytest.mark.parametrize("layout", ["toy.py", "toy/toy.py", "katas/toy/toy.py"])
def test_kata_from_judges_the_file_of_a_folder_however_it_is_laid_out(toy, layout):
    bicycle(toy)
    submission = toy.root / "submission"
    submission.joinpath(layout).parent.mkdir(parents=True)
    submission.joinpath(layout).write_text(bicycle_module(*ALL))
    done = toy.pytest("--kata", "toy", "--kata-from", "submission")
    assert done.returncode == 0
    assert "judging submission" in done.stdout
    assert "not an attempt of yours" in done.stdout
    assert not toy.journal.path.exists()


def test_kata_from_takes_only_the_editable_files(toy):
    bicycle(toy, *ALL)
    submission = toy.root / "submission" / "toy"
    submission.mkdir(parents=True)
    submission.joinpath("toy.py").write_text(bicycle_module())
    submission.joinpath("test_toy.py").write_text("def test_nothing(): pass")
    submission.joinpath("conftest.py").write_text("raise SystemExit(0)")
    submission.joinpath("kata.toml").write_text("format = 99")
    verdict = toy.verdict("--kata-from", "submission")
    assert outcomes(verdict) == {"horn": "fail", "wheel": "not reached", "brake": "not reached"}
    assert (verdict.source, verdict.attempt) == ("submission", None)


def test_kata_from_solutions_is_the_reference(toy):
    bicycle(toy)
    reference = toy.root / "solutions" / "toy"
    reference.mkdir(parents=True)
    reference.joinpath("toy.py").write_text(bicycle_module(*ALL))
    verdict = toy.verdict("--kata-from", "solutions")
    assert verdict.passed
    assert not verdict.solved
    assert not toy.journal.path.exists()


def test_an_arm_of_the_solutions_holds_only_what_differs_from_the_reference(toy):
    bicycle(toy)
    manifest = toy.folder / "kata.toml"
    manifest.write_text(manifest.read_text().replace('"toy.py"', '"toy.py", "bell.py"'))
    reference = toy.root / "solutions" / "toy"
    arm = reference / "accepted" / "other_bell"
    arm.mkdir(parents=True)
    reference.joinpath("toy.py").write_text(bicycle_module(*ALL))
    for folder in (toy.folder, reference, arm):
        folder.joinpath("bell.py").write_text("")
    assert toy.verdict("--kata-from", "solutions/toy/accepted/other_bell").passed
    done = toy.pytest("--kata", "toy", "--kata-from", "solutions/toy/accepted")
    assert "there is no toy.py and bell.py of toy; looked in solutions/toy/accepted" in done.stderr


def test_kata_from_needs_no_workspace_since_the_shipped_katas_will_do(pytester):
    done = pytester.runpytest_subprocess("--kata", "fp_drift", "--kata-from", "solutions", "--collect-only", "-q")
    assert done.ret == 0
    assert any("::test_" in line for line in done.outlines)


def test_kata_from_a_folder_without_the_file_says_what_it_lacks_and_where_it_looked(toy):
    toy.root.joinpath("submission").mkdir()
    done = toy.pytest("--kata", "toy", "--kata-from", "submission")
    assert done.returncode == USAGE_ERROR
    assert "there is no toy.py of toy; looked in submission, submission/toy, submission/katas/toy" in done.stderr


def test_kata_from_a_folder_that_is_not_there_is_refused(toy):
    done = toy.pytest("--kata", "toy", "--kata-from", "submision")
    assert done.returncode == USAGE_ERROR
    assert "--kata-from submision: there is no such folder; give one that holds toy.py" in done.stderr


# --kata-all-stages


def test_a_stage_that_fails_closes_the_later_ones_which_are_not_even_begun(toy):
    bicycle(toy, "horn", "brake")
    assert outcomes(toy.verdict()) == {"horn": "pass", "wheel": "fail", "brake": "not reached"}
    assert begun(toy) == ["horn", "wheel"]


def test_the_checks_of_a_stage_all_run_though_one_of_them_fails(toy):
    bicycle(toy, "wheel", stages={"horn": "symptom", "wheel": "symptom", "brake": "cause"})
    assert outcomes(toy.verdict()) == {"horn": "fail", "wheel": "pass", "brake": "not reached"}


def test_kata_all_stages_goes_on_after_a_stage_that_fails(toy):
    bicycle(toy, "horn", "brake")
    assert outcomes(toy.verdict("--kata-all-stages")) == {"horn": "pass", "wheel": "fail", "brake": "pass"}
    assert begun(toy) == ["horn", "wheel", "brake"]


def test_checks_are_judged_in_the_order_of_their_stages_whatever_their_order_in_the_file(toy):
    bicycle(toy, *ALL, stages={"brake": "trace", "wheel": "sla", "horn": "symptom"})
    assert list(outcomes(toy.verdict())) == ["horn", "wheel", "brake"]
    assert begun(toy) == ["horn", "wheel", "brake"]


def test_one_katas_failing_stage_does_not_close_anothers(toy):
    bicycle(toy, "wheel")
    add_kata(toy, "twin", *ALL)
    assert toy.pytest("--kata", "toy,twin").returncode == 1
    assert begun(toy) == ["horn", "horn", "wheel", "brake"]
    assert [run.solved for run in runs(toy)] == [False, True]


# --kata-seed


def test_a_seed_draws_the_same_examples_every_time_and_another_seed_others(toy):
    check = """
@pytest.mark.stage("symptom")
@given(number=st.integers(0, 10**9))
def test_go(sut, number):
    begin(number)
"""
    toy.checks(begin(toy) + check)

    def examples(*args: str) -> list[str]:
        assert toy.pytest(*args).returncode == 0
        return begun(toy)

    unseeded = examples()
    assert len(unseeded) > 10
    assert examples("--kata-seed", "0") == unseeded
    seven = examples("--kata-seed", "7")
    assert seven != unseeded
    assert examples("--kata-seed", "7") == seven


def test_a_seed_shuffles_the_checks_within_their_stage_and_is_noted(toy):
    cause = {f"part_{number}": "cause" for number in range(8)}
    bicycle(toy, "horn", "brake", *cause, stages={"brake": "sla", **cause, "horn": "symptom"})
    in_file_order = list(outcomes(toy.verdict()))
    assert in_file_order == ["horn", *cause, "brake"]
    shuffled = toy.verdict("--kata-seed", "7")
    assert shuffled.seed == 7
    assert list(outcomes(shuffled)) != in_file_order
    first, *_, last = outcomes(shuffled)
    assert (first, last) == ("horn", "brake")
    assert list(outcomes(toy.verdict("--kata-seed", "7"))) == list(outcomes(shuffled))
    assert [run.seed for run in runs(toy)] == [0, 7, 7]


def test_a_seed_that_is_no_number_is_refused(toy):
    done = toy.pytest("--kata-seed", "lucky")
    assert done.returncode == USAGE_ERROR
    assert "--kata-seed: invalid int value: 'lucky'" in done.stderr


# --kata-report


def test_kata_report_writes_every_field_of_a_versioned_format(toy):
    bicycle(toy, "horn")
    toy.pytest("--kata-seed", "3", "--kata-report", "report.json")
    report = msgspec.json.decode(toy.root.joinpath("report.json").read_bytes())
    assert list(report) == ["format", "version", "python", "katas"]
    assert report["format"] == 1
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", report["version"])
    assert report["python"] == ".".join(map(str, sys.version_info[:3]))
    (kata,) = report["katas"]
    seconds = [check.pop("seconds") for check in kata["checks"]]
    assert all(isinstance(number, float) for number in seconds)
    assert kata.pop("seconds") == pytest.approx(sum(seconds))
    wheel = kata["checks"].pop(1)
    assert wheel.pop("details") == ["The calls that led there:", "  Thing(...)", '  thing.works("wheel") -> false']
    assert wheel == {
        "name": "test_wheel",
        "stage": "cause",
        "title": "The wheel works",
        "outcome": "fail",
        "message": "the wheel is stuck",
        "help": "",
        "keeps_contract": True,
        "in_words": True,
        "place": None,
        "figures": {},
    }
    nothing = {"message": "", "details": [], "help": "", "keeps_contract": True, "figures": {}}
    nothing |= {"in_words": True, "place": None}
    assert kata == {
        "kata": "toy",
        "variant": "original",
        "source": "workspace",
        "seed": 3,
        "checks": [
            {"name": "test_horn", "stage": "symptom", "title": "The horn works", "outcome": "pass", **nothing},
            {"name": "test_brake", "stage": "regression", "title": "The brake works", "outcome": "not reached"}
            | nothing,
        ],
        "attempt": 1,
        "inline": False,
        "partial": False,
    }


@pytest.mark.parametrize("path", ["nowhere/report.json", "katas"])
def test_a_report_that_cannot_be_written_is_a_note_and_changes_nothing_else(toy, path):
    done = toy.pytest("--kata", "toy", "--kata-report", path)
    assert done.returncode == 0
    assert "Traceback" not in done.stdout + done.stderr
    assert f"note: --kata-report: cannot write {toy.root / path} (" in done.stdout.replace("\n", "")
    assert [run.solved for run in runs(toy)] == [True]


# --kata-list


def test_kata_list_lists_the_katas_and_how_they_stand_and_runs_nothing(toy):
    bicycle(toy, *ALL)
    untouched = toy.pytest("--kata-list")
    assert untouched.returncode == 0
    assert re.search(r"^· 1 Intern +toy +A toy$", untouched.stdout, re.MULTILINE)
    assert not begun(toy)
    assert not toy.journal.path.exists()
    toy.pytest()
    assert re.search(r"^✓ 1 Intern +toy +A toy$", toy.pytest("--kata-list").stdout, re.MULTILINE)


def test_kata_list_needs_no_kata_and_says_what_kata_list_says(toy, pytester, monkeypatch):
    monkeypatch.chdir(toy.root)
    monkeypatch.setenv("COLUMNS", "80")
    done = pytester.runpytest_subprocess("--kata-list")
    assert done.ret == 0
    assert toy.kata("list").stdout.strip() in done.stdout.str()


def test_kata_list_in_a_folder_without_katas_says_how_to_get_some(pytester):
    done = pytester.runpytest_subprocess("--kata-list")
    assert done.ret == USAGE_ERROR
    done.stderr.fnmatch_lines(["ERROR: there are no katas in *; `kata init` *"])


# --kata-inline


def test_kata_inline_runs_the_code_in_the_pytest_process_says_so_and_never_counts(toy):
    toy.checks("""
        import os
        @pytest.mark.stage("symptom")
        def test_go(sut):
            with sut.open("Thing") as thing:
                assert thing.go() == os.getpid(), "another process"
    """)
    toy.body("return os.getpid()")
    inline = toy.pytest("--kata-inline")
    assert inline.returncode == 0
    assert "--kata-inline runs your code in this process" in inline.stdout
    assert "this run does not count" in inline.stdout
    assert "solved." not in inline.stdout
    (run,) = runs(toy)
    assert (run.inline, run.solved) == (True, False)
    assert "✓" not in toy.kata("list").stdout

    judged = toy.pytest()
    assert "another process" in judged.stdout
    assert "--kata-inline" not in judged.stdout


@pytest.fixture
def at_keyboard(toy, pytester, monkeypatch):
    """Run pytest on the toy with these keys typed, and return what the terminal shows."""
    monkeypatch.chdir(toy.root)

    def run(*args: str, keys: str) -> str:
        command = (sys.executable, "-mpytest", "-p", "no:cacheprovider", "--kata", "toy", "--kata-inline", *args)
        return pytester.run(*command, stdin=keys.encode(), timeout=120).stdout.str()

    return run


def test_a_breakpoint_stops_under_kata_inline(toy, at_keyboard):
    toy.body("answer = 'go' + 'ne'", "breakpoint()", "return answer")
    shown = at_keyboard(keys="p 'the answer is ' + answer\nc\n")
    assert "PDB set_trace" in shown
    assert "'the answer is gone'" in shown
    assert "1 passed" in shown


def test_pdb_stops_where_the_learners_code_raised_under_kata_inline(toy, at_keyboard):
    toy.body("answer = 'go' + 'ne'", "raise ValueError(answer)")
    shown = at_keyboard("--pdb", keys="p 'the answer is ' + answer\nq\n")
    assert "'the answer is gone'" in shown
    assert "toy.py(7)go()" in shown


# Markers


@pytest.mark.parametrize(
    ("marker", "sentence"),
    [
        ('@pytest.mark.stage("symptoms")', "test_go: unknown stage 'symptoms'; did you mean 'symptom'?"),
        ("@pytest.mark.stage(1)", "test_go: unknown stage '1'; known are cause, regression, sla"),
        ("", "test_go has no stage; mark it with @pytest.mark.stage(NAME), one of symptom, cause"),
        ('@pytest.mark.stage(name="symptom")', "test_go: the marker stage takes one name and no keyword"),
        ('@pytest.mark.stage("symptom", strict=True)', "no keyword, but has 'strict'"),
        ('@pytest.mark.stage("symptom", "cause")', "test_go: the marker stage takes one name, but has 2"),
        ("@pytest.mark.stage()", "test_go: the marker stage takes one name, but has 0"),
        ('@pytest.mark.timeout(method="thread")\n@pytest.mark.stage("symptom")', "test_go: the marker timeout"),
        ('@pytest.mark.timeout("soon")\n@pytest.mark.stage("symptom")', "test_go: the marker timeout"),
    ],
)
def test_a_marker_that_cannot_be_meant_is_refused_by_name(toy, marker, sentence):
    toy.checks(f"{marker}\ndef test_go(sut):\n    pass\n")
    done = toy.pytest()
    assert done.returncode == USAGE_ERROR, done.stdout + done.stderr
    assert str(toy.folder / "test_toy.py") in done.stderr
    assert sentence in done.stderr
    assert "Traceback" not in done.stdout + done.stderr
    assert not toy.journal.path.exists()


def test_strict_markers_accept_the_stage_and_markers_list_it(toy, pytester):
    assert toy.pytest("--strict-markers", "--strict-config", "-W", "error").returncode == 0
    listed = pytester.runpytest_subprocess("--markers")
    listed.stdout.fnmatch_lines(["@pytest.mark.stage(name): the stage of a kata's check: symptom, cause, *"])


@pytest.mark.parametrize("marker", ["timeout(1)", "timeout(timeout=1)"])
def test_a_timeout_marker_is_the_checks_budget(toy, marker):
    toy.limits(call_seconds=60, check_seconds=60)
    toy.checks(f"""
        @pytest.mark.stage("symptom")
        @pytest.mark.{marker}
        def test_go(sut):
            with sut.open("Thing") as thing:
                thing.go()
    """)
    toy.body("time.sleep(3600)")
    check = toy.check()
    assert check.outcome is Outcome.HANG
    assert check.message == "thing.go(): the check did not end within its 1 s"


GIVEN_ENDLESS = """
@pytest.mark.stage("symptom")
@given(number=st.integers())
def test_go(sut, number):
    with sut.open("Thing") as thing:
        thing.go()
        while True:
            pass
"""
KNOWN_FAILURE = """
@pytest.mark.stage("symptom")
@given(number=st.integers(0, 100))
def test_go(sut, number):
    with sut.open("Thing") as thing:
        while sut.trial.failure:
            pass
        assert number < 3, "a finding"
"""


@pytest.mark.parametrize(
    ("checks", "outcome", "says"),
    [
        (GIVEN_ENDLESS, Outcome.HANG, "the judge did not come to the end of this check, which has 1 s"),
        (KNOWN_FAILURE, Outcome.FAIL, "a finding"),
    ],
    ids=["nothing is known", "a failure is known"],
)
def test_a_judge_that_does_not_come_to_an_end_is_ended_and_says_what_it_knows(toy, checks, outcome, says):
    toy.write("conftest.py", "from drill_katas import checks\n\nchecks.BELT_SECONDS = 1\n")
    toy.limits(check_seconds=1)
    toy.checks(checks)
    check = toy.check()
    assert (check.outcome, check.message.partition(":")[0]) == (outcome, says)


# Never a pass


@pytest.mark.parametrize(
    ("mark", "line"),
    [
        ("skip", "pass"),
        ("skipif(True, reason='not today')", "pass"),
        ("xfail", "assert False"),
        ("xfail(run=False)", "pass"),
        ("xfail", "pass"),
        ("xfail(strict=True)", "pass"),
        ("usefixtures()", "pytest.skip('not today')"),
        ("usefixtures()", "pytest.importorskip('no_such_module')"),
        ("usefixtures()", "pytest.xfail('not today')"),
    ],
)
def test_a_check_that_did_not_run_to_its_end_is_never_a_pass(toy, mark, line):
    toy.checks(f'@pytest.mark.stage("symptom")\n@pytest.mark.{mark}\ndef test_go(sut):\n    {line}\n')
    done = toy.pytest()
    assert done.returncode == 1
    assert "that proves nothing" in done.stdout
    (run,) = runs(toy)
    assert [check.outcome for check in run.checks] == [Outcome.FAIL]
    assert not run.solved


def test_a_check_whose_clean_up_fails_is_never_a_pass(toy):
    toy.checks("""
        @pytest.fixture
        def ward():
            yield
            raise AssertionError("something was left behind")

        @pytest.mark.stage("symptom")
        def test_go(sut, ward):
            with sut.open("Thing") as thing:
                assert thing.go() == "gone"
    """)
    assert toy.pytest().returncode == 1
    assert [run.solved for run in runs(toy)] == [False]


@pytest.mark.parametrize(
    "head",
    ["pytest.importorskip('no_such_module')", "pytest.skip('no', allow_module_level=True)", "import no_such_module"],
)
def test_a_file_of_checks_that_does_not_import_is_never_a_pass(toy, head):
    file = toy.folder / "test_toy.py"
    file.write_text(file.read_text().replace("import pytest", f"import pytest\n{head}"))
    assert toy.pytest().returncode not in {0, 1}
    assert not runs(toy)


def test_a_kata_without_a_result_is_never_a_pass_beside_one_that_passes(toy):
    add_kata(toy, "twin")
    toy.root.joinpath("katas/twin/test_twin.py").write_text("import pytest\npytest.importorskip('no_such_module')\n")
    done = toy.pytest("--kata", "toy,twin")
    assert done.returncode != 0
    assert "twin" in "".join(summary(done.stdout))
    assert [run.kata for run in runs(toy)] == ["toy"]


def test_a_file_without_checks_is_never_a_pass(toy):
    toy.checks("")
    assert toy.pytest().returncode == pytest.ExitCode.NO_TESTS_COLLECTED
    assert not runs(toy)


def test_an_empty_selection_is_never_a_pass(toy):
    done = toy.pytest("-k", "nothing")
    assert done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED
    assert not runs(toy)


def test_collect_only_is_no_attempt(toy):
    done = toy.pytest("--collect-only", "-q")
    assert done.returncode == 0
    assert "katas/toy/test_toy.py::test_go" in done.stdout
    assert not runs(toy)


# With pytest's own options


def test_k_runs_some_checks_and_does_not_count_as_solved(toy):
    bicycle(toy, *ALL)
    done = toy.pytest("-k", "wheel")
    assert done.returncode == 0
    assert begun(toy) == ["wheel"]
    assert "`pytest --kata toy` runs all checks; only that counts" in done.stdout
    (run,) = runs(toy)
    assert (run.partial, run.solved) == (True, False)


def test_deselect_does_not_count_as_solved_either(toy):
    bicycle(toy, *ALL)
    assert toy.pytest("--kata", "toy", "--deselect", "katas/toy/test_toy.py::test_brake").returncode == 0
    assert [(run.partial, run.solved) for run in runs(toy)] == [(True, False)]


def test_lf_runs_what_failed_and_does_not_count_as_solved(toy):
    bicycle(toy, "horn")
    toy.pytest("-p", "cacheprovider")
    bicycle(toy, *ALL)
    begun(toy)
    again = toy.pytest("-p", "cacheprovider", "--lf")
    assert again.returncode == 0
    assert begun(toy) == ["wheel"]
    assert not runs(toy)[-1].solved
    assert "runs all checks; only that counts" in again.stdout


def test_x_stops_at_the_first_failure_which_is_an_attempt(toy):
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
    """Three katas with three checks each: `toy` fails its second stage, `twin` and `third` pass."""
    bicycle(toy, "horn")
    add_kata(toy, "twin", *ALL)
    add_kata(toy, "third", *ALL)
    return toy


def test_xdist_gives_the_same_verdicts_and_each_kata_is_written_down_once(three):
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
    assert "2 of 3 solved" in text


def test_xdist_tells_a_mistake_in_a_kata_as_pytest_alone_does(toy):
    toy.write("test_toy.py", (toy.folder / "test_toy.py").read_text().replace('"symptom"', '"sympton"'))
    done = toy.pytest("-n", "2")
    assert "test_go: unknown stage 'sympton'; did you mean 'symptom'?" in done.stdout
    assert done.returncode == pytest.ExitCode.USAGE_ERROR


def test_xdist_judges_the_stages_of_a_kata_in_order(toy):
    bicycle(toy, *ALL, stages={"brake": "trace", "wheel": "sla", "horn": "symptom"})
    done = toy.pytest("-n", "2")
    assert done.returncode == 0
    assert begun(toy) == ["horn", "wheel", "brake"]
    assert [run.solved for run in runs(toy)] == [True]
    assert [line.split()[0] for line in summary(done.stdout)[:3]] == ["symptom", "sla", "trace"]


def test_xdist_with_x_writes_down_what_was_judged(toy):
    bicycle(toy, stages={"horn": "symptom", "wheel": "symptom"})
    assert toy.pytest("-n", "2", "-x").returncode != 0
    (run,) = runs(toy)
    assert run.checks[0].outcome is Outcome.FAIL
    assert not run.solved


def test_junitxml_has_kata_stage_seconds_and_attempt_of_every_check(toy):
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


def test_q_and_v_change_pytests_lines_and_not_the_summary(toy):
    bicycle(toy, "horn")
    summaries = []
    for args in ((), ("-q",), ("-v",), ("-qq",), ("-vv",)):
        text = toy.pytest("--kata", "toy", *args).stdout
        stages, *_ = "\n".join(summary(text)).partition("toy ·")
        summaries.append(re.sub(r"\d+\.\d+ s", "N s", stages))
    assert "the wheel is stuck" in summaries[0]
    assert len(set(summaries)) == 1


def test_a_pipe_gets_no_colour_and_no_control_characters(toy):
    bicycle(toy, "horn")
    assert not UNPLAIN.search(toy.pytest().stdout)


def test_colour_adds_colour_and_changes_no_word(toy):
    bicycle(toy, "horn")
    plain = toy.pytest("--color=no").stdout
    coloured = toy.pytest("--color=yes").stdout
    assert "\x1b[31m" in coloured
    stripped = re.sub(r"\x1b\[[\d;]*m", "", coloured)

    def words(text: str) -> str:
        stages, *_ = "\n".join(summary(text)).partition("toy ·")
        return re.sub(r"\d+\.\d+ s", "N s", stages)

    assert words(stripped) == words(plain)
    coloured_marks = re.findall(r"\x1b\[(\d+)m[✓✗] ", coloured)
    assert coloured_marks == ["32", "31"]


@pytest.mark.parametrize("columns", [60, 80, 200])
def test_no_line_of_the_summary_is_longer_than_the_terminal_is_wide(toy, columns):
    bicycle(toy, "horn", stages={"horn": "symptom", "wheel" * 12: "regression", "brake": "sla"})
    env = {"COLUMNS": str(columns)}
    for args in ((), ("--kata-from", "katas/toy")):
        lines = summary(toy.pytest("--kata", "toy", *args, env=env).stdout)
        assert len(lines) > 4
        assert [line for line in lines if len(line) > columns] == []


@pytest.mark.parametrize("columns", [60, 80])
def test_no_line_is_longer_than_the_terminal_with_several_katas_either(three, columns):
    env = {"COLUMNS": str(columns)}
    three.pytest("--kata", "all", env=env)
    three.module(bicycle_module("wheel"))
    lines = summary(three.pytest("--kata", "all", env=env).stdout)
    assert len(lines) > 4
    assert [line for line in lines if len(line) > columns] == []


def test_a_terminal_that_has_only_ascii_gets_ascii(toy):
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


def test_a_run_leaves_nothing_of_ours_in_the_workspace_but_the_journal(toy):
    theirs = {"__pycache__", ".benchmarks", ".hypothesis"}
    before = set(toy.root.rglob("*"))
    toy.pytest()
    new = {path for path in set(toy.root.rglob("*")) - before if not theirs & set(path.parts)}
    assert new == {toy.root / ".kata", toy.journal.path}


def test_plain_pytest_in_this_repository_runs_its_tests_and_no_kata(pytester, monkeypatch):
    monkeypatch.chdir(Path(__file__).parents[1])
    done = pytester.run(sys.executable, "-mpytest", "-p", "no:cacheprovider", "--collect-only", "-q", timeout=120)
    ids = [line for line in done.outlines if "::" in line]
    assert any(each.startswith("tests/test_plugin.py::") for each in ids)
    assert [each for each in ids if not each.startswith("tests/")] == []


def test_examples_are_the_same_whatever_modules_are_loaded(toy):
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
