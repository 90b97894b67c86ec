"""The judge's HTTP client: it never repeats a request, and it bounds the size of responses."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import TYPE_CHECKING, Any, Final

import aiohttp
from multidict import CIMultiDict

from drill_katas.failures import KataMistake
from drill_katas.services.hops import HttpResponse
from drill_katas.services.retained import ANSWERS, RetentionExceeded
from drill_katas.sut.telemetry import trace_id_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from drill_katas.services.retained import RetainedBytes

PER_CONNECTION: Final = {"connection", "keep-alive", "transfer-encoding", "content-length", "host"}
MOST_BODY: Final = 16_000_000  # bytes of a response
AS_ANSWERED: Final[dict[str, Any]] = {"allow_redirects": False}  # because following a redirect is a second request
NO_TIMEOUT: Final = aiohttp.ClientTimeout(total=None)  # because the caller limits the time

Request = tuple[str, str, dict[str, Any]]
"""Method, path, and the options of aiohttp's client: `json`, `headers`."""


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


async def send(
    session: aiohttp.ClientSession,
    url: str,
    request: Request,
    within: float | None,
    retained: RetainedBytes,
    note_error: Callable[[BaseException], None],
) -> HttpResponse:
    """Send one request on a trace of its own and return its response. The customer hangs up after `within` seconds."""
    method, path, options = request
    if not path.startswith("/"):
        raise KataMistake(f"the path {path!r} does not begin with /")
    trace_id, began = uuid.uuid4().hex, time.monotonic()
    headers = {"traceparent": f"00-{trace_id}-{trace_id[:16]}-01", **options.get("headers", {})}
    trace_id = trace_id_of(headers["traceparent"]) or trace_id
    try:
        async with asyncio.timeout(within):
            async with session.request(method, url + path, **{**AS_ANSWERED, **options, "headers": headers}) as reply:
                body = await body_of(reply, retained)
    except TimeoutError:
        return HttpResponse(trace_id, None, seconds=time.monotonic() - began)
    except (aiohttp.ClientError, RetentionExceeded) as error:
        note_error(error)
        return HttpResponse(trace_id, None, body=repr(error).encode(), seconds=time.monotonic() - began)
    return HttpResponse(trace_id, reply.status, reply.headers, body, time.monotonic() - began)


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
