"""The life of SUTs across checks: a SUT starts when it is first needed and ends with its check."""

from __future__ import annotations

import contextlib
import functools
import math
import sys
from typing import TYPE_CHECKING, Any, Final

from drill_katas.failures import CheckEnded, Hang, Killed, StopShrinking
from drill_katas.judge import sut_errors
from drill_katas.judge.exit import NoAnswer, SutExited
from drill_katas.machine.cpu_time import BUSY_SHARE, Wait, sampling
from drill_katas.services.broker import Services
from drill_katas.services.calls import Call, shortened
from drill_katas.services.retained import RetentionExceeded
from drill_katas.sut.protocol import CallMethod, Import, Open, Problem, VirtualTime
from drill_katas.sut.wire import find_unplain, shown

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from drill_katas.judge.check_context import CheckContext
    from drill_katas.judge.observation import Logged
    from drill_katas.judge.running import Running, Spawner
    from drill_katas.sut.protocol import JudgeRequest

IMPORT_SECONDS: Final = 5.0  # enough, because the zygote has already imported the libraries of the learner's module


class SutSession:
    """The judge's side of a SUT: its process, its services, and the running check.

    `place` is the folder of the judge's socket; the default is the folder for temporary files.
    """

    def __init__(self, spawner: Spawner, *, seed: int, virtual_time: bool = False, place: Path | None = None) -> None:
        self.seed = seed
        self.trace_id: str | None = None  # the trace id of the next calls
        self._place = place
        self._virtual_time = virtual_time
        self._spawner = spawner
        self._running: Running | None = None
        self._import_hang: Hang | None = None
        self._check: CheckContext | None = None
        self._watching: contextlib.ExitStack | None = None
        self._logged: list[Logged] = []  # of programs that ended

    @functools.cached_property
    def services(self) -> Services:
        """The services for the SUT; the first check starts their thread and socket."""
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
        """The running check."""
        assert self._check is not None, "a SUT exists only while a check runs"
        return self._check

    @property
    def running(self) -> Running | None:
        """The running program; None if there is none."""
        return self._running

    def begin_check(self, check: CheckContext) -> None:
        """Set the running check."""
        self._check = check
        check.meter.count_as_own(self._spawner.families)
        if math.isinf(check.budget):  # `kata serve` runs a system for hours
            self.services.most_statements = sys.maxsize

    def raise_end(self) -> None:
        """Raise `LimitExceeded` or `NotJudged` if a database ended before the check."""
        if "services" in vars(self):
            self.services.raise_end()

    def end_check(self) -> None:
        """Kill the SUT and close its services."""
        self.kill()
        if self._watching is not None:
            self._watching.close()
            self._watching = None
        self._logged = []
        if "services" in vars(self):
            self.services.clear()

    def close(self) -> None:
        """End the check and close the services for good."""
        self.end_check()
        if "services" in vars(self):
            self.services.close()

    def watch(self) -> None:
        """Sample the run-queue delay until the end of the check, because a short delay may decide the result."""
        if self._watching is None:
            self._watching = contextlib.ExitStack()
            self._watching.enter_context(sampling(self.check.meter))

    def kill(self) -> None:
        """Kill the SUT (`kill -9`). The next request starts a new process; databases and upstreams stay."""
        running, self._running = self._running, None
        if running is not None:
            self.check.meter.forget(running.pid)
            running.close()
            self._logged += running.logs

    def last_stacks(self) -> str:
        """Return the stacks of all threads and kill the SUT, even if the watchdog timer raises meanwhile."""
        assert self._running is not None
        try:
            return self._running.stacks()
        finally:
            self.kill()

    def started(self) -> Running:
        """Return the running program; start it if necessary."""
        if self._import_hang is not None:  # because a module that hung once would cost every check the same time
            raise Hang(str(self._import_hang), self._import_hang.details, self._import_hang.place)
        if self._running is None:
            self.check.retained.raise_if_exceeded()
            self._running = self._spawner.spawn(self.check.program, self.check.limits, self.services)
            self._running.count_toward(self.check.retained)
            self.services.retained = self.check.retained
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
            self._import_hang = hang if has_time and self.check.meter.delay_share() <= BUSY_SHARE else None
            raise

    def open(self, target: str, args: list[Any]) -> tuple[Running, int]:
        """Call a class or function of the contract; return the program and the number of the new object."""
        running = self.started()
        call = self.check.note_call(f"{target}(...)")
        number: int = self.ask(Open(target=target, args=args), call)
        call.result = ""
        return running, number

    def call(self, running: Running, number: int, text: str, method: str, args: Sequence[Any]) -> Any:
        """Call a method of object `number` in the program `running`, and return its value; `text` is for messages."""
        text = shortened(f"{text}({', '.join(map(shown, args))})")
        call = self.check.note_call(text)
        if running is not self._running:
            raise Killed(f"{text}: the program with this object was killed; open it again")
        value = self.ask(CallMethod(number=number, method=method, args=list(args)), call)
        problem = find_unplain(value)  # again, because the learner's code runs in the process of the first check
        if problem:
            raise sut_errors.unplain(text, problem)
        call.result = "" if value is None else shortened(shown(value))
        return value

    def count(self, kind: str) -> None:
        """Count the last answer as retained data. Raises `LimitExceeded` beyond the limit."""
        assert self._running is not None
        try:
            self.check.retained.add(kind, self._running.weight)
        except RetentionExceeded:
            self.services.raise_end()

    def logs(self) -> list[Logged]:
        """Return the log lines of this check that have arrived."""
        return self._logged + (self._running.logs if self._running else [])

    def ask(self, request: JudgeRequest, call: Call, seconds: float | None = None, fds: Sequence[int] = ()) -> Any:
        """Send one request and return its value, or raise the exception for its failure.

        `seconds` is the time limit; the default is the kata's limit per call. The rest of the budget limits it further.
        """
        check, running = self.check, self._running
        assert running is not None
        if not check.seconds_left():
            raise self._over_budget()
        wait = check.wait(seconds or check.limits.call_seconds)
        is_call = isinstance(request, Open | CallMethod)
        request.trace = self.trace_id
        self.services.begin(call if is_call else None, self.trace_id)
        try:
            answer = running.ask(request, wait, fds)
        except NoAnswer:
            raise self._no_answer(call, wait) from None
        except SutExited as exited:
            call.result = str(exited)
            self.kill()
            self.services.raise_end()
            raise sut_errors.exited(call.text, exited.exit, check.limits) from None
        except BaseException:  # Ctrl-C: kill, because the pending answer would pass for that of the next call
            self.kill()
            raise
        finally:
            self.services.begin(None, None)
        if isinstance(answer.error, Problem):
            self.services.raise_end()
            call.result = sut_errors.raised_text(answer.error)
            raise sut_errors.error_reply(call.text, answer.error, check.program, check.limits)
        check.answered += is_call
        return answer.ok

    def _no_answer(self, call: Call, wait: Wait) -> CheckEnded:
        """Kill the SUT and return the exception for a request without an answer."""
        dump = self.last_stacks()
        self.services.raise_end()
        if self.check.failure is not None and not self.check.seconds_left():
            return StopShrinking()
        return sut_errors.no_answer(call.text, wait, self.check, dump)

    def _over_budget(self) -> CheckEnded:
        """Kill the SUT and return the exception for a budget that was used up between two requests."""
        self.kill()
        return self.check.over_budget() if self.check.failure is None else StopShrinking()
