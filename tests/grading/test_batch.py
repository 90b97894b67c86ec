"""`kata grade` for many: several at once, resumed after whatever ended it, the same verdicts each time."""

from __future__ import annotations

import contextlib
import os
import pty
import re
import shutil
import signal
import subprocess
from pathlib import Path
from types import SimpleNamespace

import click
import msgspec
import psutil
import pytest

from drill_katas.batch.judge_client import JudgeConfig, JudgeRequest, WarmJudge
from drill_katas.cli.progress import log_lines
from drill_katas.verdict import Report
from tests.support.commands import KATA, kata, refused
from tests.support.pack import HANGS, RIGHT, WRONG, Pack
from tests.support.toy import CHECK
from tests.support.waiting import wait_until

MANY = 12
CHECKS = (
    CHECK
    + """
@pytest.mark.stage("cause")
def test_slowly(sut):
    \"""It takes its time.\"""
    import time

    time.sleep(0.4)
"""
)


@pytest.fixture
def pack(tmp_path):
    with contextlib.closing(Pack(tmp_path)) as made:
        yield made


def hand_in_many(pack):
    """Half of them right; each of them another one."""
    for number in range(MANY):
        pack.hand_in(f"s{number:02}", f"{WRONG if number % 2 else RIGHT}# {number}\n")


def verdicts(grades):
    """The grades without what may differ: how long it took."""
    return {
        id_: {**grade, "seconds": 0, "mac": "", "checks": [{**check, "seconds": 0} for check in grade["checks"]]}
        for id_, grade in grades.items()
    }


def begun(pack):
    """How many grades `kata grade` has so far."""
    return len(pack.kept())


def is_judge(process):
    """Whether it is a judge, or the fork of one that judges."""
    with contextlib.suppress(psutil.Error):
        return "drill_katas.runner.judge_server" in process.cmdline()
    return False


def test_judge_runs_only_the_requested_checks(toy):
    """Both requests go to one judge, so that the second shows that the first has left nothing out for good."""
    toy.checks(CHECKS)
    order = JudgeConfig(kata="toy", options=("--kata-path", str(toy.folder.parent), "--kata-all-stages", "-q"))
    with WarmJudge(order, output=subprocess.DEVNULL, folder=str(toy.root)) as judge:
        for checks, ran in ((("test_slowly",), ["test_slowly"]), ((), ["test_go", "test_slowly"])):
            report = toy.root / "report.json"
            judge.judge(JudgeRequest(source=str(toy.folder), report=str(report), checks=checks))
            (verdict,) = msgspec.json.decode(report.read_bytes(), type=Report).katas
            assert [check.name for check in verdict.checks] == ran
            assert verdict.partial == bool(checks)


@pytest.mark.long
def test_grades_keep_the_input_order(pack):
    hand_in_many(pack)
    one, four = pack.grade("--jobs", 1), pack.grade("--jobs", 4)
    assert list(four) == [f"s{number:02}" for number in range(MANY)]
    assert [grade["solved"] for grade in four.values()] == [number % 2 == 0 for number in range(MANY)]
    assert verdicts(one) == verdicts(four)
    assert pack.left() == []


@pytest.mark.long
def test_what_is_alike_is_judged_once(pack):
    counted = pack.root / "counted"
    pack.checks(f'''
@pytest.mark.stage("symptom")
def test_go(sut):
    """It goes."""
    with open({str(counted)!r}, "a") as file:
        file.write("judged ")
    with sut.open("Thing") as thing:
        assert thing.go() == "gone", "it should be gone"
''')
    for name in ("a", "b", "c"):
        pack.hand_in(name, WRONG)
    grades = pack.grade("--jobs", 2)
    assert counted.read_text() == "judged "
    assert [(grade["id"], grade["checks"][0]["verdict"]) for grade in grades.values()] == [
        (name, "fail") for name in ("a", "b", "c")
    ]
    assert len({grade["key"] for grade in grades.values()}) == 1


@pytest.mark.long
def test_a_terminal_shows_the_progress(pack):
    for number in range(3):
        pack.hand_in(f"a{number}", f"{RIGHT}# {number}\n")
    ours, theirs = pty.openpty()
    command = [KATA, "grade", str(pack.work), "--jobs", "1"]
    done = subprocess.run(
        command, env=os.environ | pack.env, stdout=subprocess.PIPE, stderr=theirs, check=True, timeout=60
    )
    os.close(theirs)
    shown = click.unstyle(os.read(ours, 10_000).decode())
    os.close(ours)
    assert re.search(r"graded .* 0 of 3 .*graded .* 1 of 3 .*graded .* 3 of 3 0:00:00", shown, re.DOTALL)
    assert b"3 of 3 solved" in done.stdout


