"""Spans of Langfuse's SDK that went through a Collector instead of to Langfuse: ``langfuse.*`` attributes."""

from collections.abc import Mapping
from typing import Any

from judgefleet.traces.dialects.logged import Logged
from judgefleet.traces.reject import UnreadableError
from judgefleet.traces.span import FIRST_CHUNK, Span
from judgefleet.traces.usage import flat
from judgefleet.traces.values import as_count, as_time, plain_value, to_nanoseconds

_LOGGED = Logged(
    kind="langfuse.observation.type",
    given="langfuse.observation.input",
    gave="langfuse.observation.output",
    tokens="langfuse.observation.usage_details",
    model="langfuse.observation.model.name",
    cost="langfuse.observation.cost_details",
    operations={
        "GENERATION": "chat",
        "RETRIEVER": "retrieval",
        "TOOL": "execute_tool",
        "AGENT": "invoke_agent",
        "EMBEDDING": "embeddings",
    },
    counts={"input": "input_tokens", "output": "output_tokens"},
)
_FIRST = "langfuse.observation.completion_start_time"
_CACHED = ("cached", "cache_read")


def speaks(span: Span) -> bool:
    """Whether Langfuse's SDK wrote the span."""
    return _LOGGED.kind in span.attributes or _LOGGED.given in span.attributes


def said(span: Span) -> Mapping[str, Any]:
    """The attributes under current names."""
    found = dict(span.attributes)
    found |= {name: plain_value(found[name]) for name in (_LOGGED.tokens, _LOGGED.cost) if name in found}
    if isinstance(tokens := found.get(_LOGGED.tokens), Mapping):
        found[_LOGGED.tokens] = _with_parts(flat(tokens))
    return _first_token(_LOGGED.said(found, span.name), span.start_ns)


def _with_parts(tokens: dict[str, Any]) -> dict[str, Any]:
    """Input and output with their parts, which Langfuse counts beside them: each token under one name only.

    https://langfuse.com/docs/observability/features/token-and-cost-tracking; whose total is input and output alone
    counts the parts in them.
    """
    counted = {name: count for name, value in tokens.items() if (count := as_count(value)) is not None}
    if "input" not in counted and "output" not in counted:
        return tokens
    sides = {side: [n for n in counted if side in n] for side in ("input", "output") if side in counted}
    if counted.get("total") == sum(counted[side] for side in sides):
        sums = {side: counted[side] for side in sides}
    else:
        sums = {side: sum(counted[name] for name in names) for side, names in sides.items()}
    cached = [name for name in sides.get("input", []) if any(word in name for word in _CACHED)]
    read = {"cache_read.input_tokens": sum(counted[name] for name in cached)} if cached else {}
    return {name: value for name, value in tokens.items() if name not in cached} | sums | read


def _first_token(found: dict[str, Any], start: int | None) -> dict[str, Any]:
    """With the seconds to the first token, where the span says when that came."""
    try:
        told = found.get(_FIRST)
        first = as_time(told.strip('"') if isinstance(told, str) else told)
    except UnreadableError:
        return found
    if first is None or start is None or to_nanoseconds(first) < start:
        return found
    rest = {name: value for name, value in found.items() if name != _FIRST}
    return {FIRST_CHUNK: (to_nanoseconds(first) - start) / 1e9} | rest
