"""What was asked of models for one trace: a call, or several of which each is counted for itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from judgefleet.trace import Trace
from judgefleet.traces.model_calls import COUNTS, MODEL_CALLS, MODELS, MOST_CALLS
from judgefleet.traces.reject import UnreadableError
from judgefleet.traces.values import as_count, as_text, loads
from judges.checks.base import quoted
from judges.measures.base import first_attribute

_MOST_CHARACTERS = 1_000_000


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One call as it was recorded, whatever that is; ``cached`` and ``cost`` after the name under which they were."""

    models: tuple[str, ...] = ()
    input_tokens: Any = None
    output_tokens: Any = None
    cached: tuple[str, Any] | None = None
    cost: tuple[str, Any] | None = None


def calls_of(trace: Trace) -> list[Call]:
    """The calls of a trace, at least one, in order of time. Raises UnreadableError where they cannot be told.

    >>> calls_of(Trace(trace_id="t", attributes={"model": "small", "gen_ai.usage.input_tokens": "many"}))
    [Call(models=('small',), input_tokens='many', output_tokens=None, cached=None, cost=None)]
    """
    text = trace.attributes.get(MODEL_CALLS)
    if text is None:
        return [_only(trace)]
    try:
        found = loads(text) if len(text) <= _MOST_CHARACTERS else None
    except UnreadableError:
        found = None
    if isinstance(found, int) and not isinstance(found, bool):
        raise UnreadableError(f"the trace has {found} model calls, of which at most {MOST_CALLS} are added up")
    if not isinstance(found, list) or not found or not all(isinstance(call, Mapping) for call in found):
        raise UnreadableError(f"{MODEL_CALLS} is {quoted(text)}; a list of model calls belongs there")
    return [_listed(call) for call in found]


def _only(trace: Trace) -> Call:
    return Call(
        models=tuple(trace.attributes[name] for name in MODELS if trace.attributes.get(name)),
        input_tokens=_left(trace, "input_tokens", trace.usage.input_tokens),
        output_tokens=_left(trace, "output_tokens", trace.usage.output_tokens),
        cached=first_attribute(trace, COUNTS["cached_tokens"]),
    )


def _left(trace: Trace, what: str, count: int | None) -> Any:
    """The count, else what was found in its place, which the readers leave among the attributes."""
    found = first_attribute(trace, COUNTS[what]) if count is None else None
    return count if found is None else found[1]


def _listed(call: Mapping[str, Any]) -> Call:
    models = call.get("models")
    cached, cost = (None if call.get(name) is None else (name, call[name]) for name in ("cached_tokens", "cost"))
    return Call(
        models=tuple(map(as_text, models)) if isinstance(models, list) else (),
        input_tokens=_count(call.get("input_tokens")),
        output_tokens=_count(call.get("output_tokens")),
        cached=cached,
        cost=cost,
    )


def _count(told: Any) -> Any:
    """A number of tokens, or what stands in its place."""
    number = as_count(told)
    return number if number is not None or told is None else as_text(told)
