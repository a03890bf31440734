"""CSV as people and tools write it: a header, then rows; comma, semicolon, tab or bar; told apart by the header."""

import csv
import io
import re
from collections.abc import Iterator

from judgefleet.traces.content import Content, Record
from judgefleet.traces.reject import Reject, shown

_DELIMITERS = ",;\t|"
# The name of a column is short and has no control characters; a name may hold blanks ("trace id").
_NAME = re.compile(r"[^\x00-\x1f\x7f{}\[\]<>]{1,200}")
_LONGEST_HEADER = 1 << 20


def header_of(content: Content) -> tuple[str, ...]:
    """The names of the columns; none where the content does not begin as CSV does.

    >>> header_of(Content(uri="u", data=b"\\xef\\xbb\\xbfid;question;output\\n1;a,b;c\\n"))
    ('id', 'question', 'output')
    """
    return _header(content)[0]


def csv_rows(content: Content) -> Iterator[Record | Reject]:
    """Each row as a mapping of text by column, "" left out; a reject for a row with another number of fields."""
    names, delimiter = _header(content)
    if not names:
        yield content.reject("object", "no header of CSV: the first row names the columns, two at least, each once")
        return
    # Of the process and not of a reader: never made smaller, so that no other reader is disturbed.
    csv.field_size_limit(max(csv.field_size_limit(), content.options.max_text))
    reader = csv.reader(io.StringIO(content.text, newline=""), delimiter=delimiter)
    try:
        next(reader)
        for number, fields in enumerate(reader, start=1):
            if fields:
                yield _row(content, names, fields, number)
    except csv.Error as error:
        yield content.reject(f"line {reader.line_num} and after", f"not CSV: {error}")


def _row(content: Content, names: tuple[str, ...], fields: list[str], number: int) -> Record | Reject:
    if len(fields) != len(names):
        reason = f"found {len(fields)} fields; the header has {len(names)}: quote a field that holds the delimiter"
        return content.reject(f"row {number}", reason, text=shown(fields))
    given = {name: text for name, text in zip(names, fields, strict=True) if text != ""}
    return Record(position=f"row {number}", value=given)


def _header(content: Content) -> tuple[tuple[str, ...], str]:
    """Names and delimiter: the one of the usual delimiters that gives most columns."""
    line = content.data[:_LONGEST_HEADER].decode("utf-8", "surrogateescape").removeprefix("\ufeff").lstrip("\r\n")
    found = [(_names(line, delimiter), delimiter) for delimiter in _DELIMITERS if delimiter in line]
    return max(found, key=lambda pair: len(pair[0]), default=((), ","))


def _names(text: str, delimiter: str) -> tuple[str, ...]:
    try:
        fields = next(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [])
    except csv.Error:
        return ()
    names = tuple(field.strip() for field in fields)
    whole = len(names) > 1 and len(set(names)) == len(names) and all(_NAME.fullmatch(name) for name in names)
    return names if whole else ()
