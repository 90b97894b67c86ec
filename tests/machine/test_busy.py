"""Budgets measure the fix: delays of a busy machine are not counted, and outcomes that it decides are not judged."""

from __future__ import annotations

import json
import os
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from drill_katas.machine.cpu_time import MAX_WALL_FACTOR, MIN_STRETCH, Meter, Wait
from drill_katas.machine.scheduler import Kernel
from drill_katas.verdict import Outcome
from drill_katas.verify.trials import busy
from tests.support.commands import done, words
from tests.support.deeds import GRACE, IMPORTS
from tests.support.toy import MANIFEST

if TYPE_CHECKING:
    from pathlib import Path

BESIDE = '''
import os, subprocess

@pytest.fixture
def crowd():
    """Four processes that are always busy, on the processor that judge and program have, each in its own session."""
    crowd = [subprocess.Popen(["sh", "-c", "while :; do :; done"], start_new_session=True) for _ in range(4)]
    yield
    for each in crowd:
        each.kill()
        each.wait()

@pytest.mark.stage("symptom")
def test_go(sut, crowd):
    """It goes."""
    with sut.open("Thing") as thing:
        for _ in range({calls}):
            assert thing.go() == "gone", "it should be gone"
'''
WORKS = """
class Thing:
    def go(self):
        until = time.process_time() + {seconds}
        while time.process_time() < until:
            pass
        return "gone"
"""
CONSTRUCTED = """
class Thing:
    def __init__(self):
        until = time.process_time() + 0.3
        while time.process_time() < until:
            pass

    def go(self):
        return "gone"
"""


@pytest.fixture
def one_processor(toy):
    """Everything that this test starts shares one processor, as a judge and its programs do in grading."""
    toy.patience = 1
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(before)})
    yield
    os.sched_setaffinity(0, before)


def crowd(toy, *, calls: int, seconds: float, **limits: float):
    """Make a kata whose check makes calls beside four busy processes; each call works for these seconds."""
    toy.limits(**limits)
    toy.checks(BESIDE.format(calls=calls))
    toy.module(IMPORTS + WORKS.format(seconds=seconds))


def expect_pass_beyond(toy, seconds: float):
    """Judge until the check takes longer than its limit, because the kernel decides how busy the processor is."""
    took = []
    for _ in range(5):
        check = toy.check()
        assert check.outcome is Outcome.PASS, check.message
        took.append(check.seconds)
        if check.seconds > seconds:
            return
    pytest.fail(f"the processor was never busy enough: the checks took {took} s, and more than {seconds} s was needed")


def expect_not_judged(toy, least: float = 0.1) -> str:
    """Judge until the check has waited for the processor for `least` seconds, because the kernel decides that.

    This run must be `not judged`. Return its message.
    """
    waited = []
    for _ in range(5):
        check = toy.check()
        waited.append(check.waited)
        if check.waited >= least:
            assert check.outcome is Outcome.NOT_JUDGED, check.message
            return check.message
    pytest.fail(f"the processor was never busy enough: the checks waited {waited} s, and {least} s was needed")


@pytest.mark.usefixtures("one_processor")
def test_a_call_may_wait_for_a_processor(toy):
    """Half of the call's limit is work; beside four others it takes longer than that, and passes."""
    crowd(toy, calls=1, seconds=0.3, call_seconds=0.6)
    expect_pass_beyond(toy, 0.6)


@pytest.mark.long
@pytest.mark.usefixtures("one_processor")
def test_a_constructor_may_wait_for_a_processor(toy):
    toy.limits(call_seconds=0.6)
    toy.checks(BESIDE.format(calls=1))
    toy.module(IMPORTS + CONSTRUCTED)
    expect_pass_beyond(toy, 0.6)


@pytest.mark.long
@pytest.mark.usefixtures("one_processor")
def test_a_check_may_wait_for_a_processor(toy):
    crowd(toy, calls=10, seconds=0.09, check_seconds=2)
    expect_pass_beyond(toy, 2)


@pytest.mark.long
@pytest.mark.usefixtures("one_processor")
def test_an_import_may_wait_for_a_processor(toy):
    """The import has five seconds, and no message blames an import that was never slow."""
    toy.checks(BESIDE.format(calls=1))
    toy.module(f"{IMPORTS}{WORKS.format(seconds=0.01)}\n\nThing().go()\nuntil = time.process_time() + 3\n"
               "while time.process_time() < until:\n    pass\n")  # fmt: skip
    expect_pass_beyond(toy, 5)


@pytest.mark.long
@pytest.mark.usefixtures("one_processor")
def test_an_endless_call_beside_a_crowd_hangs(toy):
    """Its own time runs too, only more slowly."""
    crowd(toy, calls=1, seconds=1000, call_seconds=0.3)
    check = toy.check()
    assert check.outcome is Outcome.HANG, check.message
    assert "no answer within 0.3 s (not counted: " in check.message, check
    assert check.seconds < 20 * MAX_WALL_FACTOR