@pytest.mark.long
def test_submission_changed_during_grading_gets_no_verdict(pack):
    pack.hand_in("a", HANGS)
    pack.hand_in("b", RIGHT)
    changed = pack.hand_in("c", WRONG) / "toy.py"
    with pack.started("--jobs", 1) as started:
        family = psutil.Process(started.process.pid)
        wait_until(lambda: any(map(is_judge, family.children(recursive=True))))
        changed.write_text(f"{RIGHT}# another one\n")
        assert started.process.wait(60) == 3
    grades = pack.grades()
    assert [grades[name]["solved"] for name in "abc"] == [False, True, False]
    assert grades["c"]["notes"] == ["not judged: c changed after grading began"]
    assert pack.grade("--jobs", 1, "--resume")["c"]["solved"]


@pytest.mark.long
def test_grader_failure_gives_no_score(pack):
    pack.checks("import nothing_of_that_name")
    pack.hand_in("a", RIGHT)
    grade = pack.grade(code=3)["a"]
    assert grade["score"] is None
    assert "not judged: the judge of toy gave no verdict" in grade["notes"][-1]
    result = kata(pack.root, "grade", pack.work / "a", "--format", "gradescope", env=pack.env)
    assert (result.returncode, result.stdout) == (3, "")
    assert "a has no score, so no results are printed: not judged: " in result.stderr
    assert "nothing_of_that_name" in result.stderr


@pytest.mark.long
def test_equal_names_get_their_paths(pack):
    for year in ("first", "second"):
        pack.hand_in(year, RIGHT)
        (pack.work / year / "alice").mkdir()
        (pack.work / year / "toy.py").rename(pack.work / year / "alice" / "toy.py")
    file = ("--json", pack.file)
    result = kata(pack.root, "grade", *(pack.work / year for year in ("first", "second")), *file, env=pack.env)
    assert result.returncode == 0, result.stderr
    assert list(pack.grades()) == [str(pack.work / year / "alice") for year in ("first", "second")]


@pytest.mark.parametrize("file", ["", "-", "/dev/null"])
def test_grades_go_only_to_a_file(pack, file):
    pack.hand_in("a", RIGHT)
    assert "is not a file; name a file" in refused(kata(pack.root, "grade", pack.work, "--json", file, env=pack.env))
    assert Path("/dev/null").is_char_device()


@pytest.mark.long
def test_hanging_submission_does_not_delay_the_others(pack):
    pack.hand_in("a", HANGS)
    for number in range(6):
        pack.hand_in(f"b{number}", f"{RIGHT}# {number}\n")
    with pack.started("--jobs", 2) as started:
        wait_until(lambda: begun(pack) == 6)
        assert not any(b'"hang"' in line for line in pack.kept())
        assert started.process.wait(30) == 0
    assert pack.grades()["a"]["checks"][0]["verdict"] == "hang"


@pytest.mark.long
def test_same_files_get_same_messages_every_run(pack):
    pack.hand_in("answers", RIGHT.replace('"gone"', "self"))
    pack.hand_in("raises", RIGHT.replace('return "gone"', 'raise ValueError(self, {"b", "a", "c"})'))

    def messages():
        message = {name: [check["message"] for check in grade["checks"]] for name, grade in pack.grade().items()}
        pack.file.unlink()
        return message

    first = messages()
    assert "a Thing (<toy.toy.Thing object>)" in first["answers"][0]
    assert "ValueError: (<toy.toy.Thing object>, {" in first["raises"][0]
    assert messages() == first


@pytest.mark.long
@pytest.mark.parametrize("after", [0, 1, 5])
def test_resumed_runs_give_the_same_verdicts(pack, after):
    """They were killed at any moment."""
    pack.checks(CHECKS)
    hand_in_many(pack)
    whole = verdicts(pack.grade())
    pack.file.unlink()
    with pack.started() as started:
        wait_until(lambda: begun(pack) >= after)
        family = psutil.Process(started.process.pid).children(recursive=True)
        os.kill(started.process.pid, signal.SIGKILL)
    _, alive = psutil.wait_procs(family, timeout=10)
    assert not alive, "they end when nobody asks them any more"
    kept = begun(pack)
    assert after <= kept < MANY
    assert not pack.file.exists()
    if kept:
        message = refused(kata(pack.root, "grade", pack.work, "--json", pack.file, env=pack.env))
        assert "ended early; continue with --resume, or remove its grades: " in message
    assert verdicts(pack.grade("--resume")) == whole
    assert begun(pack) == 0
    assert pack.left() == [], "what the killed run has left is removed by the next one"


