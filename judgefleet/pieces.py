"""Many Parquet files of one schema, read a piece at a time: for stores that are larger than memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds

from judgefleet.memory import give_back
from judgefleet.storage import Location, ObjectInfo, explained, open_location

# A piece holds the rows of so many files, and no more rows than that by much. Arrow remembers something of each file
# for as long as their dataset is there, and a batch of every file takes more memory in wrapping than in rows.
_FILES = 256
_ROWS, _BYTES = 16_384, 1 << 26


def pieces(
    store: Location,
    files: Sequence[ObjectInfo],
    schema: pa.Schema,
    columns: list[str],
    mine: ds.Expression | None = None,
    partitioning: Any = None,
) -> Iterator[pa.Table]:
    """The rows of ``files`` that ``mine`` is true for, in their order, as tables of one chunk a column; none is empty.

    Raises ConfigError or StoreError, as ``judgefleet.storage.explained`` tells them apart, when a file cannot be read.
    """
    for at in range(0, len(files), _FILES):
        paths = [open_location(info.uri).path for info in files[at : at + _FILES]]
        with explained("read", store):
            found = ds.dataset(paths, schema=schema, format="parquet", filesystem=store.fs, partitioning=partitioning)
            # Kept for a second time, the footers of ten thousand files are more than a gigabyte; with threads, batches
            # are read ahead of a slower consumer until all are held; and a distant store is waited for less often
            # where more files are asked for at a time.
            batches = found.to_batches(
                columns=columns, filter=mine, cache_metadata=False, use_threads=False, fragment_readahead=16
            )
            yield from _joined(batches)
        if len(paths) == _FILES:
            give_back()


def _joined(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.Table]:
    held: list[pa.RecordBatch] = []
    for batch in batches:
        held += [batch] * bool(len(batch))
        if sum(map(len, held)) >= _ROWS or sum(b.nbytes for b in held) >= _BYTES:
            yield pa.Table.from_batches(held).combine_chunks()
            held = []
    if held:
        yield pa.Table.from_batches(held).combine_chunks()


def one_table(found: Iterable[pa.Table], schema: pa.Schema, columns: list[str]) -> pa.Table:
    """All of ``found``; where that is nothing, no rows of ``columns``."""
    tables = list(found)
    return pa.concat_tables(tables) if tables else schema.empty_table().select(columns)


def one_of_each(table: pa.Table, key: str, which: str) -> pa.Table:
    """Of the rows that share a ``key`` the first (``which``: min) or the last (max)."""
    numbered = table.append_column("_row", pa.array(np.arange(table.num_rows)))
    chosen = numbered.group_by(key).aggregate([("_row", which)])[f"_row_{which}"].combine_chunks()
    # Groups come in any order; the rows stay in their own.
    return table if len(chosen) == table.num_rows else table.take(chosen.sort())


def without(table: pa.Table, column: str, values: pa.ChunkedArray) -> pa.Table:
    """The rows whose ``column`` is none of ``values``."""
    return table.filter(pc.invert(pc.is_in(table[column], values.combine_chunks()))) if len(values) else table


def is_one_of(column: str, values: list[str]) -> ds.Expression:
    """Whether a text column has one of ``values``."""
    # Of an empty list Arrow would guess a type that no column has.
    return ds.field(column).isin(pa.array(values, pa.string()))
