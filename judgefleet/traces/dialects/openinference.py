"""OpenInference, as Phoenix and its instrumentations write it: https://arize-ai.github.io/openinference/spec."""

from collections.abc import Mapping
from typing import Any

from judgefleet.traces.dialects.indexed import Flat, entries, without
from judgefleet.traces.free_form import answer_of, messages_of
from judgefleet.traces.span import ARGUMENTS, DOCUMENTS, INPUT, OPERATION, OUTPUT, RESULT, TOOL, USAGE, Span
from judgefleet.traces.values import as_text

_KIND = "openinference.span.kind"
_OPERATIONS = {
    "LLM": "chat",
    "RETRIEVER": "retrieval",
    "TOOL": "execute_tool",
    "AGENT": "invoke_agent",
    "EMBEDDING": "embeddings",
}
_ASKED, _ANSWERED, _RETRIEVED = "llm.input_messages", "llm.output_messages", "retrieval.documents"
_GIVEN, _GAVE = "input.value", "output.value"
_COUNTS = {"llm.token_count.prompt": f"{USAGE}input_tokens", "llm.token_count.completion": f"{USAGE}output_tokens"}


def speaks(span: Span) -> bool:
    """Whether the span names its kind as OpenInference does."""
    return _KIND in span.attributes


def said(span: Span) -> Mapping[str, Any]:
    """The attributes under current names."""
    found = span.attributes
    operation = _OPERATIONS.get(str(found[_KIND]).upper())
    known: Flat = {} if operation is None else {OPERATION: operation}
    if operation == "chat":
        return without(found, _ASKED, _ANSWERED, *_COUNTS) | known | _exchange(found) | _counts(found)
    if operation == "retrieval":
        return without(found, _RETRIEVED) | known | {DOCUMENTS: _documents(found)}
    if operation == "execute_tool":
        called = {TOOL: found.get("tool.name") or span.name, ARGUMENTS: found.get(_GIVEN), RESULT: found.get(_GAVE)}
        return dict(found) | known | {name: value for name, value in called.items() if value is not None}
    return without(found, *_COUNTS) | known | _exchange(found) | _counts(found)


def _counts(found: Mapping[str, Any]) -> Flat:
    return {new: found[old] for old, new in _COUNTS.items() if old in found}


def _exchange(found: Mapping[str, Any]) -> Flat:
    """The messages; where there are none, what went in and came out, in whatever form that is."""
    asked, answered = ([_message(entry) for entry in entries(found, name)] for name in (_ASKED, _ANSWERED))
    if not asked and found.get(_GIVEN) is not None:
        asked = messages_of(found[_GIVEN])
    if not answered and found.get(_GAVE) is not None:
        answered = answer_of(found[_GAVE])
    return ({INPUT: asked} if asked else {}) | ({OUTPUT: answered} if answered else {})


def _message(entry: Flat) -> dict[str, Any]:
    parts = [_part(part) for part in entries(entry, "message.contents")]
    if (text := entry.get("message.content")) is not None:
        parts.insert(0, {"type": "text", "content": as_text(text)})
    for call in entries(entry, "message.tool_calls"):
        named = {key: call.get(f"tool_call.function.{key}") for key in ("name", "arguments")}
        parts.append({"type": "tool_call", **named})
    return {"role": as_text(entry.get("message.role") or "user"), "parts": parts}


def _part(part: Flat) -> dict[str, Any]:
    kind = as_text(part.get("message_content.type") or "text")
    return {"type": kind, "content": part.get("message_content.text")}


def _documents(found: Mapping[str, Any]) -> list[dict[str, Any]]:
    retrieved = [
        {key.removeprefix("document."): value for key, value in entry.items()} for entry in entries(found, _RETRIEVED)
    ]
    return [entry for entry in retrieved if isinstance(entry.get("content"), str)]
