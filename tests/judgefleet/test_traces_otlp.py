"""Spans of the OpenTelemetry GenAI conventions become traces, or rejects that say why not."""

import copy
import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from judgefleet.trace import Latency, Message, ToolCall, Trace, Usage
from judgefleet.traces import ReadOptions, Reject, read_object

DOCUMENT = json.loads((Path(__file__).parent / "data/otlp_support.json").read_text())
TRACE_ID = "0af7651916cd43dd8448eb211c80319c"
CHAT, RETRIEVAL, PLAN, TOOL, ROOT = range(5)
INPUT, OUTPUT = "gen_ai.input.messages", "gen_ai.output.messages"
Item = Trace | Reject


def read(*documents: Any, **options: Any) -> list[Item]:
    data = "\n".join(json.dumps(d) for d in documents).encode()
    return list(read_object("traces_1.json", data, options=ReadOptions(**options)))


def spans_of(document: Any) -> list[dict[str, Any]]:
    return [span for scope in document["resourceSpans"][0]["scopeSpans"] for span in scope["spans"]]


def changed(*changes: Callable[[list[dict[str, Any]]], object]) -> dict[str, Any]:
    """The document after changes to its spans."""
    document: dict[str, Any] = copy.deepcopy(DOCUMENT)
    for change in changes:
        change(spans_of(document))
    return document


def attribute(span: int, key: str, value: Any) -> Callable[[list[dict[str, Any]]], None]:
    """Sets an attribute (an OTLP value), or drops it where the value is None."""

    def change(spans: list[dict[str, Any]]) -> None:
        kept = [pair for pair in spans[span]["attributes"] if pair["key"] != key]
        spans[span]["attributes"] = kept + ([] if value is None else [{"key": key, "value": value}])

    return change


def field(span: int, key: str, value: Any) -> Callable[[list[dict[str, Any]]], None]:
    return lambda spans: spans[span].__setitem__(key, value)


def without(span: int) -> Callable[[list[dict[str, Any]]], None]:
    return lambda spans: spans[span]["attributes"].clear()


def text(value: str) -> dict[str, str]:
    return {"stringValue": value}


def one(items: Iterable[Item]) -> Trace:
    (item,) = items
    assert isinstance(item, Trace), item
    return item


def refused(items: Iterable[Item]) -> Reject:
    (item,) = items
    assert isinstance(item, Reject), item
    return item


def test_every_field_comes_from_where_the_decision_page_says() -> None:
    assert one(read(DOCUMENT)) == Trace(
        trace_id=TRACE_ID,
        span_id="b7ad6b7169203331",
        conversation_id="conv-9",
        started_at=datetime(2026, 11, 22, 6, 0, tzinfo=UTC),
        service="support",
        environment="lab",
        experiment="support-prompt",
        variant="B",
        messages=(
            Message(role="system", content="Be helpful."),
            Message(role="user", content="My parcel is eight days late."),
        ),
        output="I am sorry.\nWe send it again (SHP-2).",
        contexts=("Parcels late by seven days are sent again.", "Tracking is updated daily."),
        tool_calls=(ToolCall(name="find_order", arguments='{"order":44129}', result='{"state": "sent"}'),),
        usage=Usage(input_tokens=120, output_tokens=34),
        latency=Latency(ttft_ms=250.0, total_ms=1250.0),
        attributes={
            "gen_ai.agent.name": "support-bot",
            "gen_ai.provider.name": "vllm",
            "gen_ai.request.model": "small",
            "gen_ai.request.temperature": "0.7",
            "gen_ai.request.seed": "7",
            "gen_ai.response.finish_reasons": '["stop"]',
            "judgefleet.item_id": "late-1",
            "judgefleet.model_calls": '[{},{"input_tokens":120,"models":["small"],"output_tokens":34}]',
        },
        source_uri="traces_1.json",
    )


