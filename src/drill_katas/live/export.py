"""Sends spans and log lines to an OpenTelemetry collector, with the SDK's exporters for OTLP over HTTP.

The SDK reads `OTEL_EXPORTER_OTLP_ENDPOINT`, `_HEADERS`, `_COMPRESSION`, and the other variables of
https://opentelemetry.io/docs/specs/otel/protocol/exporter/. It queues and retries.
"""

from __future__ import annotations

import functools
import logging
import re
import threading
from typing import TYPE_CHECKING, Final

from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk._logs import ReadWriteLogRecord
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import (
    INVALID_SPAN_CONTEXT,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    Status,
    StatusCode,
    TraceFlags,
)
from opentelemetry.trace.propagation import set_span_in_context

from drill_katas.evidence.otlp import nanoseconds

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from drill_katas.evidence.records import LogLine, Span

QUEUE_SIZE: Final = 10_000  # spans, and as many log lines, while the collector does not answer
CLOSE_SECONDS: Final = 2.0  # time limit for the last items
SCOPE: Final = InstrumentationScope("drill-katas")
KINDS: Final = {"server": SpanKind.SERVER, "client": SpanKind.CLIENT}
SEVERITIES: Final = {
    "debug": SeverityNumber.DEBUG,
    "info": SeverityNumber.INFO,
    "warning": SeverityNumber.WARN,
    "error": SeverityNumber.ERROR,
    "critical": SeverityNumber.FATAL,
}
TRACE_ID: Final = re.compile("[0-9a-f]{32}")


class Exporter:
    """Sends in the background. `warn(notice)` is called once per kind of problem that the SDK reports."""

    def __init__(self, warn: Callable[[str], None]) -> None:
        self._notices = _Notices(warn)
        logging.getLogger("opentelemetry").addHandler(self._notices)
        self._exporters = OTLPSpanExporter(), OTLPLogExporter()
        spans, logs = self._exporters
        self._spans = BatchSpanProcessor(spans, max_queue_size=QUEUE_SIZE)
        self._logs = BatchLogRecordProcessor(logs, max_queue_size=QUEUE_SIZE)

    def send(self, spans: Sequence[Span], logs: Sequence[LogLine], offset: float) -> None:
        """Queue spans and log lines; `offset` is added to their times, in seconds."""
        for span in spans:
            self._spans.on_end(_span(span, offset))
        for line in logs:
            self._logs.on_emit(_record(line, offset))

    def close(self) -> None:
        """Send the queued items; stop retrying after `CLOSE_SECONDS`."""
        logging.getLogger("opentelemetry").removeHandler(self._notices)
        logging.getLogger("opentelemetry").addHandler(logging.NullHandler())
        give_up = threading.Timer(CLOSE_SECONDS, self._give_up)
        give_up.start()
        self._spans.shutdown()
        self._logs.shutdown()
        give_up.cancel()

    def _give_up(self) -> None:
        spans, logs = self._exporters
        spans.shutdown()
        logs.shutdown()


class _Notices(logging.Handler):
    """Forwards each kind of message once, because a collector can be down for hours."""

    def __init__(self, warn: Callable[[str], None]) -> None:
        super().__init__(logging.WARNING)
        self._warn = warn
        self._known: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        if record.msg not in self._known:
            self._known.add(record.msg)
            self._warn(f"OpenTelemetry: {record.getMessage()}")


def _span(span: Span, offset: float) -> ReadableSpan:
    return ReadableSpan(
        name=span.name,
        context=_context(span.trace_id, span.span_id),
        parent=_context(span.trace_id, span.parent_id) if span.parent_id else None,
        resource=_resource(span.service),
        attributes=span.attributes,
        kind=KINDS[span.kind],
        status=Status(StatusCode.ERROR if span.failed else StatusCode.UNSET),
        start_time=nanoseconds(span.began + offset),
        end_time=None if span.ended is None else nanoseconds(span.ended + offset),
        instrumentation_scope=SCOPE,
    )


def _record(line: LogLine, offset: float) -> ReadWriteLogRecord:
    trace_id = line.trace_id or ""
    is_valid = TRACE_ID.fullmatch(trace_id)  # a SUT can log any text as its trace id
    context = _context(trace_id, "0") if is_valid else INVALID_SPAN_CONTEXT
    record = LogRecord(
        timestamp=nanoseconds(line.at + offset),
        context=set_span_in_context(NonRecordingSpan(context), Context()),
        severity_text=line.level,
        severity_number=SEVERITIES.get(line.level, SeverityNumber.UNSPECIFIED),
        body=line.event,
        attributes={name: str(value) for name, value in line.fields.items()},
    )
    return ReadWriteLogRecord(record, _resource(line.service), SCOPE)


def _context(trace_id: str, span_id: str) -> SpanContext:
    sampled = TraceFlags(TraceFlags.SAMPLED)
    return SpanContext(int(trace_id, 16), int(span_id, 16), is_remote=False, trace_flags=sampled)


@functools.cache
def _resource(service: str) -> Resource:
    return Resource.create({"service.name": service})
