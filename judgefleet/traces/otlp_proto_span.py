"""One span or log record of OTLP in protobuf, by the official package; ``otlp_proto`` walks what is around it."""

import base64
from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

from google.protobuf.message import DecodeError
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.logs.v1.logs_pb2 import LogRecord
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import Span as WireSpan

from judgefleet.traces.content import Content
from judgefleet.traces.log_records import GENAI, OLDER_NAME, log_span, says_of_genai
from judgefleet.traces.otlp_wire import messages_in
from judgefleet.traces.reject import Reject, UnreadableError
from judgefleet.traces.span import Span, SpanEvent
from judgefleet.traces.values import span_times

# Numbers of fields.
_RESOURCE, _TRACE_ID, _TRACE_ID_OF_LOG, _ATTRIBUTES_OF_LOG, _EVENT_NAME = 1, 1, 9, 6, 12
_STATUSES = {1: "OK", 2: "ERROR"}
WireResource: TypeAlias = Mapping[str, Any] | UnreadableError


def resource_of(group: bytes) -> WireResource:
    """The attributes of the resource in a group; an error is for each of its spans to raise."""
    try:
        found = next((part for number, part in messages_in(group) if number == _RESOURCE), b"")
        return _attributes(Resource.FromString(found).attributes)
    except DecodeError as error:
        return UnreadableError(f"the resource cannot be read: {error}")
    except UnreadableError as error:
        return error


def read_span(content: Content, at: str, data: bytes, resource: WireResource) -> Span | Reject:
    """The span in ``data``, or why it cannot be read."""
    try:
        if isinstance(resource, UnreadableError):
            raise resource
        return _span(WireSpan.FromString(data), resource, at)
    except (DecodeError, UnreadableError) as error:
        return content.reject(at, str(error), trace_id=_trace_id(data, _TRACE_ID), text=repr(data))


def read_log(content: Content, at: str, data: bytes) -> Span | Reject | None:
    """What the log record in ``data`` says of its span; None for one that says nothing of GenAI, or of no span."""
    try:
        record = LogRecord.FromString(data)
        attributes = _attributes(record.attributes)
        name = record.event_name or attributes.get(OLDER_NAME)
        if not (says_of_genai(name) and any(record.trace_id) and any(record.span_id)):
            return None
        return log_span(
            trace_id=_identity(record.trace_id, "traceId", 16),
            span_id=_identity(record.span_id, "spanId", 8),
            at=(span_times(record.time_unix_nano, None)[0], span_times(record.observed_time_unix_nano, None)[0]),
            event=SpanEvent(name=str(name), attributes=attributes),
            body=_value(record.body),
            position=at,
        )
    except (DecodeError, UnreadableError) as error:
        if not _may_say_of_genai(data):
            return None
        return content.reject(at, str(error), trace_id=_trace_id(data, _TRACE_ID_OF_LOG), text=repr(data))


def _may_say_of_genai(data: bytes) -> bool:
    """Of a record that cannot be read whole; what does not say who it is may be anything."""
    try:
        named = [part for number, part in messages_in(data) if number == _EVENT_NAME]
        older = (OLDER_NAME.encode() in part for number, part in messages_in(data) if number == _ATTRIBUTES_OF_LOG)
        return named[0].startswith(GENAI.encode()) if named else any(older)
    except UnreadableError:
        return True


def _trace_id(data: bytes, field: int) -> str | None:
    """The trace of what cannot be read, where so much of it can."""
    try:
        return next((_identity(part, "traceId", 16) for number, part in messages_in(data) if number == field), None)
    except UnreadableError:
        return None


def _span(span: WireSpan, resource: Mapping[str, Any], at: str) -> Span:
    start, end = span_times(span.start_time_unix_nano, span.end_time_unix_nano)
    return Span(
        trace_id=_identity(span.trace_id, "traceId", 16),
        span_id=_identity(span.span_id, "spanId", 8),
        parent_id=_identity(span.parent_span_id, "parentSpanId", 8) if span.parent_span_id else None,
        name=span.name,
        start_ns=start,
        end_ns=end,
        attributes=_attributes(span.attributes),
        events=tuple(SpanEvent(name=event.name, attributes=_attributes(event.attributes)) for event in span.events),
        resource=resource,
        position=at,
        status=_STATUSES.get(span.status.code),
        status_message=span.status.message,
    )


def _identity(found: bytes, name: str, size: int) -> str:
    if len(found) != size or not any(found):
        raise UnreadableError(f"found {name} {found.hex()!r}; {size} bytes, not all zero, belong here")
    return found.hex()


def _attributes(pairs: Iterable[KeyValue]) -> dict[str, Any]:
    return {pair.key: _value(pair.value) for pair in pairs}


def _value(value: AnyValue) -> Any:
    """A plain value; bytes as OTLP/JSON has them, in base64."""
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_value(item) for item in value.array_value.values]
    if kind == "kvlist_value":
        return _attributes(value.kvlist_value.values)
    if kind == "bytes_value":
        return base64.b64encode(value.bytes_value).decode()
    return None if kind is None else getattr(value, kind)
