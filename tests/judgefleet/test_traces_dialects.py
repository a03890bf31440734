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


TURN, SAID = {"role": "user", "content": ASKED}, {"role": "assistant", "content": ANSWERED}
CUT = {"choices": [{"finish_reason": "length", "message": SAID}]}


def spoken(attributes: dict[str, Any], *events: tuple[str, dict[str, Any]]) -> Trace:
    return one(json.dumps(document([attributes], list(events))).encode())


@pytest.mark.parametrize(
    ("attributes", "events"),
    [
        ({"gen_ai.prompt.0.content": ASKED, "gen_ai.completion.0.content": ANSWERED}, []),
        ({"gen_ai.prompt": ASKED, "gen_ai.completion": json.dumps([SAID | {"finish_reason": "length"}])}, []),
        ({"gen_ai.prompt": ASKED, "gen_ai.completion": json.dumps(CUT)}, []),
        ({"gen_ai.operation.name": "chat"}, [{"message": json.dumps(SAID), "finish_reason": "length"}]),
        ({"gen_ai.operation.name": "chat"}, [{"content": ANSWERED, "finish_reason": "length"}]),
        ({"openinference.span.kind": "LLM", "input.value": ASKED, "output.value": json.dumps(CUT)}, []),
        (
            {
                "mlflow.spanType": '"LLM"',
                "mlflow.spanInputs": json.dumps([TURN]),
                "mlflow.spanOutputs": json.dumps(CUT),
            },
            [],
        ),
        (
            {
                "langfuse.observation.type": "generation",
                "langfuse.observation.input": ASKED,
                "langfuse.observation.output": json.dumps(CUT),
            },
            [],
        ),
    ],
)
def test_why_the_answer_ended(attributes: dict[str, Any], events: list[dict[str, Any]]) -> None:
    if "gen_ai.completion.0.content" in attributes:
        attributes = attributes | {"gen_ai.completion.0.finish_reason": "length"}
    asked = [("gen_ai.user.message", {"content": ASKED})] if events else []
    found = spoken(attributes, *asked, *(("gen_ai.choice", event) for event in events))
    assert (found.output, found.attributes["gen_ai.response.finish_reasons"]) == (ANSWERED, '["length"]')


GENERATION = {
    "langfuse.observation.type": "generation",
    "langfuse.observation.input": ASKED,
    "langfuse.observation.output": ANSWERED,
    "langfuse.observation.model.name": "small",
}
SMALL, SPENT, CACHED = "gen_ai.request.model", "gen_ai.usage.cost", "gen_ai.usage.cache_read.input_tokens"


@pytest.mark.parametrize(
    ("details", "expected"),
    [
        ('{"input": 0.1, "output": 0.2, "total": 0.3}', "0.3"),
        ('{"input": 0.25, "output": 0.5}', "0.75"),
        ('{"input": 0.25, "output": "free"}', '{"input":0.25,"output":"free"}'),
        ('{"total": -1}', "-1"),
        ("$0.3", "$0.3"),
        ("0.3", "0.3"),
        ("{}", None),
        ("", None),
    ],
)
def test_what_langfuses_sdk_says_it_cost(details: str, expected: str | None) -> None:
    found = spoken(GENERATION | {"langfuse.observation.cost_details": details})
    assert (found.attributes[SMALL], found.attributes.get(SPENT)) == ("small", expected)
    assert spoken(GENERATION | {SPENT: 7, SMALL: "mine"}).attributes.items() >= {SPENT: "7", SMALL: "mine"}.items()


@pytest.mark.parametrize(
    ("first", "expected"),
    [
        ("2026-11-22T07:16:39.500000Z", 500.0),
        ('"2026-11-22T07:16:39.500000+00:00"', 500.0),
        ("2026-11-22T07:16:38Z", None),
        ("soon", None),
        ("", None),
    ],
)
def test_the_first_token_that_langfuses_sdk_saw(first: str, expected: float | None) -> None:
    found = spoken(GENERATION | {"langfuse.observation.completion_start_time": first})
    assert found.latency.ttft_ms == (None if expected is None else pytest.approx(expected, abs=1e-3))


@pytest.mark.parametrize(
    ("details", "read", "written", "cached"),
    [
        ({"input": 200, "input_cached_tokens": 800, "output": 100, "total": 1100}, 1000, 100, "800"),
        ({"input": 200, "cache_read_input_tokens": 800, "output": 100}, 1000, 100, "800"),
        ({"input": 2, "input_cached_tokens": 5, "input_cache_creation": 3, "output": 1, "total": 11}, 10, 1, "5"),
        ({"input": 2, "output": 96, "output_reasoning_tokens": 310, "total": 408}, 2, 406, None),
        ({"input": 1000, "input_cached_tokens": 800, "output": 100, "total": 1100}, 1000, 100, "800"),
        ({"input": 9, "output": 4, "total": 13}, 9, 4, None),
        ({"input": 9}, 9, None, None),
        ({"prompt_tokens": 9, "completion_tokens": 4}, 9, 4, None),
        ({"input": "many", "output": 4}, None, 4, None),
        ([9, 4], None, None, None),
    ],
)
def test_parts_of_langfuses_tokens_are_counted_in(
    details: Any, read: int | None, written: int | None, cached: str | None
) -> None:
    found = spoken(GENERATION | {"langfuse.observation.usage_details": json.dumps(details)})
    assert found.usage == Usage(input_tokens=read, output_tokens=written)
    assert found.attributes.get(CACHED) == cached


def test_what_mlflow_says_of_a_call() -> None:
    usage = {"input_tokens": 1000, "output_tokens": 100, "total_tokens": 1100, "cache_read_input_tokens": 800}
    cost = {"input_cost": 0.1, "output_cost": 0.3, "total_cost": 0.4}
    told = {"mlflow.chat.tokenUsage": usage, "mlflow.llm.model": "small", "mlflow.llm.cost": cost}
    answer = {"mlflow.spanType": "LLM", "mlflow.spanInputs": ASKED, "mlflow.spanOutputs": ANSWERED}
    found = spoken({name: json.dumps(value) for name, value in (answer | told).items()})
    assert found.usage == Usage(input_tokens=1000, output_tokens=100)
    assert found.attributes.items() >= {SMALL: "small", CACHED: "800", SPENT: "0.4"}.items()


@pytest.mark.parametrize("kind", ["CHAIN", "AGENT"])
def test_tokens_of_a_root_that_answers_itself(kind: str) -> None:
    said = {"openinference.span.kind": kind, "input.value": ASKED, "output.value": ANSWERED}
    found = spoken(said | {"llm.token_count.prompt": 21, "llm.token_count.completion": 9})
    assert found.usage == Usage(input_tokens=21, output_tokens=9)


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
