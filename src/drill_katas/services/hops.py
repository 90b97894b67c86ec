"""Calls between services, as the judge sees them on the wire."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from drill_katas.sut.telemetry import trace_id_of

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass
class Hop:
    """One call from a node to another. Times are seconds of the judge's clock.

    `number` counts the calls to this callee from 1. `status` is None while the call is open; it is 0 if the caller gave
    up or the connection was lost.
    """

    number: int
    caller: str
    callee: str
    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes
    began: float = field(default_factory=time.monotonic)
    ended: float | None = None
    status: int | None = None

    @property
    def trace_id(self) -> str | None:
        """The trace id in its W3C `traceparent` header."""
        return trace_id_of(self.headers.get("traceparent", ""))

    def __str__(self) -> str:
        """Return its callee and number: "stock#3"."""
        return f"{self.callee}#{self.number}"


@dataclass(frozen=True)
class HttpResponse:
    """The response to a request from outside; `status` is None if no response came in time."""

    trace_id: str
    status: int | None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    seconds: float = 0.0

    def json(self) -> Any:
        """Return the body's JSON value. Raises `AssertionError` if the body is not JSON."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise AssertionError(f"the body of the answer {self.status} is not JSON: {self.body[:80]!r}") from error
