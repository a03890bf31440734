"""Phoenix's spans outside OTLP: its Parquet and data frame, and what its REST interface answers.

A span a row or a JSON object, with ``context.trace_id`` as a column or ``context`` as an object; ``/spans/otlpv1``
answers OTLP with the names that protobuf has. https://arize.com/docs/phoenix says how to get each.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from judgefleet.trace import Trace
from judgefleet.traces.content import Content, Record
from judgefleet.traces.otlp_json import read_span
from judgefleet.traces.reject import Reject, UnreadableError, shown
from judgefleet.traces.span import Span, SpanEvent
from judgefleet.traces.spans import whole_traces
from judgefleet.traces.tables import columns_of, is_json, rows_of
from judgefleet.traces.values import as_text, as_time, hex_id, plain_value, to_nanoseconds

_COLUMN = "attributes."
_UNDERSCORE = re.compile(r"_([a-z])")
_ERROR, _OK = "ERROR", "OK"


def recognises(content: Content) -> bool:
    """Whether the first row or object is one of Phoenix's spans, or an answer with a list of them."""
    if not is_json(content):
        return "context.trace_id" in columns_of(content)
    first = next(_spans_in(content.first_record), None)
    return isinstance(first, Mapping) and (_is_span(first) or _is_otlp(first))


def read(content: Content) -> Iterator[Trace | Reject]:
    """One trace or reject a trace id, as ``whole_traces`` puts them together."""
    return whole_traces(read_spans(content), content)


def read_spans(content: Content) -> Iterator[Span | Reject]:
    """Spans as they stand in the object, and a reject for each that cannot be read."""
    for record in rows_of(content):
        if isinstance(record, Reject):
            yield record
            continue
        for number, found in enumerate(_spans_in(record.value)):
            at = record.position if found is record.value else f"{record.position}: data[{number}]"
            yield _read(content, Record(position=at, value=found))


def _spans_in(value: Any) -> Iterator[Any]:
    """The spans of an answer of the REST interface, or the one that ``value`` is."""
    data = value.get("data") if isinstance(value, Mapping) else None
    yield from data if isinstance(data, list) else [value]


def _is_span(found: Mapping[str, Any]) -> bool:
    return isinstance(context := found.get("context"), Mapping) and "trace_id" in context


def _is_otlp(found: Mapping[str, Any]) -> bool:
    return "trace_id" in found and "start_time_unix_nano" in found


def _read(content: Content, record: Record) -> Span | Reject:
    trace_id: str | None = None
    try:
        if not isinstance(record.value, Mapping):
            raise UnreadableError(f"found {shown(record.value)}; a span of Phoenix belongs here")
        if _is_otlp(record.value):
            return read_span(content, record.position, _in_camel_case(record.value), None)
        context = _context(record.value)
        trace_id = hex_id(context.get("trace_id"), "context.trace_id", 32)
        return _span(record.value, trace_id, context, record.position)
    except UnreadableError as error:
        return content.reject(record.position, str(error), trace_id=trace_id, text=repr(record.value))


def _context(row: Mapping[str, Any]) -> Mapping[str, Any]:
    found = row.get("context")
    return found if isinstance(found, Mapping) else {k: row.get(f"context.{k}") for k in ("trace_id", "span_id")}


def _span(row: Mapping[str, Any], trace_id: str, context: Mapping[str, Any], at: str) -> Span:
    start, end = (as_time(row.get(name)) for name in ("start_time", "end_time"))
    if start and end and end < start:
        raise UnreadableError(f"the span ends ({end}) before it starts ({start})")
    status, parent = str(row.get("status_code")).upper(), row.get("parent_id")
    return Span(
        trace_id=trace_id,
        span_id=hex_id(context.get("span_id"), "context.span_id", 16),
        parent_id=hex_id(parent, "parent_id", 16) if parent else None,
        name=as_text(row.get("name") or ""),
        start_ns=None if start is None else to_nanoseconds(start),
        end_ns=None if end is None else to_nanoseconds(end),
        attributes=_attributes(row),
        events=tuple(_events(row.get("events"))),
        position=at,
        status=status if status in (_OK, _ERROR) else None,
        status_message=as_text(row.get("status_message") or ""),
    )


def _attributes(row: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the REST interface, or of the columns that begin so; the kind has a place of its own in both."""
    told = plain_value(row.get("attributes"))
    found = dict(told) if isinstance(told, Mapping) else {}
    columns = {k.removeprefix(_COLUMN): v for k, v in row.items() if k.startswith(_COLUMN) and v is not None}
    kind = {} if row.get("span_kind") is None else {"openinference.span.kind": row["span_kind"]}
    return kind | found | columns


def _events(value: Any) -> Iterator[SpanEvent]:
    for event in value if isinstance(value, list) else []:
        attributes = event.get("attributes") if isinstance(event, Mapping) else None
        if isinstance(attributes, Mapping):
            yield SpanEvent(name=as_text(event.get("name") or ""), attributes=attributes)


def _in_camel_case(value: Any) -> Any:
    """OTLP as protobuf names it, as OTLP/JSON does; keys of attributes are values there, and stay."""
    if isinstance(value, list):
        return [_in_camel_case(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    return {_UNDERSCORE.sub(lambda m: m[1].upper(), str(k)): _in_camel_case(v) for k, v in value.items()}
