"""One exchange in every convention: a root, a retrieval, a tool call and an answer, as OTLP/JSON."""

import json
from typing import Any

import pandas as pd

Attributes = dict[str, Any]
TRACE_ID = "45938294d10fc4f864b7e311a910bba4"
ASKED, ANSWERED, FOUND = "Refund window?", "30 days.", "Refunds within 30 days."
_SYSTEM = "Answer from the context."
_USER, _ASSISTANT = {"role": "user", "content": ASKED}, {"role": "assistant", "content": ANSWERED}
_TURNS = [{"role": "system", "content": _SYSTEM}, _USER]

# Root, retrieval, tool and answer of each, in this order; events of the answer last.
OPENINFERENCE: list[Attributes] = [
    {"openinference.span.kind": "CHAIN", "session.id": "s1", "input.value": ASKED, "output.value": ANSWERED},
    {
        "openinference.span.kind": "RETRIEVER",
        "retrieval.documents.0.document.id": "d1",
        "retrieval.documents.0.document.content": FOUND,
        "retrieval.documents.0.document.score": 0.9,
        "retrieval.documents.1.document.id": "d2",
    },
    {"openinference.span.kind": "TOOL", "tool.name": "lookup", "input.value": '{"k":1}', "output.value": "2"},
    {
        "openinference.span.kind": "LLM",
        "llm.input_messages.0.message.role": "system",
        "llm.input_messages.0.message.content": _SYSTEM,
        "llm.input_messages.1.message.role": "user",
        "llm.input_messages.1.message.contents.0.message_content.type": "text",
        "llm.input_messages.1.message.contents.0.message_content.text": ASKED,
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.content": ANSWERED,
        "llm.token_count.prompt": 21,
        "llm.token_count.completion": 9,
    },
]
_MLFLOW: list[Attributes] = [
    {"mlflow.spanType": "CHAIN", "mlflow.spanInputs": {"q": ASKED}, "mlflow.spanOutputs": ANSWERED},
    {"mlflow.spanType": "RETRIEVER", "mlflow.spanOutputs": [{"page_content": FOUND, "metadata": {"id": "d1"}}]},
    {"mlflow.spanType": "TOOL", "mlflow.spanInputs": {"k": 1}, "mlflow.spanOutputs": 2},
    {
        "mlflow.spanType": "CHAT_MODEL",
        "mlflow.spanInputs": {"model": "m", "messages": _TURNS},
        "mlflow.spanOutputs": {"choices": [{"index": 0, "message": _ASSISTANT}]},
        "mlflow.chat.tokenUsage": {"input_tokens": 21, "output_tokens": 9, "total_tokens": 30},
    },
]
MLFLOW: list[Attributes] = [
    {key: json.dumps(value) for key, value in span.items()} | ({"session.id": "s1"} if number == 0 else {})
    for number, span in enumerate(_MLFLOW)
]
LANGFUSE_SDK: list[Attributes] = [
    {"langfuse.observation.type": "span", "session.id": "s1", "langfuse.observation.input": ASKED},
    {"langfuse.observation.type": "retriever", "langfuse.observation.output": json.dumps([FOUND])},
    {
        "langfuse.observation.type": "tool",
        "langfuse.observation.input": '{"k":1}',
        "langfuse.observation.output": "2",
    },
    {
        "langfuse.observation.type": "generation",
        "langfuse.observation.input": json.dumps(_TURNS),
        "langfuse.observation.output": json.dumps(_ASSISTANT),
        "langfuse.observation.usage_details": '{"input": 21, "output": 9}',
    },
]
_PLAIN: list[Attributes] = [
    {"session.id": "s1"},
    {"gen_ai.operation.name": "retrieval", "gen_ai.retrieval.documents": json.dumps([{"content": FOUND}])},
    {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.call.arguments": '{"k":1}',
        "gen_ai.tool.call.result": "2",
    },
]
_TOKENS = {"gen_ai.usage.prompt_tokens": 21, "gen_ai.usage.completion_tokens": 9}
INDEXED: list[Attributes] = [
    *_PLAIN,
    {
        "gen_ai.prompt.0.role": "system",
        "gen_ai.prompt.0.content": _SYSTEM,
        "gen_ai.prompt.1.role": "user",
        "gen_ai.prompt.1.content": ASKED,
        "gen_ai.completion.0.role": "assistant",
        "gen_ai.completion.0.content": ANSWERED,
        **_TOKENS,
    },
]
JSON_TEXT: list[Attributes] = [
    *_PLAIN,
    {"gen_ai.prompt": json.dumps(_TURNS), "gen_ai.completion": json.dumps([_ASSISTANT]), **_TOKENS},
]
_CALLED = {"gen_ai.operation.name": "chat", **_TOKENS}
_EVENTS: list[tuple[str, Attributes]] = [
    ("gen_ai.system.message", {"content": _SYSTEM}),
    ("gen_ai.user.message", {"content": ASKED}),
    ("gen_ai.choice", {"index": 0, "message": json.dumps(_ASSISTANT)}),
]
_CONTENT_EVENTS: list[tuple[str, Attributes]] = [
    ("gen_ai.content.prompt", {"gen_ai.prompt": json.dumps(_TURNS)}),
    ("gen_ai.content.completion", {"gen_ai.completion": json.dumps([_ASSISTANT])}),
]
WRITTEN: dict[str, tuple[list[Attributes], list[tuple[str, Attributes]]]] = {
    "openinference": (OPENINFERENCE, []),
    "mlflow": (MLFLOW, []),
    "langfuse sdk": (LANGFUSE_SDK, []),
    "indexed": (INDEXED, []),
    "json text": (JSON_TEXT, []),
    "message events": ([*_PLAIN, _CALLED], _EVENTS),
    "content events": ([*_PLAIN, _CALLED], _CONTENT_EVENTS),
}