@pytest.mark.usefixtures("one_processor")
def test_late_check_under_load_is_not_judged(toy):
    """Every call is answered, and the budget is used up: on a busy machine that is no verdict."""
    crowd(toy, calls=100, seconds=0.05, check_seconds=0.6)
    assert "the machine was too busy" in expect_not_judged(toy)


@pytest.mark.usefixtures("one_processor")
def test_missed_threshold_under_load_is_not_judged(toy):
    measured = BESIDE.format(calls=1).replace("thing.go()", "kit_time(sut, thing)")
    toy.checks(
        measured + "\n"
        "def kit_time(sut, thing):\n"
        "    import time\n"
        "    began = time.monotonic()\n"
        "    thing.go()\n"
        "    took = time.monotonic() - began\n"
        '    assert took <= sut.measured("pace", took), f"it took {took} s"\n'
        '    return "gone"\n'
    )
    toy.write("thresholds.toml", "format = 1\n[figures.pace]\nlimit = 0.15\nhighest_right = 0.1\nlowest_wrong = 9\n")
    toy.module(IMPORTS + WORKS.format(seconds=0.1))
    assert "it took" in expect_not_judged(toy)


@pytest.mark.usefixtures("one_processor")
def test_late_answer_under_load_is_not_judged(toy):
    """As a kata asserts a limit on time."""
    late = BESIDE.format(calls=1).replace('assert thing.go() == "gone", "it', 'sut.in_time(not thing.go(), "it')
    toy.checks(late.replace('be gone"', 'be gone")'))
    toy.module(IMPORTS + WORKS.format(seconds=0.1))
    assert "it should be gone" in expect_not_judged(toy)


def late_by(toy, seconds: float):
    """Make a kata whose check misses a time limit by these seconds, beside four busy processes."""
    failing = f'sut.in_time(not thing.go(), "it should be gone", late={seconds})'
    toy.checks(BESIDE.format(calls=1).replace('assert thing.go() == "gone", "it should be gone"', failing))
    toy.module(IMPORTS + WORKS.format(seconds=0.3))


@pytest.mark.usefixtures("one_processor")
def test_a_machine_is_blamed_for_its_delay(toy):
    late_by(toy, 1.0)
    expect_not_judged(toy, least=0.6)  # one second of waiting explains two of delay


@pytest.mark.usefixtures("one_processor")
def test_a_machine_is_not_blamed_for_more_than_its_delay(toy):
    """It was busy, but what came far later than that explains came late by itself."""
    late_by(toy, 1_000.0)
    check = toy.check()
    assert check.outcome is Outcome.FAIL, check.message


@pytest.mark.usefixtures("one_processor")
def test_timeouts_beside_a_crowd_are_not_judged(toy):
    """Its own time-outs expire while it waits for a processor, so its answers prove nothing."""
    toy.checks(BESIDE.format(calls=1).replace("    with sut", "    sut.on_time()\n    with sut"))
    toy.module(IMPORTS + WORKS.format(seconds=0.5).replace('"gone"', '"timed out"'))
    expect_not_judged(toy, least=0.3)


@pytest.mark.long
def test_program_gets_no_time_for_crowding_itself(toy):
    """It spins in eight processes; what these take from each other is no reason to wait for it."""
    toy.limits(call_seconds=1.0)
    toy.module(
        f"{IMPORTS}\nclass Thing:\n    def go(self):\n"
        "        for _ in range(8):\n            if os.fork() == 0:\n                break\n"
        "        while True:\n            pass\n"
    )
    check = toy.check()
    assert check.outcome is Outcome.HANG, check.message
    assert check.seconds < 20.0 * MAX_WALL_FACTOR
    assert check.seconds - check.waited < 1 + GRACE


# The meter itself, with data of a kernel


class Machine:
    """A /proc with one processor, this process and a program with children."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ticks = os.sysconf("SC_CLK_TCK")
        self.run(os.getpid(), ran=0, waited=0)
        self.busy(0)

    def run(self, pid: int, ran: float, waited: float, children: str = "") -> None:
        """Write what a process of one thread has had."""
        task = self.folder / str(pid) / "task" / str(pid)
        task.mkdir(parents=True, exist_ok=True)
        (task / "schedstat").write_text(f"{int(ran * 1e9)} {int(waited * 1e9)} 1\n")
        (task / "children").write_text(children)
        (self.folder / str(pid) / "stat").write_text(f"{pid} (x) S {'0 ' * 10}{int(ran * self.ticks)} 0 0 0 0\n")

    def busy(self, seconds: float) -> None:
        """Write how long this process's processors were busy."""
        lines = [f"cpu{number} {int(seconds * self.ticks)} 0 0 1 1 0 0 0 0 0" for number in os.sched_getaffinity(0)]
        (self.folder / "stat").write_text("\n".join(lines[:1]) + "\n")


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def measured(machine: Machine, passed: float, change) -> float:
    """The measured delay of a check of `passed` seconds; `change` sets the kernel's counters."""
    meter = Meter(Kernel(machine.folder))
    meter.watch(77, [70])
    change()
    until = meter.began + passed
    while time.monotonic() < until:
        time.sleep(passed / 10)
    return meter.measure()


