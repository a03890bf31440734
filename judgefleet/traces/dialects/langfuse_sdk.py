"""Spans of Langfuse's SDK that went through a Collector instead of to Langfuse: ``langfuse.*`` attributes."""

from collections.abc import Mapping
from typing import Any

from judgefleet.traces.dialects.logged import Logged
from judgefleet.traces.span import Span
from judgefleet.traces.values import plain_value

_LOGGED = Logged(
    kind="langfuse.observation.type",
    given="langfuse.observation.input",
    gave="langfuse.observation.output",
    tokens="langfuse.observation.usage_details",
    operations={
        "GENERATION": "chat",
        "RETRIEVER": "retrieval",
        "TOOL": "execute_tool",
        "AGENT": "invoke_agent",
        "EMBEDDING": "embeddings",
    },
    counts={"input": "input_tokens", "output": "output_tokens"},
)


def speaks(span: Span) -> bool:
    """Whether Langfuse's SDK wrote the span."""
    return _LOGGED.kind in span.attributes or _LOGGED.given in span.attributes


def said(span: Span) -> Mapping[str, Any]:
    """The attributes under current names."""
    tokens = plain_value(span.attributes.get(_LOGGED.tokens))
    return _LOGGED.said({**span.attributes, _LOGGED.tokens: tokens}, span.name)
