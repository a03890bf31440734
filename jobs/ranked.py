"""Which copy each trace of an input is, and when its group began: what a plan has to know of all at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.dataset as ds

from jobs.database import execute, in_parts
from jobs.joined import SPLIT

if TYPE_CHECKING:
    import duckdb

# What is read of each trace; a plan that weighs reads more (``jobs.draw.WEIGHED``).
_COLUMNS = ("place", "decision", "trace_id", "span_id", "group_key", "content_hash", "started_at")
# What was put together again stands for its parts.
_WHOLE = "of_spans is not true or trace_id not in (from split)"
_SPLIT = f"create temp table split as {SPLIT}"
_INTAKE = f"create temp view intake as select * exclude (of_spans, spans) from staged where {_WHOLE}"  # noqa: S608
_NARROW = f"create temp table narrow as select * exclude of_spans from given where {_WHOLE}"  # noqa: S608
# The first of several with one id is kept. Copies are counted; one that differs is a reject, never a second trace.
_NAME = "case when decision = 'rejected' then place else trace_id end"
_COPIES = f"""
    select *, row_number() over w as copy, first_value(content_hash) over w as first_hash
    from narrow where hash({_NAME}) % {{parts}} = {{part}}
    window w as (partition by decision = 'rejected', {_NAME}, span_id order by place)
"""  # noqa: S608 - put together from constants
_RANKED = """
    select *, min(started_at) over (partition by group_key) as group_start
    from copies where hash(group_key) % {parts} = {part}
"""
_ROWS_READ = 16_384


def rank(db: duckdb.DuckDBPyConnection, staged: ds.Dataset, more: tuple[str, ...] = ()) -> None:
    """Make ``ranked``: one row for each that was staged, with the columns ``more``, ``copy`` (1 for the one that is
    kept), ``first_hash`` (of that one's content) and ``group_start``; and ``intake``, with all columns."""
    db.register("staged", staged)
    execute(db, _SPLIT)
    execute(db, _INTAKE)
    # Read by DuckDB itself, a hundred megabytes would be ahead of it.
    names = list(dict.fromkeys([*_COLUMNS, *more, "of_spans"]))
    batches = staged.to_batches(columns=names, batch_size=_ROWS_READ, use_threads=False, fragment_readahead=1)
    schema = pa.schema([staged.schema.field(name) for name in names])
    db.register("given", pa.RecordBatchReader.from_batches(schema, (batch.select(names) for batch in batches)))
    db.execute(_NARROW)  # once: what it reads is gone then
    for table, query, source in (("copies", _COPIES, "narrow"), ("ranked", _RANKED, "copies")):
        in_parts(db, table, query, source)
        execute(db, f"drop table {source}")
