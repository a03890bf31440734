"""OTLP/JSON: documents as the Collector's exporters write them, one an object or one a line, into spans."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from judgefleet.trace import Trace
from judgefleet.traces.content import Content, Record
from judgefleet.traces.reject import Reject, UnreadableError, shown
from judgefleet.traces.span import Span, SpanEvent
from judgefleet.traces.spans import whole_traces
from judgefleet.traces.values import as_text, hex_id, span_times

_SIGNALS = ("resourceSpans", "resourceLogs", "resourceMetrics")
_INTEGER = re.compile(r"\s*-?\d{1,20}\s*")
_STATUS_CODES = {"1": "OK", "OK": "OK", "2": "ERROR", "ERROR": "ERROR"}


def recognises(content: Content) -> bool:
    """Whether the first JSON value is an OTLP message."""
    first = content.first_record
    return isinstance(first, dict) and any(signal in first for signal in _SIGNALS)


def read(content: Content) -> Iterator[Trace | Reject]:
    """One trace or reject a trace id, as ``whole_traces`` puts them together."""
    return whole_traces(read_spans(content), content)


def read_spans(content: Content) -> Iterator[Span | Reject]:
    """Spans as they stand in the object, and a reject for each that cannot be read."""
    for record in content.records():
        if isinstance(record, Reject):
            yield record
            continue
        for position, span, resource in _walk(content, record):
            if isinstance(span, Reject):
                yield span
                continue
            yield read_span(content, position, span, resource)


def _walk(content: Content, record: Record) -> Iterator[tuple[str, Any, Any]]:
    """Each span with its position and resource; a reject in its place where the nesting is not OTLP's."""
    message = record.value
    if not isinstance(message, dict) or "resourceSpans" not in message:
        found = next((s for s in _SIGNALS if isinstance(message, dict) and s in message), shown(message))
        reason = f"found {found}; an OTLP message with resourceSpans belongs here"
        yield "", content.reject(record.position, reason, text=record.text), None
        return
    base = "" if record.position == "document" else f"{record.position}: "
    for at, group in _entries(content, f"{base}resourceSpans", message["resourceSpans"]):
        if isinstance(group, Reject):
            yield at, group, None
            continue
        yield from _walk_group(content, at, group)


def _walk_group(content: Content, at: str, group: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    scopes = group.get("scopeSpans", group.get("instrumentationLibrarySpans"))
    for scope_at, scope in _entries(content, f"{at}.scopeSpans", scopes):
        if isinstance(scope, Reject):
            yield scope_at, scope, None
            continue
        for span_at, span in _entries(content, f"{scope_at}.spans", scope.get("spans")):
            yield span_at, span, group.get("resource")


def _entries(content: Content, at: str, value: Any) -> Iterator[tuple[str, Any]]:
    """The mappings in a list, each with its position; a reject for whatever is something else."""
    if value is None:
        return
    if not isinstance(value, list):
        yield at, content.reject(at, f"found {shown(value)}; a list belongs here")
        return
    for number, entry in enumerate(value):
        here = f"{at}[{number}]"
        if isinstance(entry, dict):
            yield here, entry
        else:
            yield here, content.reject(here, f"found {shown(entry)}; an object belongs here")


def read_span(content: Content, at: str, span: Mapping[str, Any], resource: Any) -> Span | Reject:
    """The span in an OTLP/JSON object, or why it cannot be read."""
    trace_id: str | None = None
    try:
        trace_id = hex_id(span.get("traceId"), "traceId", 32)
        return _span(trace_id, span, resource, at)
    except UnreadableError as error:
        return content.reject(at, str(error), trace_id=trace_id, text=repr(span))


def _span(trace_id: str, span: Mapping[str, Any], resource: Any, at: str) -> Span:
    start, end = span_times(span.get("startTimeUnixNano"), span.get("endTimeUnixNano"))
    if not isinstance(resource, dict | None):
        raise UnreadableError(f"found the resource {shown(resource)}; an object belongs here")
    status, message = status_of(span.get("status"))
    return Span(
        trace_id=trace_id,
        span_id=hex_id(span.get("spanId"), "spanId", 16),
        parent_id=hex_id(span.get("parentSpanId"), "parentSpanId", 16) if span.get("parentSpanId") else None,
        name=as_text(span.get("name", "")),
        start_ns=start,
        end_ns=end,
        attributes=attributes_of(span),
        events=tuple(_event(event) for event in _list(span, "events")),
        resource=attributes_of(resource or {}),
        position=at,
        status=status,
        status_message=message,
    )


def status_of(status: Any) -> tuple[str | None, str]:
    """``OK``, ``ERROR``, or None for unset and for what is none (codes 1 and 2, also as text or name); its message."""
    if not isinstance(status, dict):
        return None, ""
    code = str(status.get("code")).removeprefix("STATUS_CODE_")
    return _STATUS_CODES.get(code), as_text(status.get("message") or "")


def attributes_of(owner: Mapping[str, Any]) -> dict[str, Any]:
    """The attributes of a span, event or resource as plain values. Raises UnreadableError."""
    return dict(_pair(entry) for entry in _list(owner, "attributes"))


def _list(owner: Mapping[str, Any], key: str) -> list[Any]:
    found = owner.get(key)
    if found is None:
        return []
    if not isinstance(found, list):
        raise UnreadableError(f"found {key} {shown(found)}; a list belongs here")
    return found


def _pair(entry: Any) -> tuple[str, Any]:
    if not isinstance(entry, dict) or not isinstance(entry.get("key"), str):
        raise UnreadableError(f"found the attribute {shown(entry)}; an object with key and value belongs here")
    return entry["key"], _value(entry.get("value"))


def _value(value: Any) -> Any:
    """An OTLP AnyValue as a plain value; 64-bit integers come as text and become numbers where they can."""
    if not isinstance(value, dict):
        return value
    if len(value) == 1 and (text := value.get("stringValue")) is not None:
        return text
    kind, inner = next(((kind, inner) for kind, inner in value.items() if inner is not None), (None, None))
    if kind == "arrayValue" and isinstance(inner, dict):
        return [_value(item) for item in _list(inner, "values")]
    if kind == "kvlistValue" and isinstance(inner, dict):
        return dict(_pair(entry) for entry in _list(inner, "values"))
    if kind == "intValue" and isinstance(inner, str) and _INTEGER.fullmatch(inner):
        return int(inner)
    return inner


def _event(event: Any) -> SpanEvent:
    if not isinstance(event, dict):
        raise UnreadableError(f"found the event {shown(event)}; an object belongs here")
    return SpanEvent(name=as_text(event.get("name", "")), attributes=attributes_of(event))
