"""Calls between services, as the judge has seen them on the wire."""

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
    """One call from a node to another, as seen on the wire. Times are seconds of the judge's clock.

    `number` counts the calls to this callee, from 1. `status` is None while the call is open, and 0 when the caller
    gave up or the connection was lost.
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
        """The trace it belongs to, by its W3C `traceparent` header."""
        return trace_id_of(self.headers.get("traceparent", ""))

    def __str__(self) -> str:
        """Name it as its callee would: "stock#3"."""
        return f"{self.callee}#{self.number}"


@dataclass(frozen=True)
class HttpResponse:
    """What a request from outside was answered: `status` is None when nothing came in time."""

    trace_id: str
    status: int | None
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    seconds: float = 0.0

    def json(self) -> Any:
        """Return the body's JSON value. Raises `AssertionError` when it is none."""
        try:
            return msgspec.json.decode(self.body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise AssertionError(f"the answer {self.status} has a body that is no JSON: {self.body[:80]!r}") from error
