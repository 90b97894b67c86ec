"""The judge's end of a link between nodes: an HTTP server that counts every connection and byte as retained."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import TYPE_CHECKING, Final

from aiohttp import web

from drill_katas.services.retained import CONNECTIONS, HOPS, RetentionExceeded

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from drill_katas.services.retained import RetainedBytes

MOST_REQUEST: Final = 1_000_000  # bytes of a request's body
BACKLOG: Final = 1024
GRACE: Final = 0.1  # seconds that open calls may take after the end of the check
CONNECTION: Final = 20_000  # bytes of the judge's memory per open connection
HOP: Final = 3_000  # bytes of the judge's memory per call, on top of its content
HEADER: Final = 300  # bytes of the judge's memory per header


class _Connection(web.RequestHandler):
    """One connection. It counts bytes on arrival, because they may never form a whole request."""

    def __init__(self, server: web.Server, retained: RetainedBytes, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(server, loop=loop, auto_decompress=False, access_log=None)  # type: ignore[arg-type] # None: no log
        self._retained = retained

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        self._count(CONNECTIONS, CONNECTION)

    def connection_lost(self, exc: BaseException | None) -> None:
        super().connection_lost(exc)
        self._retained.release(CONNECTIONS, CONNECTION)

    def data_received(self, data: bytes) -> None:
        if self._count(HOPS, len(data)):
            super().data_received(data)

    def _count(self, kind: str, size: int) -> bool:
        """Count bytes and return True; beyond the limit abort the connection and return False."""
        try:
            self._retained.add(kind, size)
        except RetentionExceeded:
            if isinstance(self.transport, asyncio.Transport):
                self.transport.abort()
            return False
        return True


class Link(web.Server):
    """The server of one link: calls `answer` for each request."""

    def __init__(
        self, answer: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]], retained: RetainedBytes
    ) -> None:
        super().__init__(answer, handler_cancellation=True)
        self._retained = retained

    def __call__(self) -> web.RequestHandler:
        """Make a connection that counts its bytes."""
        return _Connection(self, self._retained, asyncio.get_running_loop())


async def listen(link: Link, path: str) -> web.ServerRunner:
    """Listen on a unix socket; the runner's `cleanup` ends it."""
    runner = web.ServerRunner(link, shutdown_timeout=GRACE)
    await runner.setup()
    await web.UnixSite(runner, path, backlog=BACKLOG).start()
    Path(path).chmod(0o666)  # noqa: ASYNC240 - one system call
    return runner


async def body_of(request: web.BaseRequest) -> bytes:
    """Return the body of a request. Raises `HTTPRequestEntityTooLarge` beyond `MOST_REQUEST`."""
    body = bytearray()
    async for piece in request.content.iter_any():
        body += piece
        if len(body) > MOST_REQUEST:
            raise web.HTTPRequestEntityTooLarge(max_size=MOST_REQUEST, actual_size=len(body))
    return bytes(body)
