"""The judge's end of a link between nodes: a server whose every byte and connection counts as kept."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aiohttp import web

from drill_katas.services.kept import CONNECTIONS, HOPS, TooMuch

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from drill_katas.services.kept import Kept

MOST_REQUEST: Final = 1_000_000  # bytes of a request's body
BACKLOG: Final = 1024
GRACE: Final = 0.1  # seconds for calls still under way when the check is over; then they are cut short
CONNECTION: Final = 20_000  # bytes of the judge's memory that an open connection takes
HOP: Final = 3_000  # bytes that the judge keeps with every call, whatever is in it
HEADER: Final = 300  # bytes that it keeps with every header


class _Connection(web.RequestHandler):
    """One connection. What comes over it is counted as it comes: it may be a request, or never become one."""

    def __init__(self, server: web.Server, kept: Kept, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(server, loop=loop, auto_decompress=False, access_log=None)  # type: ignore[arg-type] # None: no log
        self._kept = kept

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._count(CONNECTIONS, CONNECTION)

    def connection_lost(self, exc: BaseException | None) -> None:
        super().connection_lost(exc)
        self._kept.give_back(CONNECTIONS, CONNECTION)

    def data_received(self, data: bytes) -> None:
        if self._count(HOPS, len(data)):
            super().data_received(data)

    def _count(self, kind: str, size: int) -> bool:
        """Count, and end the connection when there is too much; return whether there is not."""
        try:
            self._kept.add(kind, size)
        except TooMuch:
            if isinstance(self.transport, asyncio.Transport):
                self.transport.abort()
            return False
        return True


class Link(web.Server):
    """Serves one link: calls `answer` for each request."""

    def __init__(self, answer: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]], kept: Kept) -> None:
        super().__init__(answer, handler_cancellation=True)
        self._kept = kept

    def __call__(self) -> web.RequestHandler:
        """Make a connection, of the kind that counts."""
        return _Connection(self, self._kept, asyncio.get_running_loop())


async def listen(link: Link, path: str) -> web.ServerRunner:
    """Listen on a unix socket; what is returned stops that by its `cleanup`."""
    runner = web.ServerRunner(link, shutdown_timeout=GRACE)
    await runner.setup()
    await web.UnixSite(runner, path, backlog=BACKLOG).start()
    Path(path).chmod(0o666)  # noqa: ASYNC240 - one system call
    return runner


async def body_of(request: web.BaseRequest) -> bytes:
    """Return a request's body, whose bytes are counted. Raises `HTTPRequestEntityTooLarge`."""
    body = bytearray()
    async for piece in request.content.iter_any():
        body += piece
        if len(body) > MOST_REQUEST:
            raise web.HTTPRequestEntityTooLarge(max_size=MOST_REQUEST, actual_size=len(body))
    return bytes(body)
