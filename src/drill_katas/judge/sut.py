"""The system under test, as a check sees it: open objects, call them, kill it, observe it."""

from __future__ import annotations

import contextlib
import uuid
from typing import TYPE_CHECKING, Any

from drill_katas.failures import Hang
from drill_katas.judge.handle import Handle
from drill_katas.judge.measuring import Measuring
from drill_katas.judge.observation import Observation
from drill_katas.judge.stacks import as_lines, place_in, tasks_as_lines
from drill_katas.judge.trouble import Troubled
from drill_katas.services.calls import Call
from drill_katas.services.kept import ANSWERS, METRICS
from drill_katas.sut.protocol import CloseObject, Metrics, PutForward, Serve, Tasks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drill_katas.judge.check_context import CheckContext
    from drill_katas.judge.observation import Logged, Samples
    from drill_katas.judge.running import Running
    from drill_katas.judge.session import SutSession
    from drill_katas.services.network import Node


class Sut(Troubled, Measuring):
    """The system under test of the current check: a process of its own, fresh for every check."""

    def __init__(self, session: SutSession) -> None:
        self._session = session

    @property
    def seed(self) -> int:
        """The seed of this run, from which a check draws what it varies."""
        return self._session.seed

    @property
    def check(self) -> CheckContext:
        """The check that runs: its budget, figures and failures."""
        return self._session.check

    def begin_example(self) -> None:
        """Begin an example: a failure shows the calls since here. Under `@given` each example does so by itself."""
        self.check.begin_example()

    def open(self, target: str, *args: Any) -> Handle:
        """Call the contract's `target` (a class or function) in the SUT and return a handle on what it made.

        Arguments are plain data, or resources: a `Database`, an `Upstream`. Starts the SUT if it does not run.
        Raises `SutError` when the learner's code raises.
        """
        running, number = self._session.open(target, [self._wired(arg) for arg in args])
        name = target.lower()

        def call(method: str, args: tuple[Any, ...]) -> Any:
            value = self._session.call(running, number, f"{name}.{method}", method, args)
            self._session.count(ANSWERS)
            return value

        def release() -> None:
            if running is self._session.running:
                self._session.ask(CloseObject(number=number), Call(f"closing {name}"))

        return Handle(call, release)

    def serve(self, target: str, node: Node, **settings: Any) -> None:
        """Call the contract's application factory `target` with a `World`, and serve what it makes as a node.

        `World` is the kata's own, in `world.py`: it gets the node's name, the sockets of its links, and `settings`,
        which are plain data or resources. Starts the SUT if it does not run. Raises `SutError` when the factory raises.
        """
        self._session.watch()
        self._session.started()
        wire = {name: self._wired(value) for name, value in settings.items()}
        request = Serve(target=target, node=self._wired(node)["$node"], settings=wire)
        with node.listen() as listener:  # closed here, so that it is the SUT's alone, and ends with it
            self._session.ask(request, Call(f"{target}(...)"), fds=[listener.fileno()])

    def hang(self, message: str) -> Hang:
        """Return the failure `message`, with the stacks of all threads and tasks. The SUT is killed."""
        self._session.started()
        program = self.check.program
        tasks = tasks_as_lines(self._session.ask(Tasks(), Call("tasks")), program)
        dump = self._session.last_stacks()
        return Hang(message, (*tasks, *as_lines(dump, program)), place_in(dump, program))

    def _wired(self, value: Any) -> Any:
        return value.attach(self._session.services) if hasattr(value, "attach") else value

    def kill(self) -> None:
        """Kill the SUT (`kill -9`). The next `open` starts a new process; databases and upstreams live on."""
        self._session.kill()

    @contextlib.contextmanager
    def on_trace(self, trace_id: str) -> Iterator[None]:
        """Serve the calls of this block under this trace id."""
        self._session.trace_id = trace_id
        try:
            yield
        finally:
            self._session.trace_id = None

    @contextlib.contextmanager
    def observe(self) -> Iterator[Observation]:
        """Serve the calls of this block under one new trace id, and record the telemetry they cause."""
        running: Running = self._session.started()
        seen = Observation(uuid.uuid4().hex, before=self._samples())
        logged = len(running.logs)
        with self.on_trace(seen.trace_id):
            yield seen
        seen.after = self._samples()
        seen.log_lines += [each.line for each in running.logs[logged:]]

    def metrics(self) -> list[dict[str, Any]]:
        """Return all samples of its metrics; see `drill_katas.sut.telemetry.read_metrics`."""
        self._session.started()
        samples: list[dict[str, Any]] = self._session.ask(Metrics(), Call("metrics"))
        return samples

    def logs(self) -> list[Logged]:
        """Return all lines logged in this check; of the program that runs, those that have arrived."""
        return self._session.logs()

    def put_forward(self, seconds: float) -> float:
        """Put the clock of a program with virtual time forward, at most to its next timer; return by how much."""
        if self._session.running is None:
            return seconds
        step: float = self._session.ask(PutForward(seconds=seconds), Call("putting the clock forward"))
        return step

    def cpu_seconds(self) -> float:
        """Return how long its main thread has run on a processor so far; 0 where there is no `/proc`."""
        try:
            with open(f"/proc/{self._session.started().pid}/schedstat", encoding="ascii") as file:
                return int(file.read().split()[0]) / 1e9
        except OSError:
            return 0.0

    def _samples(self) -> Samples:
        samples = self.metrics()
        self._session.count(METRICS)
        return {(s["name"], frozenset(s["labels"].items())): float(s["value"]) for s in samples}
