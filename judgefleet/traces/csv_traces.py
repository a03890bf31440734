"""CSV with a header: the columns of the plain form, one trace a row; other columns become attributes."""

from collections.abc import Iterator

from judgefleet.trace import Trace
from judgefleet.traces.content import Content
from judgefleet.traces.csv_rows import csv_rows, header_of
from judgefleet.traces.jsonl import read_record
from judgefleet.traces.plain import is_plain
from judgefleet.traces.reject import Reject


def recognises(content: Content) -> bool:
    """Whether the first line is a header with a question and an answer among its columns."""
    names = header_of(content)
    return bool(names) and is_plain(content.options.renamed(dict.fromkeys(names, "")))


def read(content: Content) -> Iterator[Trace | Reject]:
    """One trace or reject a row. An empty field is not given, but an empty answer is a result."""
    answers = [name for name in header_of(content) if content.options.columns.get(name, name) == "output"]
    for row in csv_rows(content):
        if not isinstance(row, Reject):
            row.value.update({name: "" for name in answers if name not in row.value})
        yield row if isinstance(row, Reject) else read_record(content, row)