def test_waiting_counts_as_far_as_others_ran(machine):
    def others():
        machine.run(77, ran=0.05, waited=0.2)
        machine.busy(0.25)

    def nobody():
        machine.run(77, ran=0.05, waited=0.2, children="78")
        machine.run(78, ran=0.2, waited=0.05)
        machine.busy(0.25)

    machine.run(70, ran=3.0, waited=1.0, children="77")
    assert measured(machine, 0.3, others) == pytest.approx(0.2)
    machine.run(77, ran=0, waited=0)
    machine.busy(0)
    assert measured(machine, 0.3, nobody) == pytest.approx(0.0, abs=0.02)


def test_listed_child_process_is_counted_once(machine):
    """A SQL server is one of the check's own, and so is the process that it was forked from."""
    machine.run(70, ran=1.0, waited=0, children="77")
    machine.run(77, ran=2.0, waited=0)
    assert Kernel(machine.folder).used([], [70, 77]) == pytest.approx(3.0)


def test_waiting_and_work_never_exceed_elapsed_time(machine):
    def change():
        machine.run(77, ran=0.1, waited=50.0)
        machine.busy(100)

    machine.run(70, ran=0, waited=0, children="77")
    assert measured(machine, 0.2, change) == pytest.approx(0.1, abs=0.05)


def test_without_schedstat_pressure_counts(tmp_path):
    pressure = tmp_path / "pressure" / "cpu"
    pressure.parent.mkdir()
    pressure.write_text("some avg10=0.00 avg60=0.00 avg300=0.00 total=1000000\n")
    meter = Meter(Kernel(tmp_path))
    pressure.write_text("some avg10=0.00 avg60=0.00 avg300=0.00 total=1005000\n")
    while time.monotonic() < meter.began + 0.05:
        time.sleep(0.01)
    assert meter.measure() == pytest.approx(0.005)


def test_wall_time_is_used_without_kernel_counters(tmp_path):
    meter = Meter(Kernel(tmp_path / "nothing"))
    wait = Wait(meter, 0.05, lambda: 60.0)
    while left := wait.left():
        time.sleep(left)
    assert meter.run_delay == 0.0
    assert wait.adjusted_seconds() >= 0.05


def test_zygotes_are_no_work_of_others(toy):
    """It begins with the first check; whether others keep the machine busy is not to be seen from it."""
    toy.write("kata.toml", f'{MANIFEST}preload = ["sqlalchemy"]\n')
    toy.checks("""
        import psutil

        @pytest.mark.stage("symptom")
        def test_go(sut):
            names = {child.pid: " ".join(child.cmdline()) for child in psutil.Process().children()}
            own = [pid for pid, name in names.items() if "zygote.py" in name or "nursery.py" in name]
            assert len(own) == 3
            assert set(own) <= set(sut.check.meter._families)
            with sut.open("Thing") as thing:
                thing.go()
    """)
    check = toy.check()
    assert check.outcome is Outcome.PASS, check.message


def test_quick_answer_reads_no_kernel_counters(toy):
    """Nor does a check that ends in time: readings are taken when a wait is long, or time is over."""
    toy.checks('''
        import time

        @pytest.mark.stage("symptom")
        def test_go(sut):
            """It goes."""
            with sut.open("Thing") as thing:
                before, slow = len(sut.check.meter._history), 0
                for _ in range(200):
                    began = time.monotonic()
                    thing.go()
                    slow += time.monotonic() - began > 0.2
            assert len(sut.check.meter._history) - before <= 2 * slow, f"{slow} calls were slow"
    ''')
    check = toy.check()
    assert check.outcome is Outcome.PASS, check.message


def test_share_is_that_of_the_worst_moment(machine):
    """Half a second of waiting decides a limit of half a second, however long the check is."""
    meter = Meter(Kernel(machine.folder))
    for waited in (0.0, 0.0, 0.3):
        time.sleep(MIN_STRETCH)
        machine.run(os.getpid(), ran=0, waited=waited)
        machine.busy(waited)
        meter.measure()
    assert meter.run_delay / (3 * MIN_STRETCH) < 0.25
    assert meter.delay_share() == pytest.approx(0.6, abs=0.1)
    assert meter.delay_share(2 * MIN_STRETCH) == pytest.approx(0.3, abs=0.05)


def test_busy_processes_share_no_session():
    """Linux shares processors among sessions first; twenty in one would leave half the time to everybody else."""
    with busy(3):
        children = psutil.Process().children()
        sessions = {os.getsid(child.pid) for child in children}
    assert len(sessions - {os.getsid(0)}) >= 3


@pytest.mark.long
@pytest.mark.usefixtures("one_processor")
def test_replay_on_busy_machine_reports_running_late(tmp_path):
    done(tmp_path, "init", ".")
    with busy(2):
        output = words(done(tmp_path, "incident", "fp_drift"))
    assert "the incident ran late: it waited " in output
    assert "repeat it with `kata incident fp_drift`" in output
    summary = json.loads((tmp_path / ".kata/incidents/fp_drift/incident.json").read_text())["summary"]
    assert summary["late"] > 0.1
