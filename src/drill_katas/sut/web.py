"""Serves the learner's web applications, each on a socket that the judge listens on for it."""

from __future__ import annotations

import asyncio
import linecache
import math
import threading
import weakref
from typing import TYPE_CHECKING, Any, Final, TypeVar

from aiohttp import web

from drill_katas.sut import clock, telemetry

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable, Coroutine, Iterator

SHOWN_TASKS: Final = 200
T = TypeVar("T")


class AppLoop:
    """The event loop of all applications, on a thread of its own: the judge is answered while it is busy."""

    def __init__(self) -> None:
        self._loop = _EventLoop() if clock.is_virtual() else asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True, name="applications").start()

    def serve(self, make: Callable[[], web.Application], node: str, listener: socket.socket) -> None:
        """Make the application of a node and serve it on a listening socket. Raises what `make` raises."""
        self._run(_serve(make, node, listener))

    def stacks(self) -> list[list[list[Any]]]:
        """Return for every task the frames that it waits in, outermost first: `[file, line, function, source]` each."""
        tasks = sorted(asyncio.all_tasks(self._loop), key=lambda task: task.get_name())
        return [list(_frames(task.get_coro())) for task in tasks[:SHOWN_TASKS]]

    def put_forward(self, seconds: float) -> float:
        """Put the program's clock forward, but not beyond the next timer; return by how much."""
        assert isinstance(self._loop, _EventLoop), "only a clock that is virtual is put forward"
        return self._run(self._loop.put_forward(seconds))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


class _EventLoop(asyncio.SelectorEventLoop):
    """An event loop that knows its timers; a verdict needs none, and does not pay for it."""

    def __init__(self) -> None:
        super().__init__()
        self._timers: weakref.WeakSet[asyncio.TimerHandle] = weakref.WeakSet()

    def call_at(self, *args: Any, **kwargs: Any) -> asyncio.TimerHandle:  # type: ignore[override] # passed on as it is
        timer = super().call_at(*args, **kwargs)
        self._timers.add(timer)
        return timer

    async def put_forward(self, seconds: float) -> float:
        """Put the clock forward, but not beyond the next timer; return by how much. What is due is called next."""
        now = self.time()
        due = (timer.when() for timer in self._timers if not timer.cancelled())
        step = min(seconds, max(0.0, min((when for when in due if when > now), default=math.inf) - now))
        clock.put_forward(step)
        return step


def _frames(awaiting: Any) -> Iterator[list[Any]]:
    """Follow what a coroutine awaits: a suspended task itself knows only its outermost frame."""
    while awaiting is not None:
        frame = getattr(awaiting, "cr_frame", None)
        if frame:
            file, function = frame.f_code.co_filename, frame.f_code.co_name
            yield [file, frame.f_lineno, function, linecache.getline(file, frame.f_lineno).strip()]
        awaiting = getattr(awaiting, "cr_await", None)


async def _serve(make: Callable[[], web.Application], node: str, listener: socket.socket) -> None:
    telemetry.serve_as(node)
    app = make()
    app.middlewares.insert(0, _on_its_trace)
    # a caller that hangs up cancels its request, as most servers do: what that leaves behind is the learner's business
    runner = web.AppRunner(app, handle_signals=False, access_log=None, handler_cancellation=True)
    await runner.setup()
    await web.SockSite(runner, listener, backlog=1024).start()


@web.middleware
async def _on_its_trace(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Serve a request under the trace that its caller names, as instrumentation does in production."""
    with telemetry.trace(telemetry.trace_id_of(request.headers.get("traceparent", ""))):
        return await handler(request)