def document(spans: list[Attributes], events: list[tuple[str, Attributes]]) -> dict[str, Any]:
    """The spans under one root, a second apart; ``events`` on the last."""
    written = [
        {
            "traceId": TRACE_ID,
            "spanId": f"{number + 1:016x}",
            **({"parentSpanId": f"{1:016x}"} if number else {}),
            "name": ("chain", "retrieve", "lookup", "llm")[number],
            "startTimeUnixNano": str(1_795_331_799_000_000_000 + number),
            "endTimeUnixNano": str(1_795_331_800_000_000_000 + number * 10**9),
            "attributes": _pairs(attributes),
        }
        for number, attributes in enumerate(spans)
    ]
    written[-1]["events"] = [{"name": name, "attributes": _pairs(attributes)} for name, attributes in events]
    return {"resourceSpans": [{"scopeSpans": [{"spans": written}]}]}


def spans_of(number: int) -> list[dict[str, Any]]:
    """A trace of four spans in one of the conventions, a conversation of its own."""
    text = json.dumps(document(*list(WRITTEN.values())[number % len(WRITTEN)]))
    found = json.loads(text.replace(TRACE_ID, f"{number + 1:032x}").replace('"s1"', f'"s{number}"'))
    spans: list[dict[str, Any]] = found["resourceSpans"][0]["scopeSpans"][0]["spans"]
    return spans


def phoenix_span(number: int) -> dict[str, Any]:
    """A span of OPENINFERENCE as Phoenix's REST interface gives it."""
    return {
        "name": ("chain", "retrieve", "lookup", "llm")[number],
        "context": {"trace_id": TRACE_ID, "span_id": f"{number + 1:016x}"},
        "span_kind": OPENINFERENCE[number]["openinference.span.kind"],
        "parent_id": f"{1:016x}" if number else None,
        "start_time": f"2026-11-22T07:16:39.00000{number}+00:00",
        "end_time": f"2026-11-22T07:16:4{number}+00:00",
        "status_code": "OK",
        "attributes": OPENINFERENCE[number],
    }


def phoenix_frame() -> pd.DataFrame:
    """The spans as Phoenix's data frame: lists are nested there, and ``context`` is two columns."""
    nested: list[Attributes] = [
        {"input.value": ASKED, "output.value": ANSWERED, "session.id": "s1"},
        {"retrieval.documents": [{"document.content": FOUND, "document.score": 0.9}]},
        {"tool.name": "lookup"},
        {
            "llm.input_messages": [{"message": {"role": "user", "content": ASKED}}],
            "llm.output_messages": [{"message.role": "assistant", "message.content": ANSWERED}],
            "llm.token_count.prompt": 21,
            "llm.token_count.completion": 9,
        },
    ]
    rows = []
    for number, attributes in enumerate(nested):
        row = phoenix_span(number) | {f"attributes.{key}": value for key, value in attributes.items()}
        del row["attributes"]
        rows.append(row | {f"context.{key}": value for key, value in row.pop("context").items()})
    frame = pd.DataFrame(rows)
    return frame.assign(**{name: pd.to_datetime(frame[name], format="ISO8601") for name in ("start_time", "end_time")})


def phoenix_objects() -> list[bytes]:
    """An answer of the REST interface, and Parquet."""
    answer = {"data": [phoenix_span(number) for number in range(4)], "next_cursor": None}
    return [json.dumps(answer).encode(), phoenix_frame().to_parquet()]


def _pairs(attributes: Attributes) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in attributes.items()]


def _value(value: Any) -> dict[str, Any]:
    return {{str: "stringValue", int: "intValue", float: "doubleValue"}[type(value)]: value}