def test_the_layout_of_the_object_does_not_matter() -> None:
    spans = spans_of(DOCUMENT)
    resource = DOCUMENT["resourceSpans"][0]["resource"]
    apart = [{"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]} for span in reversed(spans)]
    twice = {"resourceSpans": DOCUMENT["resourceSpans"] * 2}
    older = {"resourceSpans": [{"resource": resource, "instrumentationLibrarySpans": [{"spans": spans}]}]}
    assert read(*apart) == read(twice) == read(older) == read(DOCUMENT)


def test_several_traces_in_one_object() -> None:
    other = changed(*(field(n, "traceId", "F" * 32) for n in range(5)))
    assert [item.trace_id for item in read(DOCUMENT, other)] == [TRACE_ID, "f" * 32]


STRUCTURED = {
    "arrayValue": {
        "values": [
            {
                "kvlistValue": {
                    "values": [
                        {"key": "role", "value": text("assistant")},
                        {
                            "key": "parts",
                            "value": {
                                "arrayValue": {
                                    "values": [
                                        {
                                            "kvlistValue": {
                                                "values": [
                                                    {"key": "type", "value": text("text")},
                                                    {"key": "content", "value": text("Structured.")},
                                                ]
                                            }
                                        }
                                    ]
                                }
                            },
                        },
                    ]
                }
            }
        ]
    }
}


@pytest.mark.parametrize(
    ("value", "output"),
    [
        (STRUCTURED, "Structured."),
        (text('[{"role":"assistant","content":"As OpenAI writes it."}]'), "As OpenAI writes it."),
        (text('{"role":"assistant","content":"one, no list"}'), "one, no list"),
        (text("[RET-1] plain text"), "[RET-1] plain text"),
        (text(""), ""),
        (text('[{"role":"assistant","parts":[{"type":"text","content":""}]}]'), ""),
        (text('[{"role":"assistant","parts":[]}]'), ""),
        (text('[{"role":"assistant","parts":[{"type":"tool_call","name":"f"}]}]'), ""),
        (text('[{"role":"assistant","content":"first"},{"role":"assistant","content":"second"}]'), "first"),
        (text('[{"role":"assistant","content":"<script>alert(1)</script>"}]'), "<script>alert(1)</script>"),
        (text(json.dumps([{"role": "assistant", "content": "long " * 400_000}])), "long " * 400_000),
    ],
)
def test_forms_of_an_answer(value: Any, output: str) -> None:
    trace = one(read(changed(attribute(CHAT, OUTPUT, value))))
    assert trace.output == output
    assert trace.span_id == "b7ad6b7169203331"


def test_tool_turns_are_shown_and_never_lost() -> None:
    turns = [
        {"role": "user", "parts": [{"type": "text", "content": "Hi"}, {"type": "blob", "mime_type": "image/png"}]},
        {"role": "assistant", "parts": [{"type": "tool_call", "name": "find", "arguments": {"order": 1}}]},
        {"role": "tool", "parts": [{"type": "tool_call_response", "id": "1", "response": "sent"}]},
    ]
    trace = one(read(changed(attribute(CHAT, INPUT, text(json.dumps(turns))))))
    assert [m.content for m in trace.messages[1:]] == ["Hi\n[blob image/png]", '[tool_call find {"order":1}]', "sent"]


def test_messages_on_an_event_of_the_span() -> None:
    pairs = [p for p in spans_of(DOCUMENT)[CHAT]["attributes"] if p["key"].endswith(("messages", "instructions"))]
    event = {"name": "gen_ai.client.inference.operation.details", "attributes": pairs}
    moved = changed(*(attribute(CHAT, p["key"], None) for p in pairs), field(CHAT, "events", [event]))
    assert one(read(moved)) == one(read(DOCUMENT))


@pytest.mark.parametrize("key", ["gen_ai.usage.input_tokens", "gen_ai.usage.prompt_tokens"])
@pytest.mark.parametrize("value", [{"intValue": 77}, {"intValue": "77"}, {"stringValue": "77"}, {"doubleValue": 77.0}])
def test_counts_in_any_spelling(key: str, value: Any) -> None:
    document = changed(attribute(CHAT, "gen_ai.usage.input_tokens", None), attribute(CHAT, key, value))
    assert one(read(document)).usage.input_tokens == 77


@pytest.mark.parametrize("value", [text("many"), {"intValue": "-3"}, {"doubleValue": "NaN"}, {"boolValue": True}])
def test_a_count_that_is_none_stays_an_attribute(value: Any) -> None:
    trace = one(read(changed(attribute(CHAT, "gen_ai.usage.input_tokens", value))))
    assert trace.usage.input_tokens is None
    assert "gen_ai.usage.input_tokens" in trace.attributes


def test_variant_and_experiment_by_other_names() -> None:
    document = changed(attribute(ROOT, "arm", text("C")), attribute(CHAT, "trial", text("t")))
    trace = one(read(document, variant_attribute="arm", experiment_attribute="trial"))
    assert (trace.variant, trace.experiment) == ("C", "t")
    assert not {"arm", "trial"} & set(trace.attributes)


def test_a_flag_evaluated_in_an_event_of_the_root() -> None:
    event = {"name": "feature_flag.evaluation", "attributes": [{"key": "feature_flag.variant", "value": text("A")}]}
    document = changed(attribute(ROOT, "feature_flag.result.variant", None), field(ROOT, "events", [event]))
    assert one(read(document)).variant == "A"


def test_a_root_in_another_object() -> None:
    document = changed(lambda spans: spans[ROOT].update(parentSpanId="9999999999999999"))
    assert one(read(document)).variant == "B"
    alone = copy.deepcopy(DOCUMENT)
    alone["resourceSpans"][0]["scopeSpans"].pop()
    trace = one(read(alone))
    assert (trace.variant, trace.output) == (None, "I am sorry.\nWe send it again (SHP-2).")


def test_spans_without_times() -> None:
    timeless = changed(*(field(n, key, 0) for n in range(5) for key in ("startTimeUnixNano", "endTimeUnixNano")))
    trace = one(read(timeless))
    assert (trace.started_at, trace.latency.total_ms) == (None, None)


def test_no_spans_is_no_trace_and_no_reject() -> None:
    assert read({"resourceSpans": []}) == read({"resourceSpans": [{"scopeSpans": [{}]}]}) == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (field(ROOT, "startTimeUnixNano", "soon"), "found startTimeUnixNano 'soon'; nanoseconds since 1970"),
        (field(TOOL, "endTimeUnixNano", -5), "found endTimeUnixNano -5"),
        (field(TOOL, "endTimeUnixNano", "9" * 40), "found endTimeUnixNano '999"),
        (field(TOOL, "endTimeUnixNano", True), "found endTimeUnixNano True"),
        (field(CHAT, "endTimeUnixNano", 1), "the span ends (1) before it starts"),
        (field(ROOT, "spanId", "xyz"), "found spanId 'xyz'; 16 hex digits"),
        (field(ROOT, "spanId", "0" * 16), "not all zero"),
        (field(TOOL, "parentSpanId", 7), "found parentSpanId 7"),
        (field(ROOT, "attributes", "none"), "found attributes 'none'; a list belongs here"),
        (field(ROOT, "attributes", [{"k": 1}]), "found the attribute {'k': 1}"),
        (field(ROOT, "events", [1]), "found the event 1"),
        (without(CHAT), "no chat span"),
        (attribute(CHAT, INPUT, None), "no question: gen_ai.input.messages has no user turn"),
        (attribute(CHAT, INPUT, text("[]")), "no question"),
        (attribute(CHAT, INPUT, text('[{"role":"user"}]')), "gen_ai.input.messages[0] has no content"),
        (attribute(CHAT, INPUT, text('[{"parts":[]}]')), "a message with a role belongs here"),
        (attribute(CHAT, INPUT, {"intValue": 3}), "found gen_ai.input.messages 3; a list of messages"),
        (attribute(CHAT, INPUT, text('[{"role":"user","parts":[{"ty')), "is not JSON: Unterminated string"),
        (attribute(CHAT, OUTPUT, text('[{"role":"assistant","content":3}]')), "content 3; text belongs here"),
        (attribute(CHAT, OUTPUT, {"boolValue": True}), "found gen_ai.output.messages True"),
        (attribute(RETRIEVAL, "gen_ai.retrieval.documents", text('[{"id":"x"}]')), "found a document without text"),
    ],
)
def test_a_trace_with_one_unreadable_part_is_rejected_whole(change: Any, said: str) -> None:
    document = changed(change, without(PLAN))
    other = changed(*(field(n, "traceId", "1" * 32) for n in range(5)))
    spoilt, fine = sorted(read(document, other), key=lambda item: isinstance(item, Trace))
    assert isinstance(spoilt, Reject)
    assert said in spoilt.reason
    assert (spoilt.trace_id, fine.trace_id) == (TRACE_ID, "1" * 32)
    assert "spans[" in spoilt.position


