"""OTLP messages behind their lengths, as the Collector's file exporter writes protobuf, and what it compresses.

Each message stands behind four bytes that say how long it is, and may be JSON or protobuf, packed or not
(https://github.com/open-telemetry/opentelemetry-collector-contrib, exporter/fileexporter).
"""

from collections.abc import Iterator
from dataclasses import replace

from judgefleet.trace import Trace
from judgefleet.traces import otlp_json, otlp_proto
from judgefleet.traces.content import Content, unpacked
from judgefleet.traces.otlp_wire import frames_in
from judgefleet.traces.reject import Reject, UnreadableError
from judgefleet.traces.span import Span
from judgefleet.traces.spans import whole_traces


def recognises(content: Content) -> bool:
    """Whether the first message, behind its length, is OTLP."""
    try:
        first = next(frames_in(content.data), b"")
    except UnreadableError:
        return False
    data, _ = unpacked(first, content.options.max_bytes)
    return otlp_proto.looks_like_otlp(data) or otlp_json.recognises(replace(content, data=data))


def read(content: Content) -> Iterator[Trace | Reject]:
    """One trace or reject a trace id, as ``whole_traces`` puts them together."""
    return whole_traces(read_spans(content), content)


def read_spans(content: Content) -> Iterator[Span | Reject]:
    """Spans as they stand in the object, and a reject for each that cannot be read."""
    number = 0
    try:
        for number, frame in enumerate(frames_in(content.data), start=1):
            yield from _message(content, frame, f"message {number}")
    except UnreadableError as error:
        yield content.reject(f"message {number + 1}", str(error))


def _message(content: Content, frame: bytes, at: str) -> Iterator[Span | Reject]:
    data, problem = unpacked(frame, content.options.max_bytes)
    if problem is not None:
        yield content.reject(at, f"only the beginning could be unpacked: {problem}")
    if otlp_proto.looks_like_otlp(data):
        yield from otlp_proto.read_message(content, data, f"{at}: ")
    elif data:
        yield from (_placed(item, at) for item in otlp_json.read_spans(replace(content, data=data)))


def _placed(item: Span | Reject, at: str) -> Span | Reject:
    return replace(item, position=f"{at}: {item.position}")
