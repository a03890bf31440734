"""MLflow's traces as JSON: ``traces.json`` beside an experiment's artifacts, and what its SDK writes with ``to_json``.

An object with ``spans``, or ``info`` and ``data`` with ``spans``. Ids are in base64 as protobuf's JSON has them; what
attributes say is MLflow's dialect. (``traces.pb`` of an archive is OTLP in protobuf.)
"""

import base64
import binascii
from collections.abc import Iterator, Mapping
from typing import Any

from judgefleet.trace import Trace
from judgefleet.traces.content import Content
from judgefleet.traces.otlp_values import status_of
from judgefleet.traces.reject import Reject, UnreadableError, shown
from judgefleet.traces.span import Span, SpanEvent
from judgefleet.traces.spans import whole_traces
from judgefleet.traces.values import as_text, hex_id, span_times

# What a trace's metadata says under MLflow's names, and the attribute of its root that it becomes.
_OF_THE_TRACE = {"mlflow.trace.session": "session.id", "mlflow.trace.user": "user.id"}


def recognises(content: Content) -> bool:
    """Whether the first object has a trace's spans as MLflow writes them."""
    spans = _spans(content.first_record)
    first = spans[0] if spans else None
    return isinstance(first, Mapping) and "start_time_unix_nano" in first and isinstance(first.get("attributes"), dict)


def read(content: Content) -> Iterator[Trace | Reject]:
    """One trace or reject a trace id, as ``whole_traces`` puts them together."""
    return whole_traces(read_spans(content), content)


def read_spans(content: Content) -> Iterator[Span | Reject]:
    """Spans as they stand in the object, and a reject for each that cannot be read."""
    for record in content.records():
        if isinstance(record, Reject):
            yield record
            continue
        spans = _spans(record.value)
        if spans is None:
            yield content.reject(record.position, f"found {shown(record.value)}; a trace with spans belongs here")
            continue
        for number, span in enumerate(spans):
            yield _read(content, f"{record.position}: spans[{number}]", span, _of_the_trace(record.value))


def _spans(value: Any) -> list[Any] | None:
    found = value.get("data", value) if isinstance(value, Mapping) else None
    spans = found.get("spans") if isinstance(found, Mapping) else None
    return spans if isinstance(spans, list) else None


def _of_the_trace(value: Mapping[str, Any]) -> dict[str, Any]:
    info = value.get("info")
    metadata = info.get("trace_metadata") if isinstance(info, Mapping) else None
    told = metadata if isinstance(metadata, Mapping) else {}
    return {name: told[theirs] for theirs, name in _OF_THE_TRACE.items() if told.get(theirs) is not None}


def _read(content: Content, at: str, span: Any, of_the_trace: Mapping[str, Any]) -> Span | Reject:
    trace_id: str | None = None
    try:
        if not isinstance(span, Mapping):
            raise UnreadableError(f"found {shown(span)}; a span of MLflow belongs here")
        trace_id = _identity(span, "trace_id", 32)
        parent = _identity(span, "parent_span_id", 16) if span.get("parent_span_id") else None
        start, end = span_times(span.get("start_time_unix_nano"), span.get("end_time_unix_nano"))
        given = span.get("attributes")
        status, message = status_of(span.get("status"))
        return Span(
            trace_id=trace_id,
            span_id=_identity(span, "span_id", 16),
            parent_id=parent,
            name=as_text(span.get("name") or ""),
            start_ns=start,
            end_ns=end,
            attributes={**(given if isinstance(given, Mapping) else {}), **({} if parent else of_the_trace)},
            events=tuple(_events(span.get("events"))),
            position=at,
            status=status,
            status_message=message,
        )
    except UnreadableError as error:
        return content.reject(at, str(error), trace_id=trace_id, text=repr(span))


def _identity(span: Mapping[str, Any], name: str, digits: int) -> str:
    """In base64, or in hex with or without what MLflow puts before it."""
    found = span.get(name)
    text = found.removeprefix("tr-").removeprefix("0x") if isinstance(found, str) else ""
    if len(text) < digits:
        try:
            text = base64.b64decode(text, validate=True).hex()
        except (binascii.Error, ValueError) as error:
            raise UnreadableError(f"found {name} {shown(found)}; {digits // 2} bytes in base64 belong here") from error
    return hex_id(text, name, digits)


def _events(value: Any) -> Iterator[SpanEvent]:
    for event in value if isinstance(value, list) else []:
        attributes = event.get("attributes") if isinstance(event, Mapping) else None
        if isinstance(attributes, Mapping):
            yield SpanEvent(name=as_text(event.get("name") or ""), attributes=attributes)
