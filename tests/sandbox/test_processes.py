"""No process outlives its check or its run, however that ends."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest

from drill_katas.sandbox.limits import FIRST_UID
from drill_katas.sandbox.procfs import descendants
from drill_katas.verdict import Outcome, Report
from tests.support.pack import Pack
from tests.support.toy import MANIFEST
from tests.support.waiting import SOON, eventually

if TYPE_CHECKING:
    from collections.abc import Iterator


FUSE = 20_000  # forks after which a moving process stops by itself

PROGRAM = '''
import ctypes, multiprocessing, os, signal, subprocess, threading, time


def started(pid):
    """Return when a process was started, in clock ticks: with it, a process id names one process for ever."""
    with open(f"/proc/{pid}/stat") as stat:
        return stat.read().rpartition(")")[2].split()[19]


def note(name, pid):
    with open(NOTES, "a") as notes:
        notes.write(f"{name} {pid} {started(pid)}" + chr(10))


note("program", os.getpid())
note("zygote", os.getppid())


class Thing:
    def starts_a_program(self):
        note("child", subprocess.Popen(["sleep", "1000"]).pid)

    def starts_a_daemon(self):
        ready, tell = os.pipe()
        if os.fork() == 0:
            os.setsid()
            if os.fork() == 0:
                for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
                    signal.signal(number, signal.SIG_IGN)
                note("daemon", os.getpid())
                os.write(tell, b".")
                os.execvp("sleep", ["sleep", "1000"])
            os._exit(0)
        os.wait()
        os.read(ready, 1)

    def starts_a_worker(self):
        worker = multiprocessing.get_context("fork").Process(target=time.sleep, args=(1000,))
        worker.start()
        note("worker", worker.pid)

    def starts_a_thread(self):
        threading.Thread(target=time.sleep, args=(1000,)).start()

    def starts_what_keeps_moving(self):
        if os.fork() == 0:
            os.setsid()
            hops = os.open(HOPS, os.O_WRONLY | os.O_APPEND)
            while os.fstat(hops).st_size < FUSE:
                if os.fork():
                    os._exit(0)
                os.write(hops, b".")
            os._exit(0)
        while not os.stat(HOPS).st_size:
            time.sleep(0.01)

    def hangs(self):
        self.starts_a_program()
        self.starts_a_daemon()
        note("call", os.getpid())
        time.sleep(1000)

    def outlives(self):
        """Hang, after it took its parent-death signal back and left a daemon; neither heeds a signal."""
        ctypes.CDLL(None).prctl(1, 0)  # PR_SET_PDEATHSIG
        for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD}:
            signal.signal(number, signal.SIG_IGN)
        self.starts_a_daemon()
        note("call", os.getpid())
        while True:
            time.sleep(1000)

    def fine(self):
        return "fine"

    def left_behind(self):
        """Return which of the noted processes still run, but for this one and the zygotes."""
        left = []
        with open(NOTES) as notes:
            for line in notes:
                name, pid, ticks = line.split()
                if name != "zygote" and int(pid) != os.getpid() and os.path.exists(f"/proc/{pid}"):
                    left += [name] if started(pid) == ticks else []
        return left
'''
STAYS = """
import os, signal, time


class Thing:
    def go(self):
        if os.fork() == 0:
            for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP, signal.SIGCHLD}:
                signal.signal(number, signal.SIG_IGN)
            if os.fork():
                os._exit(0)
        while True:
            time.sleep(1000)
