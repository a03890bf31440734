"""Traces whose spans lie in several objects of a batch: each object keeps its spans, and those of one trace are joined.

Objects are read beside each other and none knows of the others, so what has spans is staged with them. Which traces lie
in several objects is counted afterwards, and only those are put together again, one after the other.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from itertools import groupby, islice
from tempfile import TemporaryDirectory
from typing import Any, TypeAlias

import duckdb
import pyarrow as pa
import pyarrow.dataset as ds

from judgefleet.storage import Location, write_table_atomic
from judgefleet.trace import Trace
from judgefleet.traces.content import ReadOptions
from judgefleet.traces.reject import Reject
from judgefleet.traces.span import Span, SpanEvent
from judgefleet.traces.spans import trace_of
from judgefleet.traces.values import as_text_or_repr

Found: TypeAlias = tuple[Trace | Reject, str | None]
# Of what was staged: the ids of traces that lie in several objects. The object is the first part of a place.
SPLIT = """
    select trace_id from staged where of_spans group by trace_id having count(distinct split_part(place, '-', 1)) > 1
"""
_PARTS = f"""
    select trace_id, place, source_uri, position, reason, excerpt, spans from staged
    where of_spans and trace_id in ({SPLIT}) order by trace_id, place
"""  # noqa: S608 - put together from constants
_FIELDS = tuple(field.name for field in fields(Span))
_ROWS = 2000
_MEMORY = "1GB"


def whole_and_parts(parts: Iterable[Span | Trace | Reject], uri: str, options: ReadOptions) -> Iterator[Found]:
    """What one object holds: traces and rejects, each with its spans as JSON where it is put together from spans.

    A trace of which one span cannot be read is rejected whole, and has no spans.
    """
    spans: dict[str, list[Span]] = defaultdict(list)
    spoilt: dict[str, Reject] = {}
    for part in parts:
        if isinstance(part, Span):
            spans[part.trace_id].append(part)
        elif isinstance(part, Reject) and part.trace_id is not None:
            spoilt.setdefault(part.trace_id, part)
        else:
            yield part, None
    yield from ((reject, "[]") for reject in spoilt.values())
    for trace_id, group in spans.items():
        if trace_id not in spoilt:
            yield trace_of(group, uri, options), _packed(group)


def join_split(staged: ds.Dataset, options: ReadOptions) -> Iterator[tuple[str, Trace | Reject]]:
    """Every trace that lies in several objects, with the first of its places. One trace in memory at a time."""
    with TemporaryDirectory(prefix="judgefleet-") as spill, duckdb.connect() as db:
        db.execute(f"set memory_limit = '{_MEMORY}'")
        db.execute("set temp_directory = ?", [spill])
        db.register("staged", staged)
        rows = (row for batch in db.sql(_PARTS).to_arrow_reader(256) for row in batch.to_pylist())
        for _, group in groupby(rows, key=lambda row: row["trace_id"]):
            held = list(group)
            yield held[0]["place"], _joined(held, options)


def write_joined(rows: Iterable[Mapping[str, Any]], schema: pa.Schema, folder: Location) -> None:
    """Beside what was staged, some rows a file."""
    left, number = iter(rows), 0
    while held := list(islice(left, _ROWS)):
        write_table_atomic(folder, f"joined-{number:06d}.parquet", pa.Table.from_pylist(held, schema=schema))
        number += 1


def _joined(rows: list[dict[str, Any]], options: ReadOptions) -> Trace | Reject:
    spoilt = next((row for row in rows if row["spans"] == "[]"), None)
    if spoilt is not None:
        told = {name: spoilt[name] or "" for name in ("position", "reason", "excerpt")}
        return Reject(uri=spoilt["source_uri"], trace_id=spoilt["trace_id"], **told)
    spans = [span for row in rows for span in _unpacked(row["spans"])]
    return trace_of(spans, min(row["source_uri"] for row in rows), options)


def _packed(spans: Iterable[Span]) -> str:
    return json.dumps([_told(span) for span in spans], default=as_text_or_repr, check_circular=False)


def _told(span: Span) -> dict[str, Any]:
    """The fields as they are; ``asdict`` would copy all that is in them, which took a fifth of the reading."""
    events = [{"name": event.name, "attributes": dict(event.attributes)} for event in span.events]
    told = {name: getattr(span, name) for name in _FIELDS}
    return told | {"attributes": dict(span.attributes), "resource": dict(span.resource), "events": events}


def _unpacked(text: str) -> Iterator[Span]:
    for told in json.loads(text):
        events = tuple(SpanEvent(**event) for event in told.pop("events"))
        yield Span(**told, events=events)
