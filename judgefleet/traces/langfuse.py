"""Langfuse's blob-storage export: tables of observations (current and legacy) and of traces (legacy), into spans.

Fields as in https://langfuse.com/docs/api-and-data-platform/features/export-to-blob-storage.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

from judgefleet.trace import Trace
from judgefleet.traces.content import Content, ReadOptions, Record
from judgefleet.traces.langfuse_rows import observation_span, trace_span
from judgefleet.traces.reject import Reject, UnreadableError, shown
from judgefleet.traces.span import Span
from judgefleet.traces.spans import whole_traces
from judgefleet.traces.tables import columns_of, rows_of
from judgefleet.traces.values import as_time

_NEVER = datetime.min.replace(tzinfo=UTC)
OBSERVATIONS, TRACES, SCORES = "observations", "traces", "scores"
_COLUMNS = {
    OBSERVATIONS: frozenset({"id", "trace_id", "project_id", "type", "start_time"}),
    SCORES: frozenset({"id", "project_id", "name", "source", "value", "data_type"}),
    TRACES: frozenset({"id", "project_id", "timestamp"}),
}
_SPAN: dict[str, Callable[[Mapping[str, Any], ReadOptions, str], Span]] = {
    OBSERVATIONS: observation_span,
    TRACES: trace_span,
}


def table_of(content: Content) -> str | None:
    """Which of Langfuse's tables the columns are those of; None for none."""
    found = columns_of(content)
    table = next((table for table, columns in _COLUMNS.items() if columns <= found), None)
    return None if table == TRACES and "trace_id" in found else table


def recognises(content: Content) -> bool:
    """Whether the columns are those of a table of Langfuse."""
    return table_of(content) is not None


def read(content: Content) -> Iterator[Trace | Reject]:
    """One trace or reject for each trace id among the observations of this object."""
    return whole_traces(read_spans(content), content)


def read_spans(content: Content) -> Iterator[Span | Reject]:
    """A span a row, the newest of each id, and a reject for each that cannot be read."""
    return newest(spans_of(content))


def newest(parts: Iterable[Span | Reject]) -> Iterator[Span | Reject]:
    """Without older versions of a row: the one updated last is kept, of equals the one that comes last."""
    kept: dict[tuple[str, str], Span] = {}
    for part in parts:
        if isinstance(part, Reject):
            yield part
            continue
        before = kept.get(key := (part.trace_id, part.span_id))
        if before is None or _version(part) >= _version(before):
            kept[key] = part
    yield from kept.values()


def _version(span: Span) -> datetime:
    try:
        return as_time(span.attributes.get("updated_at")) or _NEVER
    except UnreadableError:
        return _NEVER


def spans_of(content: Content) -> Iterator[Span | Reject]:
    """A span a row, as they stand, and a reject for each that cannot be read."""
    table = table_of(content) or OBSERVATIONS
    if table == SCORES:
        reason = "a table of scores, which are no traces; 'judgefleet traces label-import' reads those of people"
        yield content.reject("object", reason)
        return
    for row in rows_of(content):
        yield row if isinstance(row, Reject) else _read_row(content, row, table)


def _read_row(content: Content, row: Record, table: str) -> Span | Reject:
    trace_id: str | None = None
    try:
        if not isinstance(row.value, Mapping):
            raise UnreadableError(f"found {shown(row.value)}; an object with the columns of {table} belongs here")
        found = row.value.get("id" if table == TRACES else "trace_id")
        trace_id = found if isinstance(found, str) and found else None
        return _SPAN[table](row.value, content.options, row.position)
    except UnreadableError as error:
        return content.reject(row.position, str(error), trace_id=trace_id, text=row.text or repr(row.value))
