"""What an application says is the same trace, whichever convention its instrumentation speaks."""

import json
from typing import Any

import pytest

from judgefleet.trace import Message, ToolCall, Trace, Usage
from judgefleet.traces import ReadOptions, Reject, read_object
from judgefleet.traces.reader import recognise
from tests.judgefleet.dialect_spans import (
    ANSWERED,
    ASKED,
    FOUND,
    TRACE_ID,
    WRITTEN,
    document,
    phoenix_frame,
    phoenix_span,
)
from tests.judgefleet.otlp_wire import message


def one(data: bytes, **options: Any) -> Trace:
    [found] = read_object("x", data, options=ReadOptions(**options))
    assert isinstance(found, Trace), found
    return found


def check(found: Trace) -> None:
    assert found.trace_id == TRACE_ID
    assert found.messages == (
        Message(role="system", content="Answer from the context."),
        Message(role="user", content=ASKED),
    )
    assert (found.output, found.contexts) == (ANSWERED, (FOUND,))
    assert found.usage == Usage(input_tokens=21, output_tokens=9)
    assert found.tool_calls == (ToolCall(name="lookup", arguments='{"k":1}', result="2"),)
    assert (found.conversation_id, found.span_id) == ("s1", f"{4:016x}")
    assert found.latency.total_ms == 4000.0 - 3e-6


@pytest.mark.parametrize("name", WRITTEN)
@pytest.mark.parametrize("wire", ["json", "protobuf"])
def test_the_same_trace_in_every_convention(name: str, wire: str) -> None:
    written = document(*WRITTEN[name])
    check(one(json.dumps(written).encode() if wire == "json" else message(written).SerializeToString()))


@pytest.mark.parametrize("name", ["openinference", "mlflow"])
def test_a_chain_without_a_model_answers_with_its_root(name: str) -> None:
    spans, _ = WRITTEN[name]
    found = one(json.dumps(document(spans[:2], [])).encode())
    assert (found.output, found.contexts, found.span_id) == (ANSWERED, (FOUND,), f"{1:016x}")
    assert ASKED in found.messages[-1].content


def test_another_span_may_be_named_as_the_answer() -> None:
    data = json.dumps(document(*WRITTEN["openinference"])).encode()
    assert one(data, answer_span="chain").span_id == f"{1:016x}"
    [reject] = read_object("x", data, options=ReadOptions(answer_span="none"))
    assert isinstance(reject, Reject)
    assert reject.reason == "no span 'none' with an output (answer_span): 0 of 4 have the name"


def check_phoenix(found: Trace) -> None:
    assert (found.messages[-1].content, found.output, found.contexts) == (ASKED, ANSWERED, (FOUND,))
    assert found.usage == Usage(input_tokens=21, output_tokens=9)
    assert found.attributes["otel.status_code"] == "OK"
    assert found.started_at is not None
    assert f"{found.started_at:%F %T}" == "2026-11-22 07:16:39"
    assert found.latency.total_ms == 3999.997


def test_phoenix_rest() -> None:
    spans = [phoenix_span(number) for number in range(4)]
    for data in ({"data": spans, "next_cursor": None}, spans):
        body = json.dumps(data).encode()
        assert recognise("x", body) == "phoenix"
        check_phoenix(one(body))
    check_phoenix(one("\n".join(json.dumps(span) for span in spans).encode()))


def test_phoenix_rest_in_protobufs_names() -> None:
    spans = document(*WRITTEN["openinference"])["resourceSpans"][0]["scopeSpans"][0]["spans"]
    text = json.dumps({"data": spans})
    for camel, snake in (
        *(("traceId", "trace_id"), ("spanId", "span_id"), ("parentSpanId", "parent_span_id")),
        *(("startTimeUnixNano", "start_time_unix_nano"), ("endTimeUnixNano", "end_time_unix_nano")),
        *(("stringValue", "string_value"), ("intValue", "int_value"), ("doubleValue", "double_value")),
    ):
        text = text.replace(camel, snake)
    assert recognise("x", text.encode()) == "phoenix"
    check(one(text.encode()))


def test_phoenix_parquet() -> None:
    body = phoenix_frame().to_parquet()
    assert recognise("x", body) == "phoenix"
    found = one(body)
    check_phoenix(found)
    assert found.conversation_id == "s1"


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"context": {"trace_id": "abc", "span_id": "1"}}, "found context.trace_id 'abc'; 32 hex digits"),
        ({"context": {"trace_id": TRACE_ID, "span_id": "1"}}, "found context.span_id '1'; 16 hex digits"),
        ({"end_time": "2020-01-01"}, "the span ends (2020-01-01 00:00:00+00:00) before it starts"),
        ({"start_time": "soon"}, "found the time 'soon'"),
    ],
)
def test_bad_spans_of_phoenix(changed: dict[str, Any], reason: str) -> None:
    good = [phoenix_span(number) for number in range(4)]
    found = list(read_object("x", json.dumps({"data": [good[3] | changed, 7, *good]}).encode()))
    rejects = [item for item in found if isinstance(item, Reject)]
    assert any(reject.reason.startswith(reason) for reject in rejects), rejects
    assert any(reject.reason.startswith("found 7; a span of Phoenix belongs here") for reject in rejects)
