"""One SUT after another for one check after another: started when first needed, asked, killed, and cleaned up."""

from __future__ import annotations

import contextlib
import functools
import math
import sys
from typing import TYPE_CHECKING, Any, Final

from drill_katas.failures import CheckEnded, Hang, Killed, StopShrinking
from drill_katas.judge import explain
from drill_katas.judge.exit import Died, Silent
from drill_katas.machine.cpu_time import TENTH, Wait, watching
from drill_katas.services.broker import Services
from drill_katas.services.calls import Call, shortened
from drill_katas.services.kept import TooMuch
from drill_katas.sut.protocol import CallMethod, Import, Open, Problem, VirtualTime
from drill_katas.sut.wire import find_unplain, shown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from drill_katas.judge.check_context import CheckContext
    from drill_katas.judge.observation import Logged
    from drill_katas.judge.running import Running, Spawner
    from drill_katas.sut.protocol import JudgeRequest

IMPORT_SECONDS: Final = 5.0  # the learner's module is small; what it imports is in the zygote already


class SutSession:
    """The judge's side of a SUT: its process, its services, and the check that runs.

    `place` is the folder of the judge's socket; by default one for temporary files.
    """

    def __init__(self, spawner: Spawner, *, seed: int, virtual_time: bool = False, place: Path | None = None) -> None:
        self.seed = seed
        self.trace_id: str | None = None  # the trace of the calls that follow
        self._place = place
        self._virtual_time = virtual_time
        self._spawner = spawner
        self._running: Running | None = None
        self._import_hang: Hang | None = None
        self._check: CheckContext | None = None
        self._watching: contextlib.ExitStack | None = None
        self._logged: list[Logged] = []  # by programs that have ended

    @functools.cached_property
    def services(self) -> Services:
        """The services that the SUT reaches; their thread and socket are there from the first check on."""
        services = Services(self._place)
        services.note_fault = self._note_fault
        services.wait = lambda seconds: Wait(self.check.meter, seconds)
        services.note_server = self._note_server
        return services

    def _note_server(self, pid: int) -> None:
        if self._check is not None:
            self._check.meter.watch(pid, [pid])

    def _note_fault(self, culprit: str) -> None:
        if self._check is not None:
            self._check.note_fault(culprit)

    @property
    def check(self) -> CheckContext:
        """The check that runs."""
        assert self._check is not None, "a SUT exists only while a check runs"
        return self._check

    @property
    def running(self) -> Running | None:
        """The program that runs, if one does."""
        return self._running

    def begin_check(self, check: CheckContext) -> None:
        """Prepare for a check."""
        self._check = check
        check.meter.own(self._spawner.families)
        if math.isinf(check.budget):  # a system that is served for hours
            self.services.most_statements = sys.maxsize

    def raise_end(self) -> None:
        """Raise `LimitExceeded` or `NotJudged` if a database has ended ahead of its check."""
        if "services" in vars(self):
            self.services.raise_end()

    def end_check(self) -> None:
        """End the SUT, and close everything that it was given."""
        self.kill()
        if self._watching is not None:
            self._watching.close()
            self._watching = None
        self._logged = []
        if "services" in vars(self):
            self.services.clear()

    def close(self) -> None:
        """End everything; the session is over."""
        self.end_check()
        if "services" in vars(self):
            self.services.close()

    def watch(self) -> None:
        """Take readings of the machine from here to the end of the check, because a short stretch may decide."""
        if self._watching is None:
            self._watching = contextlib.ExitStack()
            self._watching.enter_context(watching(self.check.meter))

    def kill(self) -> None:
        """Kill the SUT (`kill -9`). The next request starts a new process; databases and upstreams live on."""
        running, self._running = self._running, None
        if running is not None:
            self.check.meter.let_go(running.pid)
            running.close()
            self._logged += running.logs

    def last_stacks(self) -> str:
        """Return the stacks of all threads, and kill the SUT, also when the check's belt strikes meanwhile."""
        assert self._running is not None
        try:
            return self._running.stacks()
        finally:
            self.kill()

    def started(self) -> Running:
        """Return the program, which is started if it does not run."""
        if self._import_hang is not None:  # a module that hung once is not waited for again, check after check
            raise Hang(str(self._import_hang), self._import_hang.details, self._import_hang.place)
        if self._running is None:
            self.check.kept.expect_within()
            self._running = self._spawner.spawn(self.check.program, self.check.limits, self.services.folder)
            self._running.count_in(self.check.kept)
            self.services.kept = self.check.kept
            self.check.output = self._running.output
            self.check.meter.watch(self._running.pid, self._spawner.families)
            if self._virtual_time:
                self.ask(VirtualTime(), Call("virtual time"))
            self._import()
        return self._running

    def _import(self) -> None:
        has_time = self.check.seconds_left() > IMPORT_SECONDS
        try:
            self.ask(Import(), Call(f"import of {self.check.program.editable_names()}"), IMPORT_SECONDS)
        except Hang as hang:
            self._import_hang = hang if has_time and self.check.meter.share() <= TENTH else None
            raise

    def open(self, target: str, args: list[Any]) -> tuple[Running, int]:
        """Call a class or function of the contract; return the program, and the number of the object that was made."""
        running = self.started()
        call = self.check.note_call(f"{target}(...)")
        number: int = self.ask(Open(target=target, args=args), call)
        call.result = ""
        return running, number

    def call(self, running: Running, number: int, text: str, method: str, args: Sequence[Any]) -> Any:
        """Call a method of an opened object of the program `running`; `text` names the object and method."""
        text = shortened(f"{text}({', '.join(map(shown, args))})")
        call = self.check.note_call(text)
        if running is not self._running:
            raise Killed(f"{text}: the program that this object lived in was killed")
        value = self.ask(CallMethod(number=number, method=method, args=list(args)), call)
        problem = find_unplain(value)  # its host has looked, too, but that is where the learner's code runs
        if problem:
            raise explain.unplain(text, problem)
        call.result = "" if value is None else shortened(shown(value))
        return value

    def count(self, kind: str) -> None:
        """Count the last answer among what the check keeps. Raises `LimitExceeded` when that is too much."""
        assert self._running is not None
        try:
            self.check.kept.add(kind, self._running.weight)
        except TooMuch:
            self.services.raise_end()

    def logs(self) -> list[Logged]:
        """Return all lines logged in this check; of the program that runs, those that have arrived."""
        return self._logged + (self._running.logs if self._running else [])

    def ask(self, request: JudgeRequest, call: Call, seconds: float | None = None, fds: Sequence[int] = ()) -> Any:
        """Send one request within what is left of the budget, and return its value or raise what happened."""
        check, running = self.check, self._running
        assert running is not None
        if not check.seconds_left():
            raise self._late()
        wait = check.wait(seconds or check.limits.call_seconds)
        is_call = isinstance(request, Open | CallMethod)
        request.trace = self.trace_id
        self.services.begin(call if is_call else None, self.trace_id)
        try:
            answer = running.ask(request, wait, fds)
        except Silent:
            raise self._silent(call, wait) from None
        except Died as died:
            call.result = str(died)
            self.kill()
            self.services.raise_end()
            raise explain.death(call.text, died.exit, check.limits) from None
        except BaseException:  # Ctrl-C: the answer that is still to come must not be taken for another call's
            self.kill()
            raise
        finally:
            self.services.begin(None, None)
        if isinstance(answer.error, Problem):
            self.services.raise_end()
            call.result = explain.raised(answer.error)
            raise explain.refusal(call.text, answer.error, check.program, check.limits)
        check.answered += is_call
        return answer.ok

    def _silent(self, call: Call, wait: Wait) -> CheckEnded:
        """Return what ends a check whose request got no answer in time; the SUT is killed."""
        dump = self.last_stacks()
        self.services.raise_end()
        if self.check.failure is not None and not self.check.seconds_left():
            return StopShrinking()
        return explain.hang(call.text, wait, self.check, dump)

    def _late(self) -> CheckEnded:
        """Return what ends a check whose budget is used up between two requests."""
        self.kill()
        return self.check.late() if self.check.failure is None else StopShrinking()
