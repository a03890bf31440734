"""Score: the row that everything else reads. One per trace, scorer and axis."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

import pyarrow as pa

from judgefleet.hashing import stable_hash
from judgefleet.sample import Sample
from judgefleet.scorer import ScorerInfo


class Status(StrEnum):
    """What became of one scoring. Only ``ok`` carries a value: a failure is never a number."""

    OK = "ok"
    UNPARSED = "unparsed"
    OFF_SCALE = "off_scale"
    TRUNCATED = "truncated"
    CONTEXT_OVERFLOW = "context_overflow"
    REFUSED = "refused"
    ENGINE_ERROR = "engine_error"
    TIMEOUT = "timeout"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, kw_only=True, slots=True)
class OrderVerdict:
    """The verdict with one presentation order: ``first`` names the trace whose answer stood first."""

    first: str
    label: str | None
    probabilities: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True, slots=True)
class Outcome:
    """What a scorer says about one sample on one axis.

    Raises ValueError when a value comes with a status other than ``ok``, or ``ok`` without one.
    """

    status: Status = Status.OK
    value: float | None = None
    label: str | None = None
    probabilities: Mapping[str, float] = field(default_factory=dict)
    reason: str | None = None
    pair_id: str | None = None
    other_trace_id: str | None = None
    order_consistent: bool | None = None
    orders: tuple[OrderVerdict, ...] = ()
    prompt_tokens: int | None = None
    cached_tokens: int | None = None
    completion_tokens: int | None = None
    latency_ms: float | None = None

    def __post_init__(self) -> None:
        if (self.status is Status.OK) == (self.value is None):
            raise ValueError(f"status {self.status} with value {self.value!r}: only ok has a value, and must")


def failure(status: Status, reason: str, **more: Any) -> Outcome:
    """An outcome without a value; ``reason`` says why, for the person who reads the row.

    >>> failure(Status.NOT_APPLICABLE, "no reference").value is None
    True
    """
    return Outcome(status=status, reason=reason, **more)


_TEXT, _INT = pa.string(), pa.int64()
_TIME = pa.timestamp("us", tz="UTC")
_WORD = pa.dictionary(pa.int32(), pa.string())
_PROBABILITIES = pa.map_(_TEXT, pa.float64())
_ORDER = pa.struct([("first", _TEXT), ("label", _TEXT), ("probabilities", _PROBABILITIES)])
SCORE_SCHEMA = pa.schema(
    [
        pa.field("score_id", _TEXT, nullable=False),
        ("supersedes", _TEXT),
        ("run_id", _TEXT),
        ("job", _TEXT),
        pa.field("trace_id", _TEXT, nullable=False),
        ("span_id", _TEXT),
        ("conversation_id", _TEXT),
        ("trace_started_at", _TIME),
        ("scored_at", _TIME),
        ("service", _TEXT),
        ("environment", _TEXT),
        ("experiment", _TEXT),
        ("variant", _TEXT),
        ("attributes", pa.map_(_TEXT, _TEXT)),
        ("stratum", _TEXT),
        ("inclusion_probability", pa.float64()),
        pa.field("scorer", _TEXT, nullable=False),
        pa.field("axis", _TEXT, nullable=False),
        ("scorer_kind", _TEXT),
        ("direction", _TEXT),
        ("fingerprint", _TEXT),
        ("config", _WORD),
        pa.field("status", _TEXT, nullable=False),
        ("value", pa.float64()),
        ("label", _TEXT),
        ("probabilities", _PROBABILITIES),
        ("reason", _TEXT),
        ("pair_id", _TEXT),
        ("other_trace_id", _TEXT),
        ("order_consistent", pa.bool_()),
        ("orders", pa.list_(_ORDER)),
        ("prompt_tokens", _INT),
        ("cached_tokens", _INT),
        ("completion_tokens", _INT),
        ("latency_ms", pa.float64()),
        ("source_uri", _TEXT),
    ]
)


# The fields of an outcome that become columns as they are.
_OUTCOME_FIELDS = (
    "value",
    "label",
    "reason",
    "pair_id",
    "other_trace_id",
    "order_consistent",
    "prompt_tokens",
    "cached_tokens",
    "completion_tokens",
    "latency_ms",
)


@dataclass(frozen=True, kw_only=True, slots=True)
class RunContext:
    """Which run writes a row, for which job (``batch``, ``online`` or ``audit``), and when."""

    run_id: str
    job: str
    scored_at: datetime


def score_id(
    *,
    trace_id: str,
    span_id: str,
    pair_id: str | None,
    scorer: str,
    axis: str,
    fingerprint: str,
    supersedes: str | None = None,
) -> str:
    """Identity of a score: 32 hex digits. The same question to the same judge has the same id in every run.

    ``supersedes``: the id of the row that this one replaces, where more of the trace came than that row was about.

    >>> score_id(trace_id="t", span_id="s", pair_id=None, scorer="regex", axis="match", fingerprint="f")
    'd08abfb944f50602d637101c2fed1502'
    """
    replaced = [supersedes] if supersedes is not None else []
    return stable_hash([trace_id, span_id, pair_id, scorer, axis, fingerprint, *replaced])


def score_row(run: RunContext, sample: Sample, info: ScorerInfo, axis: str, outcome: Outcome) -> dict[str, Any]:
    """One row of ``SCORE_SCHEMA``."""
    trace = sample.trace
    return {
        "score_id": score_id(
            trace_id=trace.trace_id,
            span_id=trace.span_id,
            pair_id=outcome.pair_id,
            scorer=info.name,
            axis=axis,
            fingerprint=info.fingerprint,
        ),
        "run_id": run.run_id,
        "job": run.job,
        "scored_at": run.scored_at,
        "trace_id": trace.trace_id,
        "span_id": trace.span_id,
        "conversation_id": trace.conversation_id,
        "trace_started_at": trace.started_at,
        "service": trace.service,
        "environment": trace.environment,
        "experiment": trace.experiment,
        "variant": trace.variant,
        "attributes": dict(trace.attributes),
        "source_uri": trace.source_uri,
        "stratum": sample.stratum,
        "inclusion_probability": sample.inclusion_probability,
        "scorer": info.name,
        "axis": axis,
        "scorer_kind": info.kind.value,
        "direction": info.direction.value,
        "fingerprint": info.fingerprint,
        "config": info.config_json,
        "status": outcome.status.value,
        "orders": [
            {"first": o.first, "label": o.label, "probabilities": dict(o.probabilities)} for o in outcome.orders
        ],
        "probabilities": dict(outcome.probabilities),
    } | {name: getattr(outcome, name) for name in _OUTCOME_FIELDS}
