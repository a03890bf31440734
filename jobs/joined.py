"""Traces whose spans lie in several objects of a batch: each object keeps its spans, and those of one trace are joined.

Objects are read beside each other and none knows of the others, so what has spans is staged with them. Which traces lie
in several objects is counted afterwards, and only those are put together again, one after the other.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from itertools import groupby, islice
from typing import Any, TypeAlias
from zlib import crc32

import pyarrow as pa
import pyarrow.dataset as ds

from jobs.database import database
from jobs.spill import by_file, files_for
from judgefleet.storage import Location, write_table_atomic
from judgefleet.trace import Trace
from judgefleet.traces.clean import safe
from judgefleet.traces.content import ReadOptions
from judgefleet.traces.packed import SPOILT, packed, unpacked
from judgefleet.traces.reject import Reject
from judgefleet.traces.span import Span
from judgefleet.traces.spans import trace_of

Part: TypeAlias = Span | Trace | Reject
Found: TypeAlias = tuple[Trace | Reject, bytes | None]
_TOLD = ("position", "reason", "excerpt")
_TEXTS = ("trace_id", "place", "source_uri", *_TOLD)
# What is kept of each trace that an object has spans of; ``place`` begins with the object's number.
SPANS_SCHEMA = pa.schema([*((name, pa.string()) for name in _TEXTS), ("spans", pa.binary()), ("of_spans", pa.bool_())])
# Of what was staged: the ids of traces that lie in several objects. The object is the first part of a place.
SPLIT = """
    select trace_id from staged where of_spans group by trace_id having count(distinct split_part(place, '-', 1)) > 1
"""
_ROWS = 2000
_MEMORY = "1GB"


@dataclass(frozen=True, kw_only=True, slots=True)
class Joined:
    """A trace from all its parts. ``place``: of the first of them; ``objects``: how many they lie in."""

    place: str
    objects: int
    found: Trace | Reject


def whole_and_parts(parts: Iterable[Part], uri: str, options: ReadOptions) -> Iterator[Found]:
    """What one object holds: traces and rejects, each with its spans as bytes where it is put together from spans.

    A trace of which one span cannot be read is rejected whole, and has no spans.
    """
    for found, spans in _grouped(parts):
        if not spans:
            yield found, None if spans is None else SPOILT
        else:
            yield trace_of(spans, uri, options), packed(spans)


def whole_and_rows(parts: Iterable[Part], uri: str, place: str) -> Iterator[Trace | Reject | dict[str, Any]]:
    """What one object holds: what is whole, and rows of SPANS_SCHEMA for what others may hold parts of."""
    for number, (found, spans) in enumerate(_grouped(parts)):
        if spans is None:
            yield found
            continue
        here = {"trace_id": found.trace_id, "place": f"{place}-{number:09d}", "source_uri": uri, "of_spans": True}
        told = {name: getattr(found, name) for name in _TOLD} if isinstance(found, Reject) else {}
        row = {name: safe(value) for name, value in here.items()}
        yield {**row, **told, "spans": packed(spans) if spans else SPOILT}


def _grouped(parts: Iterable[Part]) -> Iterator[tuple[Any, list[Span] | None]]:
    """What is whole, with None; a span of each trace, with all; a reject that spoils a trace, with an empty list."""
    spans: dict[str, list[Span]] = defaultdict(list)
    spoilt: dict[str, Reject] = {}
    for part in parts:
        if isinstance(part, Span):
            spans[part.trace_id].append(part)
        elif isinstance(part, Reject) and part.trace_id is not None:
            spoilt.setdefault(part.trace_id, part)
        else:
            yield part, None
    yield from ((reject, []) for reject in spoilt.values())
    yield from ((group[0], group) for trace_id, group in spans.items() if trace_id not in spoilt)


def join(staged: ds.Dataset, options: ReadOptions, *, only_split: bool = False) -> Iterator[Joined]:
    """Every trace of which spans were staged, or those that lie in several objects. Some traces in memory at a time."""
    with database(_MEMORY) as db:
        db.register("staged", staged)
        which = f"where of_spans and trace_id in ({SPLIT})" if only_split else "where of_spans"
        [(rows,)] = db.execute(f"select count(*) from staged {which}").fetchall()  # noqa: S608 - our own words
        if not rows:
            return
        reader = db.sql(f"select {', '.join(_TEXTS)}, spans from staged {which}").to_arrow_reader(256)  # noqa: S608
        for table in by_file(reader, reader.schema, files := files_for(rows), partial(_files_of, files=files)):
            yield from _of_file(table.sort_by([("trace_id", "ascending"), ("place", "ascending")]), options)


def _files_of(batch: pa.RecordBatch, files: int) -> list[int]:
    """All spans of a trace go to one file."""
    return [crc32(trace_id.encode()) % files for trace_id in batch["trace_id"].to_pylist()]


def _of_file(table: pa.Table, options: ReadOptions) -> Iterator[Joined]:
    rows = (row for batch in table.to_batches(256) for row in batch.to_pylist())
    for _, group in groupby(rows, key=lambda row: row["trace_id"]):
        held = list(group)
        objects = len({row["place"].partition("-")[0] for row in held})
        yield Joined(place=held[0]["place"], objects=objects, found=_joined(held, options))


def write_joined(rows: Iterable[Mapping[str, Any]], schema: pa.Schema, folder: Location) -> None:
    """Beside what was staged, some rows a file."""
    left, number = iter(rows), 0
    while held := list(islice(left, _ROWS)):
        write_table_atomic(folder, f"joined-{number:06d}.parquet", pa.Table.from_pylist(held, schema=schema))
        number += 1


def _joined(rows: list[dict[str, Any]], options: ReadOptions) -> Trace | Reject:
    spoilt = next((row for row in rows if row["spans"] == SPOILT), None)
    if spoilt is not None:
        told = {name: spoilt[name] or "" for name in _TOLD}
        return Reject(uri=spoilt["source_uri"], trace_id=spoilt["trace_id"], **told)
    spans = [span for row in rows for span in unpacked(row["spans"])]
    return trace_of(spans, min(row["source_uri"] for row in rows), options)