def test_content_capture_that_is_off_is_named() -> None:
    document = changed(attribute(CHAT, OUTPUT, None), attribute(PLAN, OUTPUT, None))
    assert "switch the capture of message content on" in refused(read(document)).reason


@pytest.mark.parametrize("bad", [None, "", "abc", 12, "0" * 32, "Cvd2GRbNQ92ESOshHIAxnA==", ["x"]])
def test_a_span_without_a_trace_id_is_a_reject_of_its_own(bad: Any) -> None:
    reject, trace = read(changed(field(TOOL, "traceId", bad)))
    assert isinstance(reject, Reject)
    assert (reject.position, reject.trace_id) == ("resourceSpans[0].scopeSpans[1].spans[0]", None)
    assert "found traceId" in reject.reason
    assert isinstance(trace, Trace)
    assert trace.tool_calls == ()


def test_a_uuid_is_a_trace_id() -> None:
    uuid = "0af76519-16cd-43dd-8448-eb211c80319c"
    assert one(read(changed(*(field(n, "traceId", uuid) for n in range(5))))).trace_id == TRACE_ID


@pytest.mark.parametrize(
    ("document", "position", "said"),
    [
        ({"resourceSpans": 3}, "resourceSpans", "found 3; a list belongs here"),
        ({"resourceSpans": [3]}, "resourceSpans[0]", "found 3; an object belongs here"),
        ({"resourceSpans": [{"scopeSpans": {}}]}, "resourceSpans[0].scopeSpans", "found {}; a list"),
        ({"resourceSpans": [{"scopeSpans": [[]]}]}, "resourceSpans[0].scopeSpans[0]", "found []; an object"),
        (
            {"resourceSpans": [{"scopeSpans": [{"spans": ["x"]}]}]},
            "resourceSpans[0].scopeSpans[0].spans[0]",
            "found 'x'",
        ),
        ({"resourceMetrics": []}, "document", "found resourceMetrics; an OTLP message with resourceSpans belongs here"),
    ],
)
def test_documents_that_are_not_shaped_like_otlp(document: Any, position: str, said: str) -> None:
    reject = refused(read(document))
    assert reject.position == position
    assert said in reject.reason


def test_a_truncated_document_is_one_reject() -> None:
    whole = json.dumps(DOCUMENT, indent=1).encode()
    reject = refused(read_object("o", whole[: len(whole) // 2], format="otlp_json"))
    assert (reject.position, reject.uri) == ("object", "o")
    assert reject.reason.startswith("not JSON: ")
    assert refused(read_object("o", whole[: len(whole) // 2])).position == "object"


def test_a_truncated_last_line_leaves_the_others() -> None:
    lines = "\n".join(json.dumps(changed(*(field(n, "traceId", str(d) * 32) for n in range(5)))) for d in (1, 2))
    trace, reject = sorted(read_object("o", lines[:-40].encode()), key=lambda item: isinstance(item, Reject))
    assert (trace.trace_id, reject.position) == ("1" * 32, "line 2")  # type: ignore[union-attr]
