"""Spans and log lines as OTLP JSON, the format of OpenTelemetry's protocol; spans are read back, too.

https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from drill_katas.evidence.records import LogLine, Span

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

T = TypeVar("T", LogLine, Span)
KINDS: Final = {"server": 2, "client": 3}
STATUS_ERROR: Final = 2
SEVERITIES: Final = {"debug": 5, "info": 9, "warning": 13, "error": 17, "critical": 21}
NANO: Final = 1_000_000_000


def to_otlp(spans: Iterable[Span]) -> dict[str, Any]:
    """Return spans as an `ExportTraceServiceRequest`. One that has not ended has no end time."""
    return _by_service("Spans", "spans", spans, _span)


def logs_to_otlp(lines: Iterable[LogLine]) -> dict[str, Any]:
    """Return log lines as an `ExportLogsServiceRequest`."""
    return _by_service("Logs", "logRecords", lines, _record)


def from_otlp(request: dict[str, Any]) -> tuple[Span, ...]:
    """Return the spans that `to_otlp` wrote, in order of time. Raises `LookupError` or `ValueError` for others."""
    found = []
    for resource in request["resourceSpans"]:
        service = _texts(resource["resource"]["attributes"])["service.name"]
        found += [_read(service, span) for scope in resource["scopeSpans"] for span in scope["spans"]]
    return tuple(sorted(found, key=lambda span: span.span_id))


def _by_service(kind: str, inside: str, items: Iterable[T], write: Callable[[T], dict[str, Any]]) -> dict[str, Any]:
    """Return what the protocol wraps around items of a kind: a resource for each service, and a scope in it."""
    written: dict[str, list[dict[str, Any]]] = {}
    for item in items:
        written.setdefault(item.service, []).append(write(item))
    return {
        f"resource{kind}": [
            {
                "resource": {"attributes": _attributes({"service.name": service})},
                f"scope{kind}": [{"scope": {"name": "drill-katas"}, inside: of_service}],
            }
            for service, of_service in sorted(written.items())
        ]
    }


def _span(span: Span) -> dict[str, Any]:
    return {
        "traceId": span.trace_id,
        "spanId": span.span_id,
        **({"parentSpanId": span.parent_id} if span.parent_id else {}),
        "name": span.name,
        "kind": KINDS[span.kind],
        "startTimeUnixNano": _nanoseconds(span.began),
        **({"endTimeUnixNano": _nanoseconds(span.ended)} if span.ended is not None else {}),
        "attributes": _attributes(span.attributes),
        "status": {"code": STATUS_ERROR} if span.failed else {},
    }


def _record(line: LogLine) -> dict[str, Any]:
    return {
        "timeUnixNano": _nanoseconds(line.at),
        "severityNumber": SEVERITIES.get(line.level, 0),
        "severityText": line.level,
        "body": {"stringValue": line.event},
        "attributes": _attributes({name: str(value) for name, value in line.fields.items()}),
        **({"traceId": line.trace_id} if line.trace_id else {}),
    }


def _read(service: str, span: dict[str, Any]) -> Span:
    ended = span.get("endTimeUnixNano")
    return Span(
        trace_id=span["traceId"],
        span_id=span["spanId"],
        parent_id=span.get("parentSpanId"),
        service=service,
        name=span["name"],
        kind="server" if span["kind"] == KINDS["server"] else "client",
        began=int(span["startTimeUnixNano"]) / NANO,
        ended=None if ended is None else int(ended) / NANO,
        failed=span["status"].get("code") == STATUS_ERROR,
        attributes=_texts(span["attributes"]),
    )


def _nanoseconds(at: float) -> str:
    return str(round(at * 1_000_000) * 1000)  # a float of today has no finer parts


def _attributes(of: dict[str, str]) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in of.items()]


def _texts(attributes: list[dict[str, Any]]) -> dict[str, str]:
    return {each["key"]: each["value"]["stringValue"] for each in attributes}
