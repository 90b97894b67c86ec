"""Judges hostile tests: a pytest process for each version of a module, in a sandbox of its own.

The process has the kit and its services. It sees the file with the tests, and of the kata only the manifest, the
thresholds and the support files. Its SUTs are forked outside, and `zygote_relay.py` decides what they run. It is new
for each version, and only one word per test leaves it.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sys
import time
from typing import TYPE_CHECKING, Final

import msgspec

from drill_katas.batch.judge_client import JudgeEnded
from drill_katas.batch.zygote_relay import ZygoteRelay
from drill_katas.catalog.arms import Arm, Overlay, SourceFile, open_to_all
from drill_katas.catalog.katas import GUARDRAIL
from drill_katas.catalog.thresholds import thresholds_file
from drill_katas.files import run_folder
from drill_katas.judge.dialer import ScratchDialer
from drill_katas.judge.exit import NoAnswer, SutExited
from drill_katas.judge.zygote_client import ZYGOTES, ZygoteClient
from drill_katas.machine.cpu_time import BUSY_SHARE, Meter, Wait
from drill_katas.sandbox.protocol import Spawn
from drill_katas.verdict import CheckResult, Outcome, Stage

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from drill_katas.batch.tasks import Task
    from drill_katas.catalog.katas import Kata
    from drill_katas.judge.process import Process
    from drill_katas.sandbox.tier import SandboxPolicy

ENTRY: Final = "drill_katas.runner.confined"
"""The module of the process; a name, because its import would load pytest here."""
PRELOAD: Final = (ENTRY, "drill_katas.kit", "drill_katas.services.network", "hypothesis.stateful")
MEMORY_MIB, PROCESSES = 1024, 32
SECONDS: Final = 60.0  # for all tests on one version, without waiting for a processor
WALL_FACTOR: Final = 3  # wall time of a run, as a multiple of `SECONDS`
MOST_TESTS: Final = 200
KERNEL: Final = ("/proc/stat", "/proc/pressure/cpu")  # so that the process can tell a busy machine


class ConfinedRun(msgspec.Struct, frozen=True, kw_only=True):
    """The request to the process: run the tests in `files`."""

    kata: str
    files: str
    seed: int


class ConfinedJudge:
    """Judges tests for one kata, one version at a time. Takes the sandbox tier strong."""

    def __init__(self, kata: Kata, policy: SandboxPolicy) -> None:
        self.kata = kata
        self._policy = policy
        self.log = ""  # what the last process wrote
        self.seconds = 0.0  # of the last run, without waiting for a processor
        self._process: Process | None = None  # of the current run
        self._judges = ZygoteClient([*PRELOAD, *kata.manifest.imports], policy)
        self._suts = [ZygoteClient(kata.manifest.imports, policy, seed) for seed in range(1, ZYGOTES + 1)]

    def judge(self, task: Task) -> tuple[CheckResult, ...]:
        """Run the tests in `task.tests` on `task.files`. Raises `JudgeEnded` if they give no verdict."""
        with contextlib.ExitStack() as at_end:
            files = at_end.enter_context(run_folder())
            self._lay_out(files, task.tests)
            spawn = self._spawn(at_end.enter_context(self._overlay(task)))
            at_end.callback(self._rest)  # after the relays' end, because they read the same events
            relays = [at_end.enter_context(contextlib.closing(ZygoteRelay(sut, spawn))) for sut in self._suts]
            process = self._process = self._begin(files, relays)
            at_end.callback(process.close)
            run = ConfinedRun(kata=self.kata.name, files=str(files), seed=task.seed)
            try:
                return self._words(process, run)
            finally:
                self.log = process.output.text()

    def stop(self) -> None:
        """End the current run soon. Thread-safe."""
        process = self._process
        if process is not None:
            process.kill_soon()

    def close(self) -> None:
        """End all processes."""
        for zygote in (self._judges, *self._suts):
            zygote.close()

    def _lay_out(self, files: Path, tests: bytes) -> None:
        """Write the files that the process may read."""
        room = files / "katas" / self.kata.name
        room.mkdir(parents=True)
        for name in ("kata.toml", thresholds_file(self.kata).name, *self.kata.manifest.support_files):
            if (self.kata.folder / name).is_file():
                shutil.copyfile(self.kata.folder / name, room / name)
        for name in self.kata.manifest.editable:
            (room / name).touch()
        (room / GUARDRAIL).write_bytes(tests)
        open_to_all(files)

    def _overlay(self, task: Task) -> contextlib.closing[Overlay]:
        files = {name: SourceFile(content, self.kata.folder / name) for name, content in task.files.items()}
        return contextlib.closing(Overlay(self.kata, Arm(task.key, files)))

    def _spawn(self, overlay: Overlay) -> Spawn:
        """Return the request for each SUT of a run."""
        manifest = self.kata.manifest
        return Spawn(
            package=self.kata.name,
            modules=[name.removesuffix(".py") for name in manifest.editable],
            overlay=str(overlay.folder),
            memory_mib=manifest.limits.memory_mib,
            processes=manifest.limits.processes,
            tier=self._policy.tier,
            hidden=list(self._policy.hidden),
            opaque=True,
        )

    def _begin(self, files: Path, relays: list[ZygoteRelay]) -> Process:
        interpreter = [sys.executable, os.path.realpath(sys.executable)]
        request = Spawn(
            package="",
            modules=[],
            overlay=str(files),
            memory_mib=MEMORY_MIB,
            processes=PROCESSES,
            tier=self._policy.tier,
            hidden=list(self._policy.hidden),
            entry=ENTRY,
            readable=[*interpreter, *KERNEL],
        )
        dialer = ScratchDialer()
        process = self._judges.request(request, dialer, [relay.detach() for relay in relays])
        dialer.pid = process.pid
        return process

    def _words(self, process: Process, run: ConfinedRun) -> tuple[CheckResult, ...]:
        meter = Meter()
        meter.watch(process.pid, [pid for each in (self._judges, *self._suts) for pid in each.pids])
        wait = Wait(meter, SECONDS, lambda: self._wall_seconds_left(meter))
        try:
            answer = process.ask(run, wait).ok
            words = msgspec.convert(answer, dict[str, Outcome])
        except NoAnswer:
            _expect_quiet(meter)
            raise JudgeEnded(f"its tests did not end within {SECONDS:.0f} s") from None
        except SutExited as ended:
            raise JudgeEnded(f"its tests ended their process ({ended.exit})") from None
        except msgspec.ValidationError:
            raise JudgeEnded("its tests disturbed the process that runs them") from None
        finally:
            self.seconds = wait.adjusted_seconds()
        if Outcome.NOT_JUDGED in words.values():
            _expect_quiet(meter)
            raise JudgeEnded("one of its tests was not judged, although the machine was not busy")
        return tuple(_results(words))

    def _wall_seconds_left(self, meter: Meter) -> float:
        """Return the rest of the wall time. The meter's next reading includes SUTs and SQL servers of the tests."""
        zygotes = (pid for each in (self._judges, *self._suts) for pid in each.pids)
        meter.include([pid for zygote in zygotes for pid in meter.kernel.family(zygote)])
        return meter.began + WALL_FACTOR * SECONDS - time.monotonic()

    def _rest(self) -> None:
        for zygote in (self._judges, *self._suts):
            zygote.rest()


def _expect_quiet(meter: Meter) -> None:
    """Raise `TimeoutError` if the machine was busy, because a verdict on the tests would be unfair then."""
    if meter.delay_share() > BUSY_SHARE:
        raise TimeoutError("the machine was too busy; grade again")


def _results(words: dict[str, Outcome]) -> Iterator[CheckResult]:
    if not 0 < len(words) <= MOST_TESTS:
        many = f"it has {len(words)} tests, and at most {MOST_TESTS} are run"
        raise JudgeEnded(many if words else "its tests cannot be collected; `kata guardrail` says why")
    for name, word in words.items():
        yield CheckResult(name=name, stage=Stage.GUARDRAIL, title=name, outcome=word, seconds=0.0)
