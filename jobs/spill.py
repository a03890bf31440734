"""Rows that are to be in an order and may be more than memory holds: sorted into files, and read file by file.

DuckDB sorts narrow rows in files of its own; rows with long texts it has to hold, and it gives up where it cannot.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from math import isqrt
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from judgefleet.errors import StoreError
from judgefleet.memory import give_back

if TYPE_CHECKING:
    import duckdb

# Files that are open at a time, and rows that one is worth: with texts of 16 MB, these are a GB.
_MOST_FILES, _ROWS_A_FILE = 256, 64
_HELD = 1 << 24
_THREADS = 2
T = TypeVar("T")
# From 64 MiB to 4 GiB.
_DOUBLINGS = 6
# A million rows in eleven parts, a hundred millions in a hundred.
_ROWS = 10_000
_PACKED = pa.ipc.IpcWriteOptions(compression="lz4")


@contextmanager
def working_folder() -> Iterator[Path]:
    """A folder that is gone at the end. Raises StoreError, with what to do, where there is no room in it."""
    with TemporaryDirectory(prefix="judgefleet-") as folder:
        try:
            yield Path(folder)
        except OSError as error:
            told = f"working files in {folder}: {error}; make room there, or name another folder in TMPDIR"
            raise StoreError(told) from error


@contextmanager
def database(memory: str) -> Iterator[duckdb.DuckDBPyConnection]:
    """DuckDB with so much memory; beyond it, it goes on in files. Times are in UTC."""
    import duckdb  # not where nothing is ordered: workers and the loop never do

    with working_folder() as folder, duckdb.connect() as db:
        db.execute("set timezone = 'UTC'")
        db.execute(f"set memory_limit = '{memory}'")
        # Each has buffers of its own, which no file can take: a window over a million rows that two threads manage with
        # 64 MB is too much for four.
        db.execute(f"set threads = {_THREADS}")
        db.execute("set temp_directory = ?", [str(folder)])
        yield db


def execute(db: duckdb.DuckDBPyConnection, statement: str) -> None:
    """Where DuckDB's memory is not enough for a statement, it has twice as much from then on, and more after that.

    Nothing that the statement reads may be gone after a first try.
    """
    _with_enough(db, lambda: db.execute(statement))


def table_of(db: duckdb.DuckDBPyConnection, query: str) -> pa.Table:
    """What ``query`` finds, with memory as for ``execute``."""
    return _with_enough(db, lambda: db.sql(query).to_arrow_table())


def in_parts(db: duckdb.DuckDBPyConnection, table: str, query: str, source: str) -> None:
    """Make ``table`` of what ``query`` finds for each ``{part}`` of ``{parts}``, so that no window looks at all rows of
    ``source``. Of more rows there are more parts, and larger ones: for each of them all rows are read."""
    [[rows]] = table_of(db, f"select count(*)::bigint from {source}").columns  # noqa: S608 - our own words
    parts = 1 + isqrt(rows.as_py() // _ROWS)
    for part in range(parts):
        head = f"insert into {table}" if part else f"create temp table {table} as"
        execute(db, f"{head} {query.format(parts=parts, part=part)}")


def _with_enough(db: duckdb.DuckDBPyConnection, work: Callable[[], T]) -> T:
    import duckdb

    for _ in range(_DOUBLINGS):
        try:
            return work()
        except duckdb.OutOfMemoryException as error:
            if "temp_directory" in str(error):  # the disk is full, and memory does not help
                raise
            [[limit]] = db.sql("select current_setting('memory_limit')").fetchall()
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
