"""Rows that are to be in an order and may be more than memory holds: sorted into files, and read file by file.

DuckDB sorts narrow rows in files of its own; rows with long texts it has to hold, and it gives up where it cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from judgefleet.memory import give_back

if TYPE_CHECKING:
    import duckdb

# Files that are open at a time, and rows that one is worth: with texts of 16 MB, these are a GB.
_MOST_FILES, _ROWS_A_FILE = 256, 64
_HELD = 1 << 24
_THREADS = 2
T = TypeVar("T")
# From 64 MiB to 16 GiB.
_DOUBLINGS = 8
_PACKED = pa.ipc.IpcWriteOptions(compression="lz4")


@contextmanager
def database(memory: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB with so much memory; beyond it, it goes on in files. Times are in UTC."""
    import duckdb  # not where nothing is ordered: workers and the loop never do

    with TemporaryDirectory(prefix="judgefleet-") as folder, duckdb.connect() as db:
        db.execute("set timezone = 'UTC'")
        db.execute(f"set memory_limit = '{memory}'")
        # Each has buffers of its own, which no file can take: a window over a million rows that two threads manage with
        # 64 MB is too much for four.
        db.execute(f"set threads = {_THREADS}")
        db.execute("set temp_directory = ?", [folder])
        yield db


def execute(db: duckdb.DuckDBPyConnection, statement: str) -> duckdb.DuckDBPyConnection:
    """As ``db.execute``; where its memory is not enough for a statement, that gets twice as much, and more after that.

    Nothing that it reads may be gone after a first try.
    """
    return _with_enough(db, lambda: db.execute(statement))


def table_of(db: duckdb.DuckDBPyConnection, query: str) -> pa.Table:
    """What ``query`` finds, with memory as for ``execute``."""
    return _with_enough(db, lambda: db.sql(query).to_arrow_table())


def _with_enough(db: duckdb.DuckDBPyConnection, work: Callable[[], T]) -> T:
    import duckdb

    for _ in range(_DOUBLINGS):
        try:
            return work()
        except duckdb.OutOfMemoryException:
            [limit] = db.execute("select current_setting('memory_limit')").fetchone() or ()
            amount, unit = limit.split()
            db.execute(f"set memory_limit = '{2 * float(amount)} {unit}'")
    return work()


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
    with TemporaryDirectory(prefix="judgefleet-") as folder:
        paths = [Path(folder, f"{number}.arrow") for number in range(files)]
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
