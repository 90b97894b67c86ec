"""Telemetry from the SUT: structured log lines as they are written, metrics on request.

A structlog line carries the trace id of the current request. It goes to the judge at once, before the answer, with the
time of the monotonic clock, which judge and SUT share. Metrics come from the process's Prometheus registry.
"""

from __future__ import annotations

import contextlib
import re
import sys
from typing import TYPE_CHECKING, Any, Final

from drill_katas.sut.clock import real_monotonic
from drill_katas.sut.wire import find_unplain

if TYPE_CHECKING:
    from collections.abc import Callable, MutableMapping
    from contextlib import AbstractContextManager

TRACEPARENT: Final = re.compile(
    r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}"
)  # https://www.w3.org/TR/trace-context/

TRACE_ID: Final = re.compile(r"[0-9a-f]{32}")

UNTRACED: Final = contextlib.nullcontext()


def trace_id_of(traceparent: str) -> str | None:
    """Return the trace id in the W3C header `traceparent`; None if the header is invalid."""
    match = TRACEPARENT.fullmatch(traceparent)
    return match and match.group(1)


def valid_trace_id(value: object) -> str | None:
    """Return `value` if it is a W3C trace id (32 hexadecimal digits), otherwise None."""
    return value if isinstance(value, str) and TRACE_ID.fullmatch(value) else None


def send_logs_to(send: Callable[[dict[str, Any], float], None]) -> None:
    """Make every structlog logger of this process call `send(line, monotonic time)`."""
    structlog = sys.modules.get("structlog")
    if structlog is None:  # the kata does not use structlog
        return

    def deliver(_logger: object, _name: str, event: MutableMapping[str, Any]) -> str:
        line = {name: value if find_unplain(value) is None else repr(value) for name, value in event.items()}
        send(line, real_monotonic())
        raise structlog.DropEvent

    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            deliver,
        ],
        cache_logger_on_first_use=False,
    )


def serve_as(service: str) -> None:
    """Add the service's name to all further log lines of this task and of tasks that it starts."""
    structlog = sys.modules.get("structlog")
    if structlog:
        structlog.contextvars.bind_contextvars(service=service)


def current_trace() -> str | None:
    """Return the trace id of this thread or task, or None."""
    structlog = sys.modules.get("structlog")
    return structlog.contextvars.get_contextvars().get("trace_id") if structlog else None


def trace(trace_id: str | None) -> AbstractContextManager[Any]:
    """Return a context manager that adds `trace_id` to the log lines of its block."""
    structlog = sys.modules.get("structlog")
    if structlog is None or trace_id is None:
        return UNTRACED
    bound: AbstractContextManager[Any] = structlog.contextvars.bound_contextvars(trace_id=trace_id)
    return bound


def read_metrics() -> list[dict[str, Any]]:
    """Return the samples of the process's Prometheus registry; values are text, so that they stay exact."""
    prometheus_client = sys.modules.get("prometheus_client")
    if prometheus_client is None:
        return []
    return [
        {
            "family": family.name,
            "kind": family.type,
            "help": family.documentation,
            "name": sample.name,
            "labels": dict(sample.labels),
            "value": repr(sample.value),
        }
        for family in prometheus_client.REGISTRY.collect()
        for sample in family.samples
    ]
