"""Rows that are to be in an order and may be more than memory holds: sorted into files, and read file by file.

DuckDB sorts narrow rows in files of its own; rows with long texts it has to hold, and it gives up where it cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from jobs.working_folder import working_folder
from judgefleet.memory import give_back

# Files that are open at a time, and rows that one is worth: with texts of 16 MB, these are a GB.
_MOST_FILES, _ROWS_A_FILE = 256, 64
_HELD = 1 << 24
_PACKED = pa.ipc.IpcWriteOptions(compression="lz4")


def files_for(rows: int) -> int:
    """How many files ``rows`` are sorted into.

    >>> files_for(10), files_for(6_400), files_for(10**9)
    (1, 100, 256)
    """
    return max(1, min(rows // _ROWS_A_FILE, _MOST_FILES))


def by_file(
    batches: Iterable[pa.RecordBatch], schema: pa.Schema, files: int, file_of: Callable[[pa.Table], Any]
) -> Iterator[pa.Table]:
    """The rows of ``batches`` (of ``schema``), those of one file in one table, file after file.

    ``file_of``: the file of each row of a table, from 0 on.
    """
    with working_folder() as folder:
        paths = [folder / f"{number}.arrow" for number in range(files)]
        with ExitStack() as stack:
            writers = [stack.enter_context(pa.ipc.new_stream(path, schema, options=_PACKED)) for path in paths]
            for table in _some(batches):
                ranked, chosen = _ranked(table, file_of)
                del table
                ends = np.searchsorted(chosen, np.arange(files + 1))
                for writer, begin, end in zip(writers, ends[:-1], ends[1:], strict=True):
                    if begin < end:
                        writer.write_table(ranked.slice(begin, end - begin))
                del ranked
                give_back()
        for path in paths:
            with pa.OSFile(str(path)) as source:
                table = pa.ipc.open_stream(source).read_all()
            path.unlink()
            yield table


def _ranked(table: pa.Table, file_of: Callable[[pa.Table], Any]) -> tuple[pa.Table, npt.NDArray[np.integer[Any]]]:
    """The rows sorted by file, and the file of each."""
    chosen = np.asarray(file_of(table))
    order = np.argsort(chosen, kind="stable")
    return table.take(pa.array(order)), chosen[order]


def _some(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Many small batches as few larger ones: what is written of each to a file should not be a row or two."""
    held: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        held.append(batch)
        size += batch.nbytes
        if size >= _HELD:
            yield _one(held)
            size = 0
    if held:
        yield _one(held)


def _one(batches: list[pa.RecordBatch]) -> pa.Table:
    """All of them; the list is empty afterwards."""
    table = pa.Table.from_batches(batches)
    batches.clear()
    return table
