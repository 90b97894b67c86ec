"""The system under test as a check uses it: open objects, call them, kill it, observe it."""

from __future__ import annotations

import contextlib
import uuid
from typing import TYPE_CHECKING, Any

from drill_katas.failures import Hang, KataMistake
from drill_katas.judge.arguments import kind, plain
from drill_katas.judge.fault_injection import FaultInjection
from drill_katas.judge.handle import Handle
from drill_katas.judge.measuring import Measuring
from drill_katas.judge.observation import Observation
from drill_katas.judge.stacks import as_lines, place_in, tasks_as_lines
from drill_katas.services.attachment import Resource
from drill_katas.services.calls import Call
from drill_katas.services.retained import ANSWERS, METRICS
from drill_katas.sut.protocol import AdvanceClock, CloseObject, Metrics, Serve, Tasks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from drill_katas.judge.check_context import CheckContext
    from drill_katas.judge.observation import Logged, Samples
    from drill_katas.judge.running import Running
    from drill_katas.judge.session import SutSession
    from drill_katas.services.network import Node


class Sut(FaultInjection, Measuring):
    """The system under test of the running check, in a new process for every check."""

    def __init__(self, session: SutSession) -> None:
        self._session = session

    @property
    def seed(self) -> int:
        """The seed of this run, for the random choices of a check."""
        return self._session.seed

    @property
    def check(self) -> CheckContext:
        """The running check: its budget, figures and failures."""
        return self._session.check

    def begin_example(self) -> None:
        """Begin an example: a failure shows only the calls after this. `@given` calls it for each example."""
        self.check.begin_example()

    def open(self, target: str, *args: Any) -> Handle:
        """Call the contract's `target` (a class or function) in the SUT and return a handle on its result.

        Arguments are plain data or resources: a `Database`, an `Upstream`. Starts the SUT if it does not run.
        Raises `SutError` if the learner's code raises.
        """
        name = target.lower()
        with plain(f"{target}(...)", *args):
            running, number = self._session.open(target, [self._wired(arg) for arg in args])

        def call(method: str, args: tuple[Any, ...]) -> Any:
            with plain(f"{name}.{method}(...)", *args):
                value = self._session.call(running, number, f"{name}.{method}", method, args)
            self._session.count(ANSWERS)
            return value

        def release() -> None:
            if running is self._session.running:
                self._session.ask(CloseObject(number=number), Call(f"closing {name}"))

        return Handle(call, release)

    def serve(self, target: str, node: Node, **settings: Any) -> None:
        """Call the contract's application factory `target` with a `World`, and serve the application as a node.

        The kata defines `World` in `world.py`. It gets the node's name, the sockets of its links, and `settings`, which
        are plain data or resources. Starts the SUT if it does not run. Raises `SutError` if the factory raises.
        """
        if not hasattr(node, "listen") or not hasattr(node, "network"):
            raise KataMistake(f"sut.serve({target!r}, ...) takes a node: network.node(NAME), not {kind(node)}")
        self._session.watch()
        self._session.started()
        wire = {name: self._wired(value) for name, value in settings.items()}
        request = Serve(target=target, node=node.attach(self._session.services)["$node"], settings=wire)
        with (
            plain(f"World(..., {', '.join(settings)})", *settings.values()),
            node.listen() as listener,
        ):  # closed here, so that the listener ends with the SUT
            self._session.ask(request, Call(f"{target}(...)"), fds=[listener.fileno()])

    def hang(self, message: str) -> Hang:
        """Kill the SUT and return the failure `message` with the stacks of all its threads and tasks."""
        self._session.started()
        program = self.check.program
        tasks = tasks_as_lines(self._session.ask(Tasks(), Call("tasks")), program)
        dump = self._session.last_stacks()
        return Hang(message, (*tasks, *as_lines(dump, program)), place_in(dump, program))

    def _wired(self, value: Any) -> Any:
        return value.attach(self._session.services) if isinstance(value, Resource) else value

    def kill(self) -> None:
        """Kill the SUT (`kill -9`). The next `open` starts a new process; databases and upstreams stay."""
        self._session.kill()

    @contextlib.contextmanager
    def on_trace(self, trace_id: str) -> Iterator[None]:
        """Run the calls of this block under this trace id."""
        self._session.trace_id = trace_id
        try:
            yield
        finally:
            self._session.trace_id = None

    @contextlib.contextmanager
    def observe(self) -> Iterator[Observation]:
        """Run the calls of this block under one new trace id and record their telemetry."""
        running: Running = self._session.started()
        seen = Observation(uuid.uuid4().hex, before=self._samples())
        logged = len(running.logs)
        with self.on_trace(seen.trace_id):
            yield seen
        seen.after = self._samples()
        seen.log_lines += [each.line for each in running.logs[logged:]]

    def metrics(self) -> list[dict[str, Any]]:
        """Return all samples of the SUT's metrics; see `drill_katas.sut.telemetry.read_metrics`."""
        self._session.started()
        samples: list[dict[str, Any]] = self._session.ask(Metrics(), Call("metrics"))
        return samples

    def logs(self) -> list[Logged]:
        """Return the log lines of this check that have arrived."""
        return self._session.logs()

    def advance(self, seconds: float) -> float:
        """Advance the virtual clock by `seconds`, at most to the program's next timer; return the actual step."""
        if self._session.running is None:
            return seconds
        step: float = self._session.ask(AdvanceClock(seconds=seconds), Call("advancing the clock"))
        return step

    def cpu_seconds(self) -> float:
        """Return the processor time of the SUT's main thread so far, in seconds.

        It is 0 without `/proc`, and while `kata grade` judges a guardrail, whose sandbox shows no other process.
        """
        try:
            with open(f"/proc/{self._session.started().pid}/schedstat", encoding="ascii") as file:
                return int(file.read().split()[0]) / 1e9
        except OSError:
            return 0.0

    def _samples(self) -> Samples:
        samples = self.metrics()
        self._session.count(METRICS)
        return {(s["name"], frozenset(s["labels"].items())): float(s["value"]) for s in samples}
