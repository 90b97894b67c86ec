"""The system under test, as a check sees it: open objects, call them, kill it, watch it."""

from __future__ import annotations

import contextlib
import functools
import math
import sys
import uuid
from typing import TYPE_CHECKING, Any, Final

from drill_katas.failures import CheckEnded, Hang, Killed, StopShrinking
from drill_katas.judge import explain
from drill_katas.judge.handle import Handle
from drill_katas.judge.measuring import Measuring
from drill_katas.judge.observation import Observation
from drill_katas.judge.process import Died, Silent
from drill_katas.judge.stacks import as_lines, place_in, tasks_as_lines
from drill_katas.judge.trouble import Troubled
from drill_katas.machine.cpu_time import TENTH, Wait
from drill_katas.services.broker import Services
from drill_katas.services.calls import Call, shortened
from drill_katas.services.kept import ANSWERS, METRICS, TooMuch
from drill_katas.sut.wire import find_unplain, shown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from drill_katas.judge.check_context import Trial
    from drill_katas.judge.observation import Logged, Samples
    from drill_katas.judge.running import Running, Spawner
    from drill_katas.services.network import Node

IMPORT_SECONDS: Final = 5.0  # the learner's module is small; what it imports is in the zygote already


class Sut(Troubled, Measuring):
    """The system under test of the current check: a process of its own, fresh for every check.

    `place` is the folder in which it finds the judge; by default one for temporary files.
    """

    def __init__(self, spawner: Spawner, *, seed: int, virtual_time: bool = False, place: Path | None = None) -> None:
        self.seed = seed
        self._place = place
        self._virtual_time = virtual_time
        self._spawner = spawner
        self._running: Running | None = None
        super().__init__()
        self._import_hang: Hang | None = None
        self._trial: Trial | None = None
        self._trace_id: str | None = None
        self._logged: list[Logged] = []  # of programs that have ended

    @functools.cached_property
    def _services(self) -> Services:
        """What serves the program; its thread and its socket are there from the first check on."""
        services = Services(self._place)
        services.note_fault = self._note_fault
        services.wait = lambda seconds: Wait(self.trial.meter, seconds)
        services.note_server = self._note_server
        return services

    def _note_server(self, pid: int) -> None:
        if self._trial is not None:
            self._trial.meter.watch(pid, [pid])

    def _note_fault(self, culprit: str) -> None:
        if self._trial is not None:
            self._trial.note_fault(culprit)

    @property
    def trial(self) -> Trial:
        """The check that is running."""
        assert self._trial is not None, "a SUT is there only while a check runs"
        return self._trial

    def begin_example(self) -> None:
        """Begin an example: a failure shows the calls since here. Under `@given` each example does so by itself."""
        self.trial.begin_example()

    def open(self, target: str, *args: Any) -> Handle:
        """Call the contract's `target` (a class or function) in the SUT and return a handle on what it made.

        Arguments are plain data, or resources: a `Database`, an `Upstream`. Starts the SUT if it does not run.
        Raises `SutError` when the learner's code raises.
        """
        running = self._started()
        call = self.trial.note_call(f"{target}(...)")
        number = self._ask({"op": "open", "target": target, "args": [self._wired(arg) for arg in args]}, call)
        call.result = ""
        return Handle(self, running, number, target.lower())

    def serve(self, target: str, node: Node, **settings: Any) -> None:
        """Call the contract's application factory `target` with a `World`, and serve what it makes as a node.

        `World` is the kata's own, in `world.py`: it gets the node's name, the sockets of its links, and `settings`,
        which are plain data or resources. Starts the SUT if it does not run. Raises `SutError` when the factory raises.
        """
        self._watch()
        self._started()
        wire = {name: self._wired(value) for name, value in settings.items()}
        request = {"op": "serve", "target": target, "node": self._wired(node)["$node"], "settings": wire}
        with node.listen() as listener:  # closed here, so that it is the SUT's alone, and ends with it
            self._ask(request, Call(f"{target}(...)"), fds=[listener.fileno()])

    def frozen(self, message: str) -> Hang:
        """Return the failure that `message` tells, with the stacks of all threads and tasks; the SUT is killed."""
        self._started()
        program = self.trial.program
        tasks = tasks_as_lines(self._ask({"op": "tasks"}, Call("tasks")), program)
        dump = self._last_stacks()
        return Hang(message, (*tasks, *as_lines(dump, program)), place_in(dump, program))

    def _last_stacks(self) -> str:
        """Return the stacks of all threads, and kill the SUT, also when the belt strikes meanwhile."""
        assert self._running is not None
        try:
            return self._running.stacks()
        finally:
            self.kill()

    def _wired(self, value: Any) -> Any:
        return value.attach(self._services) if hasattr(value, "attach") else value

    def kill(self) -> None:
        """Kill the SUT (`kill -9`). The next `open` starts a new process; databases and upstreams live on."""
        running, self._running = self._running, None
        if running is not None:
            self.trial.meter.let_go(running.pid)
            running.close()
            self._logged += running.logs

    @contextlib.contextmanager
    def on_trace(self, trace_id: str) -> Iterator[None]:
        """Serve the calls of this block under this trace id."""
        self._trace_id = trace_id
        try:
            yield
        finally:
            self._trace_id = None

    @contextlib.contextmanager
    def observe(self) -> Iterator[Observation]:
        """Serve the calls of this block under one new trace id, and record the telemetry they cause."""
        running = self._started()
        seen = Observation(uuid.uuid4().hex, before=self._samples())
        logged = len(running.logs)
        with self.on_trace(seen.trace_id):
            yield seen
        seen.after = self._samples()
        seen.log_lines += [each.line for each in running.logs[logged:]]

    def begin_check(self, trial: Trial) -> None:
        """Get ready for a check."""
        self._trial = trial
        trial.meter.own(self._spawner.families)
        if math.isinf(trial.budget):  # a system that is served for hours
            self._services.most_statements = sys.maxsize

    def raise_end(self) -> None:
        """Raise `LimitExceeded` or `NotJudged` if a database has ended ahead of its check."""
        if "_services" in vars(self):
            self._services.raise_end()

    def end_check(self) -> None:
        """End the SUT and everything it was given."""
        self.kill()
        self._end_watch()
        self._logged = []
        if "_services" in vars(self):
            self._services.clear()

    def close(self) -> None:
        """End everything; the session is over."""
        self.end_check()
        if "_services" in vars(self):
            self._services.close()

    def call(self, handle: Handle, method: str, args: tuple[Any, ...]) -> Any:
        """Call a method of an opened object."""
        text = shortened(f"{handle.name}.{method}({', '.join(map(shown, args))})")
        call = self.trial.note_call(text)
        if handle.running is not self._running:
            raise Killed(f"{text}: the program that this object lived in was killed")
        request = {"op": "call", "number": handle.number, "method": method, "args": list(args)}
        value = self._ask(request, call)
        problem = find_unplain(value)  # its host has looked, too, but that is where the learner's code runs
        if problem:
            raise explain.unplain(text, problem)
        self._count(ANSWERS)
        call.result = "" if value is None else shortened(shown(value))
        return value

    def release(self, handle: Handle) -> None:
        """Let go of an opened object, if its process still lives."""
        if handle.running is self._running:
            self._ask({"op": "close", "number": handle.number}, Call(f"letting {handle.name} go"))

    def _started(self) -> Running:
        if self._import_hang is not None:  # a module that hung once is not waited for again, check after check
            raise Hang(str(self._import_hang), self._import_hang.details, self._import_hang.place)
        if self._running is None:
            self.trial.kept.expect_within()
            self._running = self._spawner.spawn(self.trial.program, self.trial.limits, self._services.folder)
            self._running.count_in(self.trial.kept)
            self._services.kept = self.trial.kept
            self.trial.output = self._running.output
            self.trial.meter.watch(self._running.pid, self._spawner.families)
            if self._virtual_time:
                self._ask({"op": "virtual time"}, Call("virtual time"))
            has_time = self.trial.seconds_left() > IMPORT_SECONDS
            try:
                self._ask({"op": "import"}, Call(f"import of {self.trial.program.editable_names()}"), IMPORT_SECONDS)
            except Hang as hang:
                self._import_hang = hang if has_time and self.trial.meter.share() <= TENTH else None
                raise
        return self._running

    def metrics(self) -> list[dict[str, Any]]:
        """Return all samples of its metrics; see `drill_katas.sut.telemetry.read_metrics`."""
        self._started()
        samples: list[dict[str, Any]] = self._ask({"op": "metrics"}, Call("metrics"))
        return samples

    def put_forward(self, seconds: float) -> float:
        """Put the clock of a program with virtual time forward, but not beyond its next timer; return by how much."""
        if self._running is None:
            return seconds
        step: float = self._ask({"op": "put forward", "seconds": seconds}, Call("putting the clock forward"))
        return step

    def cpu_seconds(self) -> float:
        """Return how long its main thread has been on a processor so far; 0 where there is no Linux to ask."""
        try:
            with open(f"/proc/{self._started().pid}/schedstat", encoding="ascii") as file:
                return int(file.read().split()[0]) / 1e9
        except OSError:
            return 0.0

    def logs(self) -> list[Logged]:
        """Return all lines that it has logged in this check; of the program that runs, those that were heard of."""
        return self._logged + (self._running.logs if self._running else [])

    def _samples(self) -> Samples:
        samples = self.metrics()
        self._count(METRICS)
        return {(s["name"], frozenset(s["labels"].items())): float(s["value"]) for s in samples}

    def _count(self, kind: str) -> None:
        """Count the last answer among what the check keeps. Raises `LimitExceeded` when that is too much."""
        assert self._running is not None
        try:
            self.trial.kept.add(kind, self._running.weight)
        except TooMuch:
            self._services.raise_end()

    def _ask(self, request: dict[str, Any], call: Call, seconds: float | None = None, fds: Sequence[int] = ()) -> Any:
        """Send one request within what is left of the budget, and return its value or raise what happened."""
        trial, running = self.trial, self._running
        assert running is not None
        if not trial.seconds_left():
            raise self._late()
        wait = trial.wait(seconds or trial.limits.call_seconds)
        self._services.begin(call if request["op"] in {"open", "call"} else None, self._trace_id)
        try:
            answer = running.ask({**request, "trace": self._trace_id}, wait, fds)
        except Silent:
            dump = self._last_stacks()
            self._services.raise_end()
            if trial.failure is not None and not trial.seconds_left():
                raise StopShrinking from None
            raise explain.hang(call.text, wait, trial, dump) from None
        except Died as died:
            call.result = str(died)
            self.kill()
            self._services.raise_end()
            raise explain.death(call.text, died.exit, trial.limits) from None
        except BaseException:  # Ctrl-C: the answer that is still to come must not be taken for another call's
            self.kill()
            raise
        finally:
            self._services.begin(None, None)
        if "error" in answer:
            self._services.raise_end()
            call.result = explain.raised(answer["error"])
            raise explain.refusal(call.text, answer["error"], trial.program, trial.limits)
        trial.answered += request["op"] in {"open", "call"}
        return answer["ok"]

    def _late(self) -> CheckEnded:
        """Return what ends a check whose budget is used up between two requests."""
        self.kill()
        return self.trial.late() if self.trial.failure is None else StopShrinking()
