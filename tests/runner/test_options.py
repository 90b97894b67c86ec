"""The options of the plugin: their output and their state."""

from __future__ import annotations

import re
import sys

import msgspec
import pytest

from tests.support.bicycle import ALL, USAGE_ERROR, add_kata, begin, begun, bicycle, bicycle_module, outcomes, runs

# --kata-from


@pytest.mark.parametrize("layout", ["toy.py", "toy/toy.py", "katas/toy/toy.py"])
def test_kata_from_takes_any_layout(toy, layout):
    bicycle(toy)
    submission = toy.root / "submission"
    submission.joinpath(layout).parent.mkdir(parents=True)
    submission.joinpath(layout).write_text(bicycle_module(*ALL))
    done = toy.pytest("--kata", "toy", "--kata-from", "submission")
    assert done.returncode == 0
    assert "judging submission" in done.stdout
    assert "only a run on your own files is an attempt" in done.stdout
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


def test_an_arm_has_only_its_differences(toy):
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


def test_kata_from_names_missing_files(toy):
    manifest = toy.folder / "kata.toml"
    manifest.write_text(manifest.read_text().replace('"toy.py"', '"toy.py", "bell.py"'))
    toy.folder.joinpath("bell.py").write_text("")
    (toy.root / "mine").mkdir()
    (toy.root / "mine" / "toy.py").write_text("")
    done = toy.pytest("--kata", "toy", "--kata-from=mine")
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert "there is no bell.py in mine, beside toy.py; copy it there" in done.stderr


def test_kata_from_needs_no_workspace(pytester):
    done = pytester.runpytest_subprocess("--kata", "fp_drift", "--kata-from", "solutions", "--collect-only", "-q")
    assert done.ret == 0
    assert any("::test_" in line for line in done.outlines)


def test_solutions_of_other_katas_shadow_nothing(pytester):
    (pytester.path / "solutions" / "mine").mkdir(parents=True)
    done = pytester.runpytest_subprocess("--kata", "fp_drift", "--kata-from", "solutions", "--collect-only", "-q")
    assert done.ret == 0, done.stderr.str()


def test_kata_from_lists_places_searched(toy):
    toy.root.joinpath("submission").mkdir()
    done = toy.pytest("--kata", "toy", "--kata-from", "submission")
    assert done.returncode == USAGE_ERROR
    assert "there is no toy.py of toy; looked in submission, submission/toy, submission/katas/toy" in done.stderr


def test_kata_from_a_missing_folder_is_refused(toy):
    done = toy.pytest("--kata", "toy", "--kata-from", "submision")
    assert done.returncode == USAGE_ERROR
    assert "--kata-from submision: there is no such folder; name a folder with toy.py" in done.stderr


# --kata-all-stages


def test_a_failing_stage_closes_later_ones(toy):
    bicycle(toy, "horn", "brake")
    assert outcomes(toy.verdict()) == {"horn": "pass", "wheel": "fail", "brake": "not reached"}
    assert begun(toy) == ["horn", "wheel"]


def test_all_checks_of_a_stage_run(toy):
    bicycle(toy, "wheel", stages={"horn": "symptom", "wheel": "symptom", "brake": "cause"})
    assert outcomes(toy.verdict()) == {"horn": "fail", "wheel": "pass", "brake": "not reached"}


def test_kata_all_stages_continues_after_failed_stage(toy):
    bicycle(toy, "horn", "brake")
    assert outcomes(toy.verdict("--kata-all-stages")) == {"horn": "pass", "wheel": "fail", "brake": "pass"}
    assert begun(toy) == ["horn", "wheel", "brake"]


def test_checks_run_in_order_of_stages(toy):
    bicycle(toy, *ALL, stages={"brake": "trace", "wheel": "sla", "horn": "symptom"})
    assert list(outcomes(toy.verdict())) == ["horn", "wheel", "brake"]
    assert begun(toy) == ["horn", "wheel", "brake"]


def test_failed_stage_leaves_other_katas_stages_open(toy):
    bicycle(toy, "wheel")
    add_kata(toy, "twin", *ALL)
    assert toy.pytest("--kata", "toy,twin").returncode == 1
    assert begun(toy) == ["horn", "horn", "wheel", "brake"]
    assert [run.solved for run in runs(toy)] == [False, True]


# --kata-seed


def test_a_seed_fixes_the_examples(toy):
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


def test_a_seed_shuffles_checks_within_stages(toy):
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


def test_seed_that_is_not_number_is_refused(toy):
    done = toy.pytest("--kata-seed", "lucky")
    assert done.returncode == USAGE_ERROR
    assert "--kata-seed: invalid int value: 'lucky'" in done.stderr


# --kata-report


def test_kata_report_has_version_and_every_field(toy):
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
    assert all(isinstance(check.pop("waited"), float) for check in kata["checks"])
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
        "no_attempt": "",
        "inline": False,
        "partial": False,
    }


@pytest.mark.parametrize("path", ["nowhere/report.json", "katas"])
def test_an_unwritable_report_is_a_note(toy, path):
    done = toy.pytest("--kata", "toy", "--kata-report", path)
    assert done.returncode == 0
    assert "Traceback" not in done.stdout + done.stderr
    assert f"note: --kata-report: cannot write {toy.root / path} (" in done.stdout.replace("\n", "")
    assert [run.solved for run in runs(toy)] == [True]


# --kata-list


def test_kata_list_runs_nothing(toy):
    bicycle(toy, *ALL)
    untouched = toy.pytest("--kata-list")
    assert untouched.returncode == 0
    assert re.search(r"^· 1 Intern +toy +A toy$", untouched.stdout, re.MULTILINE)
    assert not begun(toy)
    assert not toy.journal.path.exists()
    toy.pytest()
    assert re.search(r"^★ 1 Intern +toy +A toy$", toy.pytest("--kata-list").stdout, re.MULTILINE)


def test_kata_list_needs_no_kata(toy, pytester, monkeypatch):
    monkeypatch.chdir(toy.root)
    monkeypatch.setenv("COLUMNS", "80")
    done = pytester.runpytest_subprocess("--kata-list")
    assert done.ret == 0
    assert toy.kata("list").stdout.strip() in done.stdout.str()


def test_kata_list_suggests_kata_init(pytester):
    done = pytester.runpytest_subprocess("--kata-list")
    assert done.ret == USAGE_ERROR
    done.stderr.fnmatch_lines(["ERROR: there are no katas in *; `kata init` *"])


# --kata-inline


def test_kata_inline_never_counts(toy):
    """It runs the code in the process of pytest, and says so."""
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
    assert toy.kata("list").stdout.startswith(("· ", "… "))

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


def test_inline_pdb_stops_where_learners_code_raised(toy, at_keyboard):
    toy.body("answer = 'go' + 'ne'", "raise ValueError(answer)")
    shown = at_keyboard("--pdb", keys="p 'the answer is ' + answer\nq\n")
    assert "'the answer is gone'" in shown
    assert "toy.py(7)go()" in shown
