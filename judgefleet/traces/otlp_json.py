"""OTLP/JSON: documents as the Collector's exporters write them, one an object or one a line, into spans.

Log records that say something of a span become spans as well: see ``log_records``.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from judgefleet.trace import Trace
from judgefleet.traces.content import Content, Record
from judgefleet.traces.log_records import OLDER_NAME, log_span, says_of_genai
from judgefleet.traces.otlp_values import attributes_of, events_of, name_in, plain, status_of
from judgefleet.traces.reject import Reject, UnreadableError, shown
from judgefleet.traces.span import Span, SpanEvent
from judgefleet.traces.spans import whole_traces
from judgefleet.traces.values import as_text, hex_id, span_times

_SIGNALS = ("resourceSpans", "resourceLogs", "resourceMetrics")
# Groups, scopes, leaves, and what the scopes were called before version 1.0.
_SPANS = ("resourceSpans", "scopeSpans", "spans", "instrumentationLibrarySpans")
_LOGS = ("resourceLogs", "scopeLogs", "logRecords", "instrumentationLibraryLogs")


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
        elif isinstance(record.value, dict) and _LOGS[0] in record.value and _SPANS[0] not in record.value:
            for at, found, _ in _walk(content, record, _LOGS):
                if (said := found if isinstance(found, Reject) else _read_log(content, at, found)) is not None:
                    yield said
        else:
            for at, found, resource in _walk(content, record, _SPANS):
                yield found if isinstance(found, Reject) else read_span(content, at, found, resource)


def _walk(content: Content, record: Record, names: tuple[str, ...]) -> Iterator[tuple[str, Any, Any]]:
    """Each leaf with its position and resource; a reject in its place where the nesting is not OTLP's."""
    message = record.value
    if not isinstance(message, dict) or names[0] not in message:
        found = next((s for s in _SIGNALS if isinstance(message, dict) and s in message), shown(message))
        reason = f"found {found}; an OTLP message with {names[0]} belongs here"
        yield "", content.reject(record.position, reason, text=record.text), None
        return
    base = "" if record.position == "document" else f"{record.position}: "
    for at, group in _entries(content, f"{base}{names[0]}", message[names[0]]):
        if isinstance(group, Reject):
            yield at, group, None
            continue
        yield from _walk_group(content, at, group, names)


def _walk_group(
    content: Content, at: str, group: Mapping[str, Any], names: tuple[str, ...]
) -> Iterator[tuple[str, Any, Any]]:
    _, scopes, leaves, older = names
    for scope_at, scope in _entries(content, f"{at}.{scopes}", group.get(scopes, group.get(older))):
        if isinstance(scope, Reject):
            yield scope_at, scope, None
            continue
        for leaf_at, leaf in _entries(content, f"{scope_at}.{leaves}", scope.get(leaves)):
            yield leaf_at, leaf, group.get("resource")


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


def _read_log(content: Content, at: str, record: Mapping[str, Any]) -> Span | Reject | None:
    """What a log record says of its span; None for one that says nothing of GenAI, or of no span."""
    name = record.get("eventName") or name_in(record, OLDER_NAME)
    if not (says_of_genai(name) and _is_given(record.get("traceId")) and _is_given(record.get("spanId"))):
        return None
    trace_id: str | None = None
    try:
        trace_id = hex_id(record["traceId"], "traceId", 32)
        made, observed = (span_times(record.get(when), None)[0] for when in ("timeUnixNano", "observedTimeUnixNano"))
        return log_span(
            trace_id=trace_id,
            span_id=hex_id(record["spanId"], "spanId", 16),
            at=(made, observed),
            event=SpanEvent(name=name, attributes=attributes_of(record)),
            body=plain(record.get("body")),
            position=at,
        )
    except UnreadableError as error:
        return content.reject(at, str(error), trace_id=trace_id, text=repr(record))


def _is_given(identity: Any) -> bool:
    """An id of zeros is none."""
    return bool(identity.strip("0") if isinstance(identity, str) else identity)


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
        events=events_of(span),
        resource=attributes_of(resource or {}),
        position=at,
        status=status,
        status_message=message,
    )
