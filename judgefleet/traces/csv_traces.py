"""CSV with a header: the columns of the plain form, one trace a row; other columns become attributes."""

from collections.abc import Iterator

from judgefleet.trace import Trace
from judgefleet.traces.content import Content, ReadOptions
from judgefleet.traces.csv_rows import csv_rows, header_of
from judgefleet.traces.jsonl import read_record
from judgefleet.traces.plain import is_plain, names_of
from judgefleet.traces.reject import Reject
from judgefleet.traces.values import plain_value

_SHOWN = 12


def recognises(content: Content) -> bool:
    """Whether the first row is a header: names, two at least, each once."""
    return bool(header_of(content))


def read(content: Content) -> Iterator[Trace | Reject]:
    """One trace or reject a row. An empty field is not given, but an empty answer is a result.

    One reject for all of it where no column holds a question or none an answer, or one of the options is not there.
    """
    names = header_of(content)
    if names and (problem := _problem(names, content.options)):
        yield content.reject("object", problem, text=",".join(names))
        return
    columns = content.options.columns
    answers = [name for name in names if columns.get(name, name) == "output"]
    lists = [name for name in names if columns.get(name, name) in names_of("contexts")]
    for row in csv_rows(content):
        if not isinstance(row, Reject):
            row.value.update({name: "" for name in answers if name not in row.value})
            row.value.update(
                {name: plain_value(row.value[name]) for name in lists if row.value.get(name, "")[:1] == "["}
            )
        yield row if isinstance(row, Reject) else read_record(content, row)


def _problem(names: tuple[str, ...], options: ReadOptions) -> str | None:
    found = f"found the columns {', '.join(names[:_SHOWN])}{', ...' if len(names) > _SHOWN else ''}"
    missing = [name for name in options.columns if name not in names]
    if missing:
        return f"{found}; not {', '.join(missing)}, which input.read.columns names"
    if is_plain(options.renamed(dict.fromkeys(names, ""))):
        return None
    known = f"question ({', '.join(names_of('question'))}) and output ({', '.join(names_of('output'))})"
    return f"{found}; a table of traces has columns for {known}: name yours in input.read.columns, as NAME: question"
