"""What a trace may hold at most, whatever it was read from."""

from collections.abc import Iterator

from judgefleet.trace import Trace, texts_of
from judgefleet.traces.content import ReadOptions
from judgefleet.traces.reject import Reject, excerpt


def within(item: Trace | Reject, options: ReadOptions) -> Trace | Reject:
    """``item``, or a reject that names the field that is too large and its limit.

    >>> within(Trace(trace_id="t", output="long"), ReadOptions(max_text=3)).reason
    'output: found 4 characters; max_text is 3'
    """
    if isinstance(item, Reject):
        return item
    if (found := len(item.attributes)) > options.max_columns:
        return _rejected(item, f"found {found:,} attributes; max_columns is {options.max_columns:,}")
    if sum(map(len, texts_of(item))) <= options.max_text:
        return item  # as nearly all are
    for name, text in _texts(item):
        if len(text) > options.max_text:
            return _rejected(item, f"{name}: found {len(text):,} characters; max_text is {options.max_text:,}")
    return item


def _rejected(trace: Trace, reason: str) -> Reject:
    where, begins = trace.span_id or "trace", excerpt(trace.output or "")
    return Reject(uri=trace.source_uri or "", position=where, reason=reason, trace_id=trace.trace_id, excerpt=begins)


def _texts(trace: Trace) -> Iterator[tuple[str, str]]:
    yield "trace_id", trace.trace_id
    yield "output", trace.output or ""
    yield "reference", trace.reference or ""
    yield from (("messages", message.content) for message in trace.messages)
    yield from (("contexts", text) for text in trace.contexts)
    for call in trace.tool_calls:
        yield from (("tool_calls", text) for text in (call.name, call.arguments, call.result or ""))
    yield from (("attributes", name) for name in trace.attributes)
    yield from ((f"attributes.{name}", value) for name, value in trace.attributes.items())
