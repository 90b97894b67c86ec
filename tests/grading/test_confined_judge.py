"""The judge of hostile tests ends them, whatever they do to it."""

from __future__ import annotations

import contextlib
import os
import resource
import socket
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import pytest

from drill_katas.batch import confined_judge
from drill_katas.batch.confined_judge import ConfinedJudge
from drill_katas.batch.judge_client import JudgeEnded
from drill_katas.batch.tasks import Judged, Task
from drill_katas.catalog.arms import arm_from
from drill_katas.catalog.katas import Library
from drill_katas.catalog.scaffold import scaffold
from drill_katas.grading.guardrails import judge_guardrail
from drill_katas.grading.keys import seed_of, seed_of_guardrail
from drill_katas.grading.submission import Submission
from drill_katas.judge.dialer import ScratchDialer
from drill_katas.machine.cpu_time import Meter
from drill_katas.sandbox import namespaces
from drill_katas.sandbox.tier import SandboxPolicy, Tier

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from drill_katas.catalog.katas import Kata
    from drill_katas.verdict import CheckResult

pytestmark = pytest.mark.long
PASSES = b"def test_x(sut):\n    pass\n"
SLEEPS = b"import time\n\n\ndef test_x(sut):\n    time.sleep(12)\n"
OPENS = b"""
import time


def test_x(sut):
    with sut.open("Basket"):
        time.sleep(3)
"""
KEEPS_THE_RELAYS_OPEN = b"""
import array, os, socket


def test_x(sut):
    for fd in (7, 8):  # the sockets to the relays, each sent through itself
        rights = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [fd] * 4))
        socket.socket(fileno=os.dup(fd)).sendmsg([b"{"], [rights])
"""


class SeldomRuns(Meter):
    """A meter on a machine where the program mostly waits for a processor."""

    def measure(self) -> float:
        self.run_delay = 0.8 * (time.monotonic() - self.began)
        return self.run_delay


class Including(Meter):
    """A meter that notes whose delay it measures."""

    included: ClassVar[set[int]] = set()

    def include(self, pids: Iterable[int]) -> None:
        self.included.update(pids)


class Judging:
    """A kata with a judge of hostile tests."""

    def __init__(self, kata: Kata) -> None:
        self.kata = kata
        self.judge = ConfinedJudge(kata, SandboxPolicy(Tier.STRONG))

    def try_(self, tests: bytes) -> tuple[CheckResult, ...]:
        """Run the tests on the reference solution."""
        files = arm_from(self.kata, str(self.kata.solutions)).contents
        return self.judge.judge(Task(key="k", kata=self.kata.name, files=files, seed=0, tests=tests))


class Orders:
    """Judges that note the order of their tasks."""

    def __init__(self) -> None:
        self.keys: list[str] = []

    def judged(self, tasks: Iterable[Task]) -> Iterator[Judged]:
        for task in tasks:
            self.keys.append(task.key)
            yield Judged(key=task.key)


@pytest.fixture
def kata(tmp_path):
    (tmp_path / "katas").mkdir()
    scaffold(tmp_path, "cart", "calls")
    return Library(tmp_path / "katas").get("cart")


@pytest.fixture
def judging(kata):
    made = Judging(kata)
    yield made
    made.judge.close()


def test_tests_end_on_the_busiest_machine(judging, monkeypatch):
    """Hostile tests can wait for a processor without end, so the wall time has a limit of its own."""
    monkeypatch.setattr(confined_judge, "SECONDS", 4.0)
    monkeypatch.setattr(confined_judge, "WALL_FACTOR", 1)
    monkeypatch.setattr(confined_judge, "Meter", SeldomRuns)
    with pytest.raises(JudgeEnded, match="its tests did not end within"):
        judging.try_(SLEEPS)


def test_delay_of_modules_is_not_counted(judging, monkeypatch):
    """While tests wait for a module that waits for a processor, their time does not run."""
    monkeypatch.setattr(confined_judge, "Meter", Including)
    judging.try_(OPENS)
    zygotes = {pid for zygote in judging.judge._suts for pid in zygote.pids}
    assert zygotes < Including.included  # there are more: their children, the modules


def test_tests_end_when_the_judge_is_stopped(judging):
    ended = []

    def run() -> None:
        with pytest.raises(JudgeEnded):
            judging.try_(SLEEPS)
        ended.append(time.monotonic())

    thread = threading.Thread(target=run)
    began = time.monotonic()
    thread.start()
    while thread.is_alive():
        judging.judge.stop()
        thread.join(timeout=0.1)
    assert ended[0] - began < 10


def test_relay_ends_before_its_zygote_rests(judging):
    """A relay that its own peer keeps open would take the zygote's answer, and the zygote would be started again."""
    judging.try_(PASSES)
    before = [zygote.pids for zygote in judging.judge._suts]
    for _ in range(5):  # because relay and judge would race for the answer
        judging.try_(KEEPS_THE_RELAYS_OPEN)
    assert [zygote.pids for zygote in judging.judge._suts] == before


def test_path_of_many_parts_takes_few_descriptors(monkeypatch):
    """Tests ask the grader to connect, and must not use up its descriptors."""
    with tempfile.TemporaryDirectory(dir=namespaces.SCRATCH) as folder, socket.socket(socket.AF_UNIX) as server:
        deep = Path(folder, *["d"] * 200)
        deep.mkdir(parents=True)
        monkeypatch.chdir(deep)
        server.bind("s")  # from here, because the address of a socket is short
        server.listen()
        dialer = ScratchDialer()
        dialer.pid = os.getpid()
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        with contextlib.closing(dialer), socket.socket(fileno=dialer.detach()) as asking:
            free = [os.dup(0) for _ in range(50)]
            for fd in free:
                os.close(fd)
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(free) + 1, hard))
            try:
                asking.send(os.fsencode(deep / "s"))
                answer, fds, _, _ = socket.recv_fds(asking, 10, 1)
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        monkeypatch.chdir("/")
        assert answer == b"0"
        os.close(fds[0])


def test_seed_of_tests_tells_nothing_else(kata):
    """Hostile tests see their seed. The checks of the fix have another, and the order of the versions none."""
    submission = Submission("one", kata, {"basket.py": b""}, guardrail=PASSES)
    assert seed_of_guardrail(submission, b"secret") != seed_of(submission, b"secret")
    orders = set()
    for _ in range(3):
        judges = Orders()
        judge_guardrail(kata, PASSES, 1, judges, Tier.STRONG)
        orders.add(tuple(judges.keys))
    assert len(orders) > 1
