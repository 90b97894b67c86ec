"""An event loop on a thread of its own, for the judge's HTTP servers and clients."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from concurrent.futures import Future

T = TypeVar("T")


class EventLoopThread:
    """Runs coroutines submitted from other threads."""

    def __init__(self, note_error: Callable[[BaseException], object] = lambda _: None) -> None:
        self._loop = asyncio.new_event_loop()
        self._note_error = note_error
        self._loop.set_exception_handler(self._handle)
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()

    def start(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Start `work` and return a future of its value."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Run `work` to its end; return its value or raise its exception. Ctrl-C cancels it."""
        future = self.start(work)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    def close(self) -> None:
        """Cancel all coroutines and end the loop."""
        self.run(_cancel_the_others())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _handle(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Note an error of the loop itself, such as an `accept` without a free file descriptor."""
        if isinstance(context.get("exception"), BaseException):
            self._note_error(context["exception"])
        loop.default_exception_handler(context)


async def _cancel_the_others() -> None:
    others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
