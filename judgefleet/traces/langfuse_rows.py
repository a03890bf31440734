"""One row of Langfuse's tables as a span, what was said in it under the names that Langfuse's SDK gives it."""

from collections.abc import Mapping
from typing import Any

from judgefleet.traces.content import ReadOptions
from judgefleet.traces.reject import UnreadableError, shown
from judgefleet.traces.span import FIRST_CHUNK, MODEL, Span
from judgefleet.traces.values import as_number, as_text, as_time, first_given, plain_value, to_nanoseconds

Row = Mapping[str, Any]
# What other names have been given to, those of Langfuse's SDK among them; every other column keeps its own.
_NAMES = {
    "input": "langfuse.observation.input",
    "output": "langfuse.observation.output",
    "usage_details": "langfuse.observation.usage_details",
    "cost_details": "langfuse.observation.cost_details",
    "session_id": "session.id",
    "user_id": "user.id",
    "total_cost": "gen_ai.usage.cost",
    "provided_model_name": MODEL,
    "type": "langfuse.observation.type",
}
_READ = frozenset(
    {
        *("id", "trace_id", "project_id", "parent_observation_id", "name", "environment", "level", "status_message"),
        *("start_time", "end_time", "timestamp", "latency", "time_to_first_token", "completion_start_time"),
        "metadata",
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
    return Span(
        trace_id=_identity(row, "trace_id"),
        span_id=_identity(row, "id"),
        parent_id=_optional(row, "parent_observation_id"),
        name=as_text(row.get("name") or ""),
        start_ns=start,
        end_ns=end,
        attributes=_common(row) | _empty_answer(row) | _first_token(row, start, scale),
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
    return Span(
        trace_id=_identity(row, "id"),
        span_id="",
        name=as_text(row.get("name") or ""),
        end_ns=_nanoseconds(row, "timestamp"),
        attributes=_common(row) | {"trace_name": row.get("name")},
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


def _empty_answer(row: Row) -> dict[str, Any]:
    """A generation may answer with nothing; of anything else, nothing was logged."""
    return {_NAMES["output"]: ""} if row.get("type") == "GENERATION" and row.get("output") == "" else {}


def _first_token(row: Row, start: int | None, scale: float) -> dict[str, Any]:
    seconds = as_number(row.get("time_to_first_token"))
    if seconds is not None:
        return {FIRST_CHUNK: seconds * scale}
    first = _nanoseconds(row, "completion_start_time")
    return {} if first is None or start is None or first < start else {FIRST_CHUNK: (first - start) / 1e9}


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
