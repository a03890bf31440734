"""Parquet with the columns of TRACE_SCHEMA or of the plain form; other columns become attributes."""

from collections.abc import Iterator

from judgefleet.trace import Trace
from judgefleet.traces.content import Content
from judgefleet.traces.jsonl import read_record
from judgefleet.traces.reject import Reject
from judgefleet.traces.tables import is_parquet, parquet_rows


def recognises(content: Content) -> bool:
    """Whether the content begins with Parquet's magic bytes."""
    return is_parquet(content)


def read(content: Content) -> Iterator[Trace | Reject]:
    """One trace or reject a row; where a row group cannot be read, one reject for the rest of the object."""
    return (row if isinstance(row, Reject) else read_record(content, row) for row in parquet_rows(content))
