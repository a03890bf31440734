"""Rows that are to be in an order and may be more than memory holds: sorted into files, and read file by file.

DuckDB sorts narrow rows in files of its own; rows with long texts it has to hold, and it gives up where it cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from itertools import pairwise
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
                order, runs = sorted_into(file_of(table), files)
                ranked = table.take(pa.array(order))
                del table
                for number, begin, end in runs:
                    writers[number].write_table(ranked.slice(begin, end - begin))
                del ranked
                give_back()
        for path in paths:
            with pa.OSFile(str(path)) as source:
                table = pa.ipc.open_stream(source).read_all()
            path.unlink()
            yield table


def sorted_into(files: npt.ArrayLike, count: int) -> tuple[npt.NDArray[np.intp], list[tuple[int, int, int]]]:
    """The order in which rows of one file, of 0 to ``count``, follow each other; and file, begin and end of each run.

    >>> order, runs = sorted_into([2, 0, 2], 3)
    >>> order.tolist(), runs
    ([1, 0, 2], [(0, 0, 1), (2, 1, 3)])
    """
    chosen = np.asarray(files)
    order = np.argsort(chosen, kind="stable")
    ends = np.searchsorted(chosen[order], np.arange(count + 1)).tolist()
    return order, [(file, *run) for file, run in enumerate(pairwise(ends)) if run[0] < run[1]]


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
