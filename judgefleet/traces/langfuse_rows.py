"""One row of Langfuse's tables as a span, with the attributes that OpenTelemetry has for the same things."""

from collections.abc import Mapping
from typing import Any

from judgefleet.traces.content import ReadOptions
from judgefleet.traces.free_form import answer_of, documents_of, messages_of
from judgefleet.traces.reject import UnreadableError, shown
from judgefleet.traces.span import OPERATION, Span
from judgefleet.traces.values import as_number, as_text, as_time, first_given, plain_value, to_nanoseconds

Row = Mapping[str, Any]
_OPERATIONS = {
    "GENERATION": "chat",
    "RETRIEVER": "retrieval",
    "TOOL": "execute_tool",
    "AGENT": "invoke_agent",
    "EMBEDDING": "embeddings",
}
_FIRST_CHUNK = "gen_ai.response.time_to_first_chunk"
# What other names have been given to; every other column keeps its own.
_NAMES = {
    "session_id": "session.id",
    "user_id": "user.id",
    "total_cost": "gen_ai.usage.cost",
    "provided_model_name": "gen_ai.request.model",
    "type": "langfuse.observation.type",
}
_READ = frozenset(
    {
        *("id", "trace_id", "project_id", "parent_observation_id", "name", "environment", "level", "status_message"),
        *("start_time", "end_time", "timestamp", "latency", "time_to_first_token", "completion_start_time"),
        *("input", "output", "metadata", "usage_details"),
    }
)


def observation_span(row: Row, options: ReadOptions, position: str) -> Span:
    """The span in a row of observations, current or legacy. Raises UnreadableError."""
    start, end = _nanoseconds(row, "start_time"), _nanoseconds(row, "end_time")
    scale = 1e-3 if options.langfuse_milliseconds else 1.0
    if end is None and start is not None and (latency := as_number(row.get("latency"))) is not None:
        end = start + int(min(latency * scale, 1e9) * 1e9)
    if start is not None and end is not None and end < start:
        raise UnreadableError(f"the observation ends ({row['end_time']}) before it starts ({row['start_time']})")
    kind = str(row.get("type"))
    return Span(
        trace_id=_identity(row, "trace_id"),
        span_id=_identity(row, "id"),
        parent_id=_optional(row, "parent_observation_id"),
        name=as_text(row.get("name") or ""),
        start_ns=start,
        end_ns=end,
        attributes=_common(row) | _exchange(row, kind) | _first_token(row, start, scale),
        resource=_resource(row),
        position=position,
        status="ERROR" if row.get("level") == "ERROR" else None,
        status_message=as_text(row.get("status_message") or ""),
    )


def trace_span(row: Row, _: ReadOptions, position: str) -> Span:
    """The span above a legacy trace's observations; it answers where no generation among them does.

    It is no observation and so has no span id. Its time stands as its end, so that it comes before all of them.
    Raises UnreadableError.
    """
    answers = _exchange(row, "GENERATION") if row.get("output") not in (None, "") else {}
    return Span(
        trace_id=_identity(row, "id"),
        span_id="",
        name=as_text(row.get("name") or ""),
        end_ns=_nanoseconds(row, "timestamp"),
        attributes=_common(row) | {"trace_name": row.get("name")} | answers,
        resource=_resource(row),
        position=position,
    )


def _common(row: Row) -> dict[str, Any]:
    """Columns as attributes; metadata key by key, as ``metadata.KEY``."""
    columns = {_NAMES.get(str(k), str(k)): v for k, v in row.items() if k not in _READ and v not in (None, "", [], {})}
    metadata = plain_value(row.get("metadata"))
    if isinstance(metadata, Mapping):
        return columns | {f"metadata.{key}": value for key, value in metadata.items()}
    return columns | ({} if metadata in (None, "") else {"metadata": metadata})


def _exchange(row: Row, kind: str) -> dict[str, Any]:
    """What went in and came out, under the names of the operation."""
    operation = _OPERATIONS.get(kind)
    found: dict[str, Any] = {} if operation is None else {OPERATION: operation}
    given, output = row.get("input"), row.get("output")
    if operation == "chat":
        found |= {"gen_ai.input.messages": messages_of(given)} | _usage(row)
        found |= {} if output is None else {"gen_ai.output.messages": answer_of(output)}
    elif operation == "retrieval":
        found |= {"gen_ai.retrieval.query.text": given, "gen_ai.retrieval.documents": documents_of(output)}
    elif operation == "execute_tool":
        found |= {"gen_ai.tool.name": as_text(row.get("name") or "tool")}
        found |= {"gen_ai.tool.call.arguments": given, "gen_ai.tool.call.result": output}
    return found


def _usage(row: Row) -> dict[str, Any]:
    """``input`` and ``output`` are the counts that others call ``input_tokens`` and ``output_tokens``."""
    details = plain_value(row.get("usage_details"))
    if not isinstance(details, Mapping):
        return {}
    return {f"gen_ai.usage.{f'{k}_tokens' if k in ('input', 'output') else k}": v for k, v in details.items()}


def _first_token(row: Row, start: int | None, scale: float) -> dict[str, Any]:
    seconds = as_number(row.get("time_to_first_token"))
    if seconds is not None:
        return {_FIRST_CHUNK: seconds * scale}
    first = _nanoseconds(row, "completion_start_time")
    return {} if first is None or start is None or first < start else {_FIRST_CHUNK: (first - start) / 1e9}


def _resource(row: Row) -> dict[str, Any]:
    """The environment, and what an instrumentation of OpenTelemetry said of its service."""
    metadata = plain_value(row.get("metadata"))
    told = plain_value(metadata.get("resourceAttributes")) if isinstance(metadata, Mapping) else None
    environment = first_given(row, ("environment",))
    known = dict(told) if isinstance(told, Mapping) else {}
    return known | ({} if environment in (None, "") else {"deployment.environment.name": environment})


def _nanoseconds(row: Row, name: str) -> int | None:
    try:
        found = as_time(row.get(name))
    except UnreadableError as error:
        raise UnreadableError(f"{name}: {error}") from error
    return None if found is None else to_nanoseconds(found)


def _identity(row: Row, name: str) -> str:
    if not (found := _optional(row, name)):
        raise UnreadableError(f"found {name} {shown(row.get(name))}; text that is not empty belongs here")
    return found


def _optional(row: Row, name: str) -> str | None:
    found = row.get(name)
    if found is not None and not isinstance(found, str):
        raise UnreadableError(f"found {name} {shown(found)}; text belongs here")
    return found or None
