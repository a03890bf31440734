"""The plain form: a flat record (a JSON line, a Parquet row) as a trace."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from judgefleet.hashing import stable_hash
from judgefleet.trace import Latency, Message, ToolCall, Trace
from judgefleet.traces.messages import read_messages
from judgefleet.traces.reject import UnreadableError, shown
from judgefleet.traces.usage import logged_usage, usage_of
from judgefleet.traces.values import as_count, as_number, as_text, as_text_or_repr, as_time, first_given, parsed

# Our name of each field, then other names that are read as it.
_NAMES: dict[str, tuple[str, ...]] = {
    "trace_id": ("trace_id", "id"),
    "span_id": ("span_id",),
    "conversation_id": ("conversation_id", "session_id"),
    "started_at": ("started_at", "timestamp", "start_time", "created_at", "created"),
    "service": ("service",),
    "environment": ("environment",),
    "experiment": ("experiment",),
    "variant": ("variant",),
    "messages": ("messages",),
    "question": ("question", "input", "prompt"),
    "output": ("output", "answer", "response"),
    "contexts": ("contexts", "context"),
    "tool_calls": ("tool_calls",),
    "reference": ("reference", "expected", "ground_truth"),
    "usage": ("usage",),
    "latency": ("latency",),
    "cost": ("cost",),
    "attributes": ("attributes",),
    "source_uri": ("source_uri",),
}
_COUNTS = ("input_tokens", "output_tokens", "prompt_tokens", "completion_tokens")
_DURATIONS = ("ttft_ms", "total_ms")
_WORDS = ("span_id", "conversation_id", "service", "environment", "experiment", "variant", "reference", "source_uri")


def trace_from_record(record: Mapping[str, Any], uri: str) -> Trace:
    """The trace in ``record``. Keys that mean nothing to us become attributes.

    Without ``trace_id`` it is a hash of the content: the same record has the same id everywhere.
    Raises UnreadableError: no question, no answer, or a value of a wrong type.
    """
    used = _used_keys(record)
    given = {field: record[used[field]] if field in used else None for field in _NAMES}
    messages, output = _exchange(record, given)
    usage, latency = logged_usage(_mapping("usage", given["usage"])), _mapping("latency", given["latency"])
    words = {name: _word(name, given[name]) for name in _WORDS if given[name] is not None}
    return Trace(
        **({"source_uri": uri} | words),
        trace_id=_trace_id(record, given["trace_id"]),
        started_at=as_time(given["started_at"]),
        messages=messages,
        output=output,
        contexts=documents(given["contexts"], "contexts"),
        tool_calls=_tool_calls(given["tool_calls"]),
        usage=usage_of(usage),
        latency=_latency(latency),
        cost=as_number(given["cost"]),
        attributes=_attributes(
            {name: value for name, value in record.items() if name not in used.values()},
            {f"usage.{k}": v for k, v in usage.items() if k not in _COUNTS or as_count(v) is None},
            {f"latency.{k}": v for k, v in latency.items() if k not in _DURATIONS or as_number(v) is None},
            _mapping("attributes", given["attributes"]),
        ),
    )


def names_of(field: str) -> tuple[str, ...]:
    """The names under which a field of the plain form is read, ours first."""
    return _NAMES[field]


def is_plain(names: Iterable[str]) -> bool:
    """Whether records with these keys can be traces: a question and an answer are among them."""
    known = set(names)
    question, output = (known & set(_NAMES[field]) for field in ("question", "output"))
    return "messages" in known or (bool(question) and bool(output))


def documents(value: Any, name: str) -> tuple[str, ...]:
    """The texts of retrieved documents: text, or mappings with ``content`` (also ``text``, ``page_content``)."""
    if value is None:
        return ()
    entries = [value] if isinstance(value, str | Mapping) else value
    if not isinstance(entries, Sequence):
        raise UnreadableError(f"found {name} {shown(value)}; text or a list of texts belongs here")
    return tuple(_document(entry, name) for entry in entries)


def _document(entry: Any, name: str) -> str:
    if isinstance(entry, Mapping):
        entry = first_given(entry, ("content", "text", "page_content"))
    if not isinstance(entry, str):
        raise UnreadableError(f"found a document without text among {name}: {shown(entry)}")
    return entry


def _used_keys(record: Mapping[str, Any]) -> dict[str, str]:
    """Field by field, the key it is read from; all others become attributes."""
    used = {field: name for field, names in _NAMES.items() for name in reversed(names) if record.get(name) is not None}
    turns = read_messages(record[used["messages"]], "messages") if "messages" in used else ()
    if any(turn.role == "user" for turn in turns):
        used.pop("question", None)
    if as_number(record.get("cost")) is None:
        used.pop("cost", None)
    return used


def _exchange(record: Mapping[str, Any], given: Mapping[str, Any]) -> tuple[tuple[Message, ...], str | None]:
    """What was asked and what was answered; in a chat log the last assistant turn is the answer."""
    messages = _messages(given)
    output = given["output"]
    if output is None and messages and messages[-1].role == "assistant":
        messages, output = messages[:-1], messages[-1].content
    if not any(message.role == "user" for message in messages):
        raise UnreadableError("no question: give 'question' or 'messages' with a user turn")
    if output is None and not any(name in record for name in _NAMES["output"]):
        raise UnreadableError(
            "no answer: give 'output' (null where none came) or 'messages' that end with an assistant turn"
        )
    return messages, None if output is None else _text("output", output)


def _messages(given: Mapping[str, Any]) -> tuple[Message, ...]:
    """The messages, and the question after them where they have no user turn."""
    messages = () if given["messages"] is None else read_messages(given["messages"], "messages")
    question = given["question"]
    if question is None:
        return messages
    return messages + (
        (Message(role="user", content=question),) if isinstance(question, str) else read_messages(question, "question")
    )


def _text(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping | Sequence) and not isinstance(value, bytes):
        return as_text(value)
    raise UnreadableError(f"found {name} {shown(value)}; text belongs here")


def _word(name: str, value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    raise UnreadableError(f"found {name} {shown(value)}; text belongs here")


def _trace_id(record: Mapping[str, Any], given: Any) -> str:
    if given is None:
        return stable_hash(json.dumps(record, sort_keys=True, default=as_text_or_repr))
    if not (trace_id := _word("trace_id", given)):
        raise UnreadableError("the trace_id is empty; leave it out and one is made from the content")
    return trace_id


def _mapping(name: str, value: Any) -> Mapping[str, Any]:
    found = parsed(value, name)
    if found is None:
        return {}
    if isinstance(found, list) and all(isinstance(pair, tuple) and len(pair) == 2 for pair in found):
        return dict(found)  # an Arrow map
    if not isinstance(found, Mapping):
        raise UnreadableError(f"found {name} {shown(value)}; a mapping belongs here")
    return found


def _latency(record: Mapping[str, Any]) -> Latency:
    return Latency(ttft_ms=as_number(record.get("ttft_ms")), total_ms=as_number(record.get("total_ms")))


def _tool_calls(value: Any) -> tuple[ToolCall, ...]:
    found = parsed(value, "tool_calls")
    if found is None:
        return ()
    if not isinstance(found, Sequence) or isinstance(found, str):
        raise UnreadableError(f"found tool_calls {shown(value)}; a list belongs here")
    return tuple(_tool_call(entry) for entry in found)


def _tool_call(entry: Any) -> ToolCall:
    called = entry.get("function", entry) if isinstance(entry, Mapping) else entry
    if not isinstance(called, Mapping) or not isinstance(called.get("name"), str):
        raise UnreadableError(f"found the tool call {shown(entry)}; a mapping with a name belongs here")
    result = first_given(entry, ("result", "output"))
    return ToolCall(
        name=called["name"],
        arguments=as_text(called.get("arguments") or ""),
        result=None if result is None else as_text(result),
    )


def _attributes(*parts: Mapping[str, Any]) -> dict[str, str]:
    return {str(name): as_text(value) for part in parts for name, value in part.items() if value is not None}
