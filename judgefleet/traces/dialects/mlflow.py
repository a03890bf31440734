"""MLflow's spans, live or archived: every attribute is JSON text (https://mlflow.org/docs/latest/genai/tracing)."""

from collections.abc import Mapping
from typing import Any

from judgefleet.traces.dialects.logged import Logged
from judgefleet.traces.reject import UnreadableError
from judgefleet.traces.span import Span
from judgefleet.traces.values import loads

_PREFIX = "mlflow."
_LOGGED = Logged(
    kind="mlflow.spanType",
    given="mlflow.spanInputs",
    gave="mlflow.spanOutputs",
    tokens="mlflow.chat.tokenUsage",
    model="mlflow.llm.model",
    cost="mlflow.llm.cost",
    operations={
        "LLM": "chat",
        "CHAT_MODEL": "chat",
        "RETRIEVER": "retrieval",
        "TOOL": "execute_tool",
        "AGENT": "invoke_agent",
        "EMBEDDING": "embeddings",
    },
    # Input tokens have the cached ones among them: https://mlflow.org/docs/latest/genai/tracing/token-usage-cost
    counts={
        "cache_read_input_tokens": "cache_read.input_tokens",
        "cache_creation_input_tokens": "cache_creation.input_tokens",
    },
)


def speaks(span: Span) -> bool:
    """Whether MLflow wrote the span."""
    return _LOGGED.kind in span.attributes or _LOGGED.given in span.attributes


def said(span: Span) -> Mapping[str, Any]:
    """The attributes under current names, those of MLflow as plain values."""
    found = {k: _decoded(v) if k.startswith(_PREFIX) else v for k, v in span.attributes.items()}
    return _LOGGED.said(found, span.name)


def _decoded(value: Any) -> Any:
    """The value in JSON text; text that is not JSON as it is."""
    try:
        return loads(value) if isinstance(value, str) else value
    except UnreadableError:
        return value
