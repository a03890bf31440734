"""OTLP in protobuf gives what the same spans in JSON give; damage costs what it hits and no more."""

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.trace.v1.trace_pb2 import TracesData

from judgefleet.trace import Trace
from judgefleet.traces import Reject, read_object
from judgefleet.traces.reader import recognise
from tests.judgefleet.otlp_wire import framed, message

DOCUMENT = json.loads((Path(__file__).parent / "data/otlp_support.json").read_text())
[EXPECTED] = read_object("x", json.dumps(DOCUMENT).encode())


def many(count: int) -> TracesData:
    """The support trace so many times, each under an id and a resource of its own."""
    found = TracesData()
    for number in range(count):
        group = found.resource_spans.add()
        group.CopyFrom(message(DOCUMENT).resource_spans[0])
        for span in (span for scope in group.scope_spans for span in scope.spans):
            span.trace_id = (number + 1).to_bytes(16, "big")
    return found


def read(data: bytes) -> tuple[list[Trace], list[Reject]]:
    items = list(read_object("x", data))
    return [i for i in items if isinstance(i, Trace)], [i for i in items if isinstance(i, Reject)]


def zstd(data: bytes) -> bytes:
    return bytes(pa.Codec("zstd").compress(data, asbytes=True))


DATA = message(DOCUMENT).SerializeToString()
JSON = json.dumps(DOCUMENT).encode()


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (DATA, "otlp_proto"),
        (gzip.compress(DATA), "otlp_proto"),
        (framed(DATA), "otlp_framed"),
        (zstd(framed(DATA)), "otlp_framed"),
        (framed(zstd(DATA)), "otlp_framed"),
        (framed(zstd(JSON)), "otlp_framed"),
        (framed(gzip.compress(DATA), b"", JSON), "otlp_framed"),
    ],
)
def test_the_same_trace_as_from_json(data: bytes, name: str) -> None:
    assert recognise("x", data) == name
    assert list(read_object("x", data)) == [EXPECTED]


def test_the_spans_of_a_trace_in_several_messages() -> None:
    parts = [TracesData() for _ in range(2)]
    spans = [span for scope in message(DOCUMENT).resource_spans[0].scope_spans for span in scope.spans]
    for number, span in enumerate(spans):
        group = parts[number % 2].resource_spans.add()
        group.resource.CopyFrom(message(DOCUMENT).resource_spans[0].resource)
        group.scope_spans.add().spans.add().CopyFrom(span)
    joined = [parts[0].SerializeToString() + parts[1].SerializeToString()]
    for data in (*joined, framed(*(part.SerializeToString() for part in parts))):
        assert list(read_object("x", data)) == [EXPECTED]


def test_values_are_those_of_json() -> None:
    values = [
        {"stringValue": "a"},
        {"boolValue": True},
        {"intValue": "-9007199254740993"},
        {"doubleValue": 0.5},
        {"bytesValue": "AAEC"},
        {"arrayValue": {"values": [{"intValue": "1"}, {}]}},
        {"kvlistValue": {"values": [{"key": "k", "value": {"stringValue": "v"}}]}},
    ]
    document = json.loads(json.dumps(DOCUMENT))
    chat = document["resourceSpans"][0]["scopeSpans"][0]["spans"][0]
    chat["attributes"] += [{"key": f"x{number}", "value": value} for number, value in enumerate(values)]
    chat["status"] = {"code": 2, "message": "late"}
    [expected] = read_object("x", json.dumps(document).encode())
    assert isinstance(expected, Trace)
    assert expected.attributes["x5"] == "[1,null]"
    assert list(read_object("x", message(document).SerializeToString())) == [expected]


def test_a_cut_keeps_what_stands_before_it() -> None:
    data = many(3).SerializeToString()
    traces, rejects = read(data[:-40])
    assert [trace.trace_id[-1] for trace in traces] == ["1", "2"]
    assert rejects[0].position == "resourceSpans"
    assert rejects[0].reason.startswith("cut off: ")
    assert {reject.trace_id for reject in rejects[1:]} == {f"{3:032x}"}


def test_a_damaged_span_costs_its_trace() -> None:
    data = many(3)
    before = data.SerializeToString()
    name = data.resource_spans[1].scope_spans[0].spans[0].name.encode()
    at = before.index(name, before.index((2).to_bytes(16, "big")))
    traces, [reject] = read(before[:at] + b"\xff" * len(name) + before[at + len(name) :])
    assert [trace.trace_id[-1] for trace in traces] == ["1", "3"]
    assert (reject.trace_id, reject.position) == (f"{2:032x}", "resourceSpans[1].scopeSpans[0].spans[0]")


def test_a_frame_longer_than_the_object() -> None:
    traces, [reject] = read(framed(DATA) + b"\x00\x00\xff\xff" + DATA)
    assert len(traces) == 1
    assert (reject.position, reject.reason.split(":")[0]) == ("message 2", "cut off")


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("trace_id", b"\x01" * 8, "found traceId '0101010101010101'; 16 bytes, not all zero, belong here"),
        ("span_id", bytes(8), "found spanId '0000000000000000'; 8 bytes, not all zero, belong here"),
        ("end_time_unix_nano", 1, "the span ends (1) before it starts"),
    ],
)
def test_bad_spans_are_rejected(field: str, value: Any, reason: str) -> None:
    data = many(2)
    setattr(data.resource_spans[0].scope_spans[0].spans[0], field, value)
    traces, rejects = read(data.SerializeToString())
    assert any(reason in reject.reason for reject in rejects)
    assert traces[-1].trace_id == f"{2:032x}"


def test_a_resource_that_cannot_be_read() -> None:
    data = DATA.replace(b"service.name", b"\xff" * 12)
    assert data != DATA
    assert all("the resource cannot be read" in reject.reason for reject in read(data)[1])


@settings(max_examples=300, deadline=None)
@given(at=st.integers(0, len(DATA) - 1), byte=st.integers(0, 255), keep=st.integers(0, len(DATA)))
def test_no_damage_raises(at: int, byte: int, keep: int) -> None:
    for data in (DATA, framed(DATA, DATA)):
        damaged = data[:at] + bytes([byte]) + data[at + 1 :]
        for item in read_object("x", damaged[:keep] or b"x"):
            assert isinstance(item, Trace | Reject)
