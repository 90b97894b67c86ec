"""The judge's HTTP client: it never repeats a request, and it bounds the size of responses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import aiohttp
from multidict import CIMultiDict

from drill_katas.services.retained import ANSWERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drill_katas.services.retained import RetainedBytes

PER_CONNECTION: Final = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}
MOST_BODY: Final = 16_000_000  # bytes of a response
NO_TIMEOUT: Final = aiohttp.ClientTimeout(total=None)  # because the caller limits the time


async def sent_once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Send a request; raise `ClientConnectionError` for a lost connection, because aiohttp does not retry after it.

    After `ClientOSError` and `ServerDisconnectedError` aiohttp sends GET, HEAD, PUT, DELETE, OPTIONS and TRACE a second
    time, on new connections as well as on kept-alive ones.
    """
    try:
        return await send(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as lost:
        raise aiohttp.ClientConnectionError(repr(lost)) from lost


def client(path: str) -> aiohttp.ClientSession:
    """Return a client for the server on a unix socket, without retries and cookies."""
    return aiohttp.ClientSession(
        connector=aiohttp.UnixConnector(path=path, limit=0),
        timeout=NO_TIMEOUT,
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        middlewares=[sent_once],
    )


async def body_of(answer: aiohttp.ClientResponse, retained: RetainedBytes) -> bytes:
    """Return the body of a response and count it as retained.

    Raises `RetentionExceeded`, or `ClientPayloadError` beyond `MOST_BODY`.
    """
    body = bytearray()
    try:
        async for piece in answer.content.iter_any():
            retained.add(ANSWERS, len(piece))
            body += piece
            _limit_size(body)
    except BaseException:
        retained.release(ANSWERS, len(body))
        raise
    return bytes(body)


def _limit_size(body: bytearray) -> None:
    if len(body) > MOST_BODY:
        raise aiohttp.ClientPayloadError(f"a body of more than {MOST_BODY:,} bytes")


def end_to_end(headers: Mapping[str, str]) -> CIMultiDict[str]:
    """Return the end-to-end headers: all but those of a single connection."""
    passed_on = CIMultiDict(headers)
    for name in PER_CONNECTION & {name.lower() for name in passed_on}:
        passed_on.popall(name)
    return passed_on
