"""Plain JSON: one trace a line, a list of traces or a single one, in our own keys or as an OpenAI chat log."""

from collections.abc import Iterator, Mapping

from judgefleet.trace import Trace
from judgefleet.traces.content import Content, Record
from judgefleet.traces.plain import trace_from_record
from judgefleet.traces.reject import Reject, UnreadableError, shown


def recognises(content: Content) -> bool:
    """Whether the content begins as JSON does; asked last, since other formats are JSON too."""
    return content.data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[")


def read(content: Content) -> Iterator[Trace | Reject]:
    """One trace or reject a record."""
    for record in content.records():
        yield record if isinstance(record, Reject) else read_record(content, record)


def read_record(content: Content, record: Record) -> Trace | Reject:
    """The trace in a record of the plain form, whatever it was written in."""
    value = record.value
    if not isinstance(value, Mapping):
        reason = f"found {shown(value)}; a trace is a JSON object"
        return content.reject(record.position, reason, text=record.text)
    try:
        return trace_from_record(content.options.renamed(value), content.uri)
    except UnreadableError as error:
        trace_id = value.get("trace_id") if isinstance(value.get("trace_id"), str) else None
        return content.reject(record.position, str(error), trace_id=trace_id, text=record.text or repr(value))