"""
ONE_BY_ONE = '''
@pytest.mark.stage("symptom")
@pytest.mark.parametrize("method", [
    "starts_a_program", "starts_a_daemon", "starts_a_worker", "starts_a_thread", "starts_what_keeps_moving", "fine",
])
def test_call(sut, method):
    """It answers, and nothing of the checks before is there any more."""
    with sut.open("Thing") as thing:
        assert thing.left_behind() == []
        getattr(thing, method)()
'''
HANGS = '''
@pytest.mark.stage("symptom")
def test_go(sut):
    """It goes."""
    with sut.open("Thing") as thing:
        thing.{call}()

@pytest.mark.stage("symptom")
def test_next(sut):
    """The next one is judged as ever."""
    with sut.open("Thing") as thing:
        assert thing.fine() == "fine"
'''


def touched(path: Path) -> Path:
    """Return a file that the program can append to as any user."""
    path.touch()
    path.chmod(0o666)
    return path


@pytest.fixture
def notes(toy) -> Path:
    """Give the toy a program that notes its processes, and return the file with the notes."""
    notes, hops = touched(toy.root / "notes"), touched(toy.root / "hops")
    toy.module(f"NOTES, HOPS, FUSE = {str(notes)!r}, {str(hops)!r}, {FUSE}\n{PROGRAM}")
    return notes


def noted(notes: Path) -> list[tuple[str, int, str]]:
    """Return the noted processes: name, process id, and when it was started."""
    whole_lines = [line.split() for line in notes.read_text().split("\n")[:-1]]
    return [(name, int(pid), started) for name, pid, started in whole_lines]


def runs(pid: int, started: str) -> bool:
    """Whether the process that had this id when it was noted still runs."""
    try:
        state, *fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return fields[18] == started and state != "Z"


def left_behind(notes: Path) -> list[str]:
    """Return the noted processes that still run, after giving them the time to end."""

    def left() -> list[str]:
        return [f"{name} {pid}" for name, pid, started in noted(notes) if runs(pid, started)]

    eventually(lambda: not left())
    return left()


@contextlib.contextmanager
def hanging(toy, notes: Path, *args: str, call: str = "hangs") -> Iterator[subprocess.Popen[str]]:
    """Run pytest in its own process group, as a shell does, until a call hangs."""
    toy.limits(call_seconds=600, check_seconds=600)
    toy.checks(HANGS.format(call=call))
    temporary = toy.root / "tmp"
    temporary.mkdir()
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--kata", "toy", *args]
    environment = {**os.environ, "TMPDIR": str(temporary)}
    with subprocess.Popen(
        command, cwd=toy.root, env=environment, start_new_session=True, stdout=subprocess.PIPE, text=True
    ) as pytest_run:
        try:
            assert eventually(lambda: "call" in [name for name, *_ in noted(notes)])
            yield pytest_run
        finally:
            pytest_run.kill()
            for _, pid, started in noted(notes):  # only processes of this test, and only if the product failed
                if runs(pid, started):
                    os.kill(pid, signal.SIGKILL)


def test_processes_end_with_their_check(toy, notes):
    """Nothing of a program runs in the next check, nor after the run."""
    toy.checks(ONE_BY_ONE)
    verdict = toy.verdict()
    assert {check.name: check.message for check in verdict.checks if not check.passed} == {}
    names = {name for name, *_ in noted(notes)}
    assert names == {"program", "zygote", "child", "daemon", "worker"}
    assert left_behind(notes) == []


def test_a_moving_process_does_not_escape(toy, notes):
    """It keeps forking, and each parent ends at once."""
    toy.checks(ONE_BY_ONE)
    toy.pytest("--kata", "toy", "-k", "keeps_moving")
    hops = (toy.root / "hops").stat().st_size
    assert 0 < hops < FUSE
    time.sleep(0.5)
    assert (toy.root / "hops").stat().st_size == hops


def test_ctrl_c_leaves_no_process_or_file(toy, notes):
    with hanging(toy, notes) as run:
        os.killpg(run.pid, signal.SIGINT)
        assert run.wait(timeout=SOON) == pytest.ExitCode.INTERRUPTED
        assert left_behind(notes) == []
        assert list((toy.root / "tmp").iterdir()) == []


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP], ids=lambda number: number.name)
def test_a_killed_run_leaves_no_process(toy, notes, number):
    with hanging(toy, notes) as run:
        run.send_signal(number)
        assert run.wait(timeout=SOON) == -number
        assert left_behind(notes) == []


def test_a_killed_zygote_is_replaced(toy, notes):
    """Its programs end with it."""
    report = toy.root / "report.json"
    with hanging(toy, notes, "--kata-report", str(report)) as run:
        (zygote,) = {pid for name, pid, _ in noted(notes) if name == "zygote"}
        os.kill(zygote, signal.SIGKILL)
        run.communicate(timeout=60)
        assert left_behind(notes) == []
    (verdict,) = msgspec.json.decode(report.read_bytes(), type=Report).katas
    assert [check.outcome for check in verdict.checks] == [Outcome.CRASH, Outcome.PASS]


@pytest.mark.parametrize("first", ["judge", "zygote"])
def test_a_program_outlives_neither_judge_nor_zygote(toy, notes, first):
    """Both are killed at once, so that neither can clear up; the program gave up its parent-death signal before."""
    with hanging(toy, notes, call="outlives") as run:
        (zygote,) = {pid for name, pid, _ in noted(notes) if name == "zygote"}
        order = [run.pid, zygote] if first == "judge" else [zygote, run.pid]
        for pid in order:
            os.kill(pid, signal.SIGSTOP)
        for pid in order:
            os.kill(pid, signal.SIGKILL)
        assert left_behind(notes) == []


def test_a_zygote_without_its_guardian_clears_up(toy, notes):
    with hanging(toy, notes, call="outlives") as run:
        (zygote,) = {pid for name, pid, _ in noted(notes) if name == "zygote"}
        guardian = int(Path(f"/proc/{zygote}/stat").read_text().rpartition(")")[2].split()[1])
        assert guardian != run.pid
        os.kill(run.pid, signal.SIGSTOP)
        os.kill(guardian, signal.SIGKILL)
        assert left_behind(notes) == []


@pytest.mark.long
@pytest.mark.skipif(os.geteuid() != 0, reason="programs are recognized by their uid, which only root can set")
@pytest.mark.parametrize(("tier", "world"), [("strong", None), ("reduced", "no-unshare")])
def test_submission_dies_with_grader_and_zygote(tmp_path, tier, world):
    """All that grades is killed at once but for the guardian; the submission has left a daemon."""
    with contextlib.closing(Pack(tmp_path)) as pack:
        (pack.folder / "kata.toml").write_text(f"{MANIFEST}[limits]\ncall_seconds = 600\ncheck_seconds = 600\n")
        pack.hand_in("stays", STAYS)
        with pack.started("--require-tier", tier, world=world) as run:
            assert eventually(lambda: len(programs(run.process.pid)) == 2)
            found = programs(run.process.pid)
            zygotes = {parent_of(pid) for pid, _ in found} - {pid for pid, _ in found}
            guardians = set(map(parent_of, zygotes))
            graders = {run.process.pid, *descendants(run.process.pid)} - {pid for pid, _ in found} - guardians
            for number in (signal.SIGSTOP, signal.SIGKILL):
                for pid in graders:
                    os.kill(pid, number)
            gone = eventually(lambda: not any(runs(*each) for each in found))
            for pid, started in found:
                if runs(pid, started):
                    os.kill(pid, signal.SIGKILL)
            assert gone


def programs(grader: int) -> list[tuple[int, str]]:
    """Return the processes of submissions below a grader that still run, each with when it was started."""
    found = []
    for pid in descendants(grader):
        with contextlib.suppress(OSError):
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            status = Path(f"/proc/{pid}/status").read_text()
            if int(status.partition("Uid:")[2].split()[0]) >= FIRST_UID:
                found.append((pid, fields[19]))
    return found


def parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
