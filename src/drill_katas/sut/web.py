"""Serves the learner's web applications, each on a listening socket from the judge."""

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
    """The event loop of all applications, on a thread of its own, so that the judge gets answers while it is busy."""

    def __init__(self) -> None:
        self._loop = _EventLoop() if clock.is_virtual() else asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True, name="applications").start()

    def serve(self, make: Callable[[], web.Application], node: str, listener: socket.socket) -> None:
        """Make a node's application and serve it on a listening socket. Raises the exceptions of `make`."""
        self._run(_serve(make, node, listener))

    def stacks(self) -> list[list[list[Any]]]:
        """Return the frames of each waiting task, outermost first; each is `[file, line, function, source]`."""
        tasks = sorted(asyncio.all_tasks(self._loop), key=lambda task: task.get_name())
        return [list(_frames(task.get_coro())) for task in tasks[:SHOWN_TASKS]]

    def advance(self, seconds: float) -> float:
        """Advance the virtual clock, at most to the next timer; return the step in seconds."""
        assert isinstance(self._loop, _EventLoop), "only a virtual clock can advance"
        return self._run(self._loop.advance(seconds))

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


class _EventLoop(asyncio.SelectorEventLoop):
    """An event loop that tracks its timers; used only with the virtual clock, because tracking costs time."""

    def __init__(self) -> None:
        super().__init__()
        self._timers: weakref.WeakSet[asyncio.TimerHandle] = weakref.WeakSet()

    def call_at(self, *args: Any, **kwargs: Any) -> asyncio.TimerHandle:  # type: ignore[override] # same arguments
        timer = super().call_at(*args, **kwargs)
        self._timers.add(timer)
        return timer

    async def advance(self, seconds: float) -> float:
        """Advance the virtual clock, at most to the next timer; return the step. Due timers run next."""
        now = self.time()
        due = (timer.when() for timer in self._timers if not timer.cancelled())
        step = min(seconds, max(0.0, min((when for when in due if when > now), default=math.inf) - now))
        clock.advance(step)
        return step


def _frames(awaiting: Any) -> Iterator[list[Any]]:
    """Yield a coroutine's frames along its chain of awaits, because a suspended task has only its outermost frame."""
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
    # cancel a request when its caller hangs up, as most servers do, because the learner's code must survive that
    runner = web.AppRunner(app, handle_signals=False, access_log=None, handler_cancellation=True)
    await runner.setup()
    await web.SockSite(runner, listener, backlog=1024).start()


@web.middleware
async def _on_its_trace(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Handle a request under its caller's trace id, as instrumentation does in production."""
    with telemetry.trace(telemetry.trace_id_of(request.headers.get("traceparent", ""))):
        return await handler(request)
