"""Spans as OTLP JSON, the format of OpenTelemetry's protocol.

https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from drill_katas.evidence.records import Span

if TYPE_CHECKING:
    from collections.abc import Iterable

KINDS: Final = {"server": 2, "client": 3}
STATUS_ERROR: Final = 2
NANO: Final = 1_000_000_000


def to_otlp(spans: Iterable[Span]) -> dict[str, Any]:
    """Return spans as an `ExportTraceServiceRequest`. An unfinished span has no end time."""
    written: dict[str, list[dict[str, Any]]] = {}
    for span in spans:
        written.setdefault(span.service, []).append(_span(span))
    return {
        "resourceSpans": [
            {
                "resource": {"attributes": _attributes({"service.name": service})},
                "scopeSpans": [{"scope": {"name": "drill-katas"}, "spans": of_service}],
            }
            for service, of_service in sorted(written.items())
        ]
    }


def from_otlp(request: dict[str, Any]) -> tuple[Span, ...]:
    """Return the spans that `to_otlp` wrote, by span id. Raises `LookupError` or `ValueError` for other data."""
    found = []
    for resource in request["resourceSpans"]:
        service = _texts(resource["resource"]["attributes"])["service.name"]
        found += [_read(service, span) for scope in resource["scopeSpans"] for span in scope["spans"]]
    return tuple(sorted(found, key=lambda span: span.span_id))


def _span(span: Span) -> dict[str, Any]:
    return {
        "traceId": span.trace_id,
        "spanId": span.span_id,
        **({"parentSpanId": span.parent_id} if span.parent_id else {}),
        "name": span.name,
        "kind": KINDS[span.kind],
        "startTimeUnixNano": str(nanoseconds(span.began)),
        **({"endTimeUnixNano": str(nanoseconds(span.ended))} if span.ended is not None else {}),
        "attributes": _attributes(span.attributes),
        "status": {"code": STATUS_ERROR} if span.failed else {},
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


def nanoseconds(at: float) -> int:
    """Return seconds since 1970 as nanoseconds, rounded to microseconds, because a float is not more precise."""
    return round(at * 1_000_000) * 1000


def _attributes(of: dict[str, str]) -> list[dict[str, Any]]:
    return [{"key": key, "value": {"stringValue": value}} for key, value in of.items()]


def _texts(attributes: list[dict[str, Any]]) -> dict[str, str]:
    return {each["key"]: each["value"]["stringValue"] for each in attributes}