@pytest.mark.long
def test_a_torn_record_is_judged_again(pack):
    """Half of a transaction in the log of a killed run: the next run keeps the others."""
    hand_in_many(pack)
    whole = verdicts(pack.grade())
    pack.file.unlink()
    with pack.started() as started:
        wait_until(lambda: begun(pack) >= 2)
        os.kill(started.process.pid, signal.SIGKILL)
    (place,) = pack.state.glob("*.grades")
    log = place.with_name(f"{place.name}-wal")
    os.truncate(log, log.stat().st_size - 100)
    assert verdicts(pack.grade("--resume")) == whole
    assert list(pack.state.glob("*.grades*")) == []


@pytest.mark.long
def test_resume_judges_only_what_is_new(pack):
    pack.checks(CHECKS)
    hand_in_many(pack)
    first = pack.grade()
    (pack.work / "s03" / "toy.py").write_text(RIGHT)
    pack.hand_in("t", WRONG)
    grades = pack.grade("--resume")
    assert grades["s03"]["solved"]
    assert len(grades) == MANY + 1
    del first["s03"]
    assert {name: grades[name] for name in first} == first, "to the hundredth of a second that it took"
    pack.checks(CHECKS + "\n# other checks\n")
    before = {grade["key"] for grade in grades.values()}
    for left in list(pack.work.iterdir())[2:]:
        shutil.rmtree(left)
    assert not before & {grade["key"] for grade in pack.grade("--resume").values()}, "another kata, other verdicts"


def test_ctrl_c_ends_it_and_loses_nothing(pack):
    pack.checks(CHECKS)
    hand_in_many(pack)
    with pack.started() as started:
        wait_until(lambda: begun(pack) >= 2)
        family = psutil.Process(started.process.pid).children(recursive=True)
        code = started.interrupt()
        message = "".join(started.lines)
    assert code == 1
    assert "Traceback" not in message
    assert "interrupted; continue with --json" in message
    _, alive = psutil.wait_procs(family, timeout=10)
    assert not alive
    assert begun(pack) >= 2
    assert pack.left() == []


@pytest.mark.long
def test_two_graders_cannot_write_same_file(pack):
    pack.checks(CHECKS)
    hand_in_many(pack)
    with pack.started() as started:
        wait_until(lambda: begun(pack) >= 1)
        first = psutil.Process(started.process.pid)
        first.suspend()  # otherwise it may end before the second begins
        message = refused(kata(pack.root, "grade", pack.work, "--json", pack.file, env=pack.env))
        assert message == f"another `kata grade` is writing {pack.file} right now"
        first.resume()
        assert started.process.wait(60) == 0
    assert len(pack.grades()) == MANY


@pytest.mark.long
def test_a_killed_judge_is_replaced(pack):
    """What it judged is judged again."""
    pack.hand_in("hangs", HANGS)
    pack.hand_in("right", RIGHT)
    with pack.started("--jobs", 1) as started:
        grader = psutil.Process(started.process.pid)
        wait_until(lambda: any(is_judge(each) and any(map(is_judge, each.children())) for each in grader.children()))
        next(filter(is_judge, grader.children())).kill()
        assert started.process.wait(60) == 0
    grades = pack.grades()
    assert grades["hangs"]["checks"][0]["verdict"] == "hang"
    assert grades["right"]["solved"]


@pytest.mark.long
def test_an_unfit_kata_quotes_its_judge(pack):
    pack.hand_in("right", RIGHT)
    pack.checks("import nothing_of_that_name\n")
    result = kata(pack.root, "grade", pack.work, "--json", pack.file, env=pack.env)
    assert "nothing_of_that_name" in result.stderr, "which is for whoever grades, and for no learner"
    assert "\0" not in result.stderr, "where the words of the first attempt were"
    grade = pack.grades()["right"]
    assert (grade["checks"], grade["solved"]) == ([], False)
    assert grade["notes"][-1].startswith("not judged: the judge of toy gave no verdict")
    assert "nothing_of_that_name" not in pack.file.read_text()


def test_resume_needs_a_file_with_grades(pack):
    pack.hand_in("right", RIGHT)
    assert "the file of the run to continue" in refused(kata(pack.root, "grade", pack.work, "--resume", env=pack.env))
    pack.file.write_text("{}")
    message = refused(kata(pack.root, "grade", pack.work, "--resume", "--json", pack.file, env=pack.env))
    assert message.startswith(f"--resume: {pack.file} is not a file of grades")
    assert pack.file.read_text() == "{}"


def test_log_gets_one_progress_line_per_minute(monkeypatch, capsys):
    """Sixty gradings of 25 s each: every third is a minute later than the line before."""
    now = iter(range(0, 10_000, 25))
    monkeypatch.setattr("drill_katas.cli.progress.time", SimpleNamespace(monotonic=lambda: next(now)))
    report_progress = log_lines("graded")
    for done in range(1, 61):
        report_progress(done, 60)
    lines = capsys.readouterr().err.splitlines()
    assert lines[0] == "graded: 3 of 60, about 24 min to go"
    assert len(lines) == 19
