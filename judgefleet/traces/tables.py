"""Rows with named columns, whatever a table is written in: Parquet, CSV, a JSON list or JSON Lines."""

from collections.abc import Iterator, Mapping
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from judgefleet.traces.content import Content, Record
from judgefleet.traces.csv_rows import csv_rows, header_of
from judgefleet.traces.reject import Reject, UnreadableError

# Few, since a value that a dictionary holds once is whole in every row that is read.
_BATCH = 256
# What damaged pages make Arrow raise; KeyError and TypeError come from converting values of damaged types.
PARQUET_DAMAGE = (pa.ArrowException, OSError, ValueError, OverflowError, KeyError, TypeError, MemoryError)


def is_parquet(content: Content) -> bool:
    """Whether the content begins with Parquet's magic bytes."""
    return content.data.startswith(b"PAR1")


def is_json(content: Content) -> bool:
    """Whether the content begins as JSON does."""
    return content.data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")


def columns_of(content: Content) -> frozenset[str]:
    """The names of the columns: those of the schema, of the header or of the first JSON object; none without rows."""
    if is_parquet(content):
        try:
            return frozenset(map(str, _parquet(content).schema_arrow.names))
        except (*PARQUET_DAMAGE, UnreadableError):
            return frozenset()
    if is_json(content):
        first = content.first_record
        return frozenset(first) if isinstance(first, Mapping) else frozenset()
    return frozenset(header_of(content))


def rows_of(content: Content) -> Iterator[Record | Reject]:
    """Each row; ``value`` is a mapping for Parquet and CSV, and may be anything for JSON."""
    if is_parquet(content):
        return parquet_rows(content)
    return content.records() if is_json(content) else csv_rows(content)


def parquet_rows(content: Content) -> Iterator[Record | Reject]:
    """Each row as a mapping; where a row group cannot be read, one reject for the rest of the object."""
    done = 0
    try:
        for batch in _parquet(content).iter_batches(batch_size=_BATCH):
            columns = [_values(column) for column in batch.columns]
            for values in zip(*columns, strict=True):
                done += 1
                yield Record(position=f"row {done}", value=dict(zip(batch.schema.names, values, strict=True)))
    except UnreadableError as error:
        yield content.reject("object", str(error))
    except PARQUET_DAMAGE as error:
        where = "object" if not done else f"row {done + 1} and after"
        yield content.reject(where, f"Parquet cannot be read: {' '.join(str(error).split())}")


def _parquet(content: Content) -> pq.ParquetFile:
    """Raises UnreadableError where the footer promises more than the limits of the options allow."""
    file = pq.ParquetFile(pa.BufferReader(content.data))
    told, options = file.metadata, content.options
    size = sum(max(0, told.row_group(number).total_byte_size) for number in range(told.num_row_groups))
    for name, found, most in (
        ("max_rows", told.num_rows, options.max_rows),
        ("max_columns", told.num_columns, options.max_columns),
        ("max_bytes", size, options.max_bytes),
    ):
        if found > most:
            raise UnreadableError(f"the Parquet footer says {found:,}, more than {name} {most:,}; split the object")
    return file


def _values(column: pa.Array) -> list[Any]:
    """Python values; times to the microsecond, since Python has no finer ones."""
    if pa.types.is_timestamp(column.type):
        column = pc.cast(column, pa.timestamp("us", column.type.tz), safe=False)
    return list(column.to_pylist())
