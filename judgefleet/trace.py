"""Trace: one request to an LLM feature as it happened. Read once, never changed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import pyarrow as pa


@dataclass(frozen=True, kw_only=True, slots=True)
class Message:
    """One turn of the conversation before the answer."""

    role: str
    content: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ToolCall:
    """A tool the model called; ``arguments`` and ``result`` as the trace has them (usually JSON text)."""

    name: str
    arguments: str = ""
    result: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """Tokens read and written by the model under evaluation."""

    input_tokens: int | None = None
    output_tokens: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Latency:
    """Milliseconds to the first token and to the last."""

    ttft_ms: float | None = None
    total_ms: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Trace:
    """One request: what was asked, what was given to the model, what it answered."""

    trace_id: str
    span_id: str = ""
    conversation_id: str | None = None
    started_at: datetime | None = None
    service: str | None = None
    environment: str | None = None
    experiment: str | None = None
    variant: str | None = None
    messages: tuple[Message, ...] = ()
    output: str | None = None
    contexts: tuple[str, ...] = ()
    tool_calls: tuple[ToolCall, ...] = ()
    reference: str | None = None
    usage: Usage = Usage()
    latency: Latency = Latency()
    cost: float | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    source_uri: str | None = None

    @property
    def question(self) -> str | None:
        """The last user turn: what the answer answers."""
        return next((m.content for m in reversed(self.messages) if m.role == "user"), None)


_TEXT = pa.string()
TRACE_SCHEMA = pa.schema(
    [
        pa.field("trace_id", _TEXT, nullable=False),
        pa.field("span_id", _TEXT, nullable=False),
        ("conversation_id", _TEXT),
        ("started_at", pa.timestamp("us", tz="UTC")),
        ("service", _TEXT),
        ("environment", _TEXT),
        ("experiment", _TEXT),
        ("variant", _TEXT),
        ("messages", pa.list_(pa.struct([("role", _TEXT), ("content", _TEXT)]))),
        ("output", _TEXT),
        ("contexts", pa.list_(_TEXT)),
        ("tool_calls", pa.list_(pa.struct([("name", _TEXT), ("arguments", _TEXT), ("result", _TEXT)]))),
        ("reference", _TEXT),
        ("usage", pa.struct([("input_tokens", pa.int64()), ("output_tokens", pa.int64())])),
        ("latency", pa.struct([("ttft_ms", pa.float64()), ("total_ms", pa.float64())])),
        ("cost", pa.float64()),
        ("attributes", pa.map_(_TEXT, _TEXT)),
        ("source_uri", _TEXT),
    ]
)


def texts_of(trace: Trace) -> list[str]:
    """Every text of a trace, in one order: for what has to look at them all, once for each of many traces."""
    named = (trace.conversation_id, trace.service, trace.environment, trace.experiment, trace.variant)
    found = [trace.trace_id, trace.span_id, *named, trace.output, trace.reference, trace.source_uri]
    texts = [text for text in found if text is not None]
    for message in trace.messages:
        texts += (message.role, message.content)
    texts += trace.contexts
    for call in trace.tool_calls:
        texts += (call.name, call.arguments) if call.result is None else (call.name, call.arguments, call.result)
    texts += trace.attributes
    texts += trace.attributes.values()
    return texts


def trace_row(trace: Trace) -> dict[str, Any]:
    """The trace as one row of ``TRACE_SCHEMA``. By hand: ``asdict`` copies every text, at several times the cost."""
    row = {name: getattr(trace, name) for name in TRACE_SCHEMA.names}
    usage, latency = trace.usage, trace.latency
    return row | {
        "messages": [{"role": m.role, "content": m.content} for m in trace.messages],
        "contexts": list(trace.contexts),
        "tool_calls": [{"name": c.name, "arguments": c.arguments, "result": c.result} for c in trace.tool_calls],
        "usage": {"input_tokens": usage.input_tokens, "output_tokens": usage.output_tokens},
        "latency": {"ttft_ms": latency.ttft_ms, "total_ms": latency.total_ms},
        "attributes": dict(trace.attributes),
    }


def traces_to_table(traces: Iterable[Trace]) -> pa.Table:
    """Traces as an Arrow table of ``TRACE_SCHEMA``."""
    return pa.Table.from_pylist([trace_row(t) for t in traces], schema=TRACE_SCHEMA)


def trace_from_row(row: Mapping[str, Any]) -> Trace:
    """The trace in one row as ``Table.to_pylist`` gives it; unknown columns are ignored."""
    known = {name: row[name] for name in TRACE_SCHEMA.names if row.get(name) is not None}
    nested = {
        "messages": tuple(Message(**m) for m in known.get("messages", ())),
        "contexts": tuple(known.get("contexts", ())),
        "tool_calls": tuple(ToolCall(**c) for c in known.get("tool_calls", ())),
        "usage": Usage(**known.get("usage", {})),
        "latency": Latency(**known.get("latency", {})),
        "attributes": dict(known.get("attributes", ())),
    }
    return Trace(**(known | nested))
