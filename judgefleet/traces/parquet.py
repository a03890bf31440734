"""Parquet with the columns of TRACE_SCHEMA or of the plain form; other columns become attributes."""

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from judgefleet.trace import Trace
from judgefleet.traces.content import Content
from judgefleet.traces.plain import trace_from_record
from judgefleet.traces.reject import Reject, UnreadableError

_BATCH = 1024
# What damaged pages make Arrow raise; KeyError and TypeError come from converting values of damaged types.
_DAMAGE = (pa.ArrowException, OSError, ValueError, OverflowError, KeyError, TypeError, MemoryError)


def recognises(content: Content) -> bool:
    """Whether the content begins with Parquet's magic bytes."""
    return content.data.startswith(b"PAR1")


def read(content: Content) -> Iterator[Trace | Reject]:
    """One trace or reject a row; where a row group cannot be read, one reject for the rest of the object."""
    done = 0
    try:
        file = pq.ParquetFile(pa.BufferReader(content.data))
        for batch in file.iter_batches(batch_size=_BATCH):
            columns = [_values(column) for column in batch.columns]
            for values in zip(*columns, strict=True):
                done += 1
                yield _read_row(content, dict(zip(batch.schema.names, values, strict=True)), done)
    except _DAMAGE as error:
        where = "object" if not done else f"row {done + 1} and after"
        yield content.reject(where, f"Parquet cannot be read: {' '.join(str(error).split())}")


def _read_row(content: Content, row: Mapping[str, Any], number: int) -> Trace | Reject:
    try:
        return trace_from_record(row, content.uri)
    except UnreadableError as error:
        trace_id = row.get("trace_id") if isinstance(row.get("trace_id"), str) else None
        return content.reject(f"row {number}", str(error), trace_id=trace_id, text=repr(row))


def _values(column: pa.Array) -> list[Any]:
    """Python values; times to the microsecond, since Python has no finer ones."""
    if pa.types.is_timestamp(column.type):
        column = pc.cast(column, pa.timestamp("us", column.type.tz), safe=False)
    return list(column.to_pylist())
