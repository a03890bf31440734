"""DuckDB with little memory: what does not fit goes into files, and what cannot gets more."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import isqrt
from typing import TYPE_CHECKING, TypeVar

import pyarrow as pa

from jobs.working_folder import working_folder

if TYPE_CHECKING:
    import duckdb

_THREADS = 2
# From 64 MiB to 4 GiB.
_DOUBLINGS = 6
# A million rows in eleven parts, a hundred millions in a hundred.
_ROWS = 10_000
T = TypeVar("T")


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
