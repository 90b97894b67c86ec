"""Sends spans and log lines to an OpenTelemetry collector on this machine, over HTTP, as OTLP JSON.

https://opentelemetry.io/docs/specs/otel/protocol/exporter/
"""

from __future__ import annotations

import ipaddress
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

import aiohttp
from msgspec.structs import replace

from drill_katas.errors import UserError
from drill_katas.evidence.otlp import logs_to_otlp, to_otlp
from drill_katas.services.event_loop import EventLoopThread

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from drill_katas.evidence.records import LogLine, Span

PATIENCE: Final = aiohttp.ClientTimeout(total=2)
KEPT: Final = 10_000  # spans, and as many log lines, that wait for a collector which does not answer


class Exporter:
    """Sends to `endpoint`, such as http://localhost:4318. `tell(notice)` is called when that begins to fail."""

    def __init__(self, endpoint: str, headers: Mapping[str, str], tell: Callable[[str], None]) -> None:
        """Raise `UserError` for an endpoint that is no HTTP URL of this machine's."""
        self._endpoint = endpoint.rstrip("/")
        _expect_here(self._endpoint)
        self._headers = headers
        self._tell = tell
        self._failing = False
        self._spans: list[Span] = []
        self._logs: list[LogLine] = []
        self._loop = EventLoopThread()

    def send(self, spans: Sequence[Span], logs: Sequence[LogLine], later: float) -> None:
        """Send these, and what could not be sent before; `later` is how much their times lie before our clock's."""
        self._spans += [_later(span, later) for span in spans]
        self._logs += [replace(line, at=line.at + later) for line in logs]
        try:
            if self._spans:
                self._loop.run(self._post("/v1/traces", to_otlp(self._spans)))
                self._spans = []
            if self._logs:
                self._loop.run(self._post("/v1/logs", logs_to_otlp(self._logs)))
                self._logs = []
            self._failing = False
        except (aiohttp.ClientError, TimeoutError) as error:
            if not self._failing:
                self._tell(
                    f"{self._endpoint} does not take OTLP over HTTP ({str(error) or 'no answer'}); it is tried again"
                )
            self._failing = True
            del self._spans[:-KEPT], self._logs[:-KEPT]

    def close(self) -> None:
        """Let go of everything."""
        self._loop.close()

    async def _post(self, path: str, value: Any) -> None:
        async with (
            aiohttp.ClientSession(headers=self._headers, timeout=PATIENCE) as session,
            session.post(self._endpoint + path, json=value) as answer,
        ):
            answer.raise_for_status()


def headers_of(text: str) -> dict[str, str]:
    """Read what `OTEL_EXPORTER_OTLP_HEADERS` says: "name=value,name=value", percent-encoded."""
    pairs = [pair.partition("=") for pair in text.split(",") if pair.strip()]
    return {unquote(name).strip(): unquote(value).strip() for name, _, value in pairs}


def _later(span: Span, seconds: float) -> Span:
    return replace(span, began=span.began + seconds, ended=None if span.ended is None else span.ended + seconds)


def _expect_here(endpoint: str) -> None:
    url = urlsplit(endpoint)
    host = url.hostname or ""
    try:
        here = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        here = False
    if url.scheme not in {"http", "https"} or not here:
        raise UserError(
            f"OTEL_EXPORTER_OTLP_ENDPOINT is {endpoint}; a drill's telemetry stays on this machine, such as "
            "http://localhost:4318, where a collector may pass it on"
        )
