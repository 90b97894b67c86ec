"""The judge's HTTP client: one request on the wire for each request of the caller, and answers of a bounded size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import aiohttp
from multidict import CIMultiDict

from drill_katas.services.kept import ANSWERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from drill_katas.services.kept import Kept

PER_CONNECTION: Final = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}
MOST_BODY: Final = 16_000_000  # bytes of an answer; what goes on after that is no page
NEVER: Final = aiohttp.ClientTimeout(total=None)  # how long to wait is the caller's business


async def sent_once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    """Send a request and report a lost connection by an exception that aiohttp does not answer by sending again.

    By itself aiohttp sends GET, HEAD, PUT, DELETE, OPTIONS and TRACE a second time after `ClientOSError` and
    `ServerDisconnectedError`, on new connections as well as on kept ones.
    """
    try:
        return await send(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as lost:
        raise aiohttp.ClientConnectionError(repr(lost)) from lost


def client(path: str) -> aiohttp.ClientSession:
    """Return a client of the server on a unix socket. It repeats no request and keeps no cookies."""
    return aiohttp.ClientSession(
        connector=aiohttp.UnixConnector(path=path, limit=0),
        timeout=NEVER,
        auto_decompress=False,
        cookie_jar=aiohttp.DummyCookieJar(),
        middlewares=[sent_once],
    )


async def body_of(answer: aiohttp.ClientResponse, kept: Kept) -> bytes:
    """Return an answer's body, and count it as kept. Raises `TooMuch`; or `ClientPayloadError` beyond `MOST_BODY`."""
    body = bytearray()
    try:
        async for piece in answer.content.iter_any():
            kept.add(ANSWERS, len(piece))
            body += piece
            _expect_short(body)
    except BaseException:
        kept.give_back(ANSWERS, len(body))
        raise
    return bytes(body)


def _expect_short(body: bytearray) -> None:
    if len(body) > MOST_BODY:
        raise aiohttp.ClientPayloadError(f"a body of more than {MOST_BODY:,} bytes")


def end_to_end(headers: Mapping[str, str]) -> CIMultiDict[str]:
    """Return the headers that are the other end's business, and not this connection's."""
    kept = CIMultiDict(headers)
    for name in PER_CONNECTION & {name.lower() for name in kept}:
        kept.popall(name)
    return kept
