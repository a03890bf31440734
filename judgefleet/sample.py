"""Sample: a trace that a sampling plan drew, and the probability with which it was drawn."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from judgefleet.trace import TRACE_SCHEMA, Trace, trace_from_row, trace_row

SAMPLE_SCHEMA = pa.schema(
    [
        *TRACE_SCHEMA,
        ("stratum", pa.string()),
        ("inclusion_probability", pa.float64()),
        ("plan_hash", pa.string()),
    ]
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """A drawn trace. ``inclusion_probability`` lies in (0, 1]; its inverse is the sample's weight."""

    trace: Trace
    stratum: str
    inclusion_probability: float
    plan_hash: str


def samples_to_table(samples: Iterable[Sample]) -> pa.Table:
    """Samples as an Arrow table of ``SAMPLE_SCHEMA``."""
    return pa.Table.from_pylist([sample_row(s) for s in samples], schema=SAMPLE_SCHEMA)


def sample_row(sample: Sample) -> dict[str, Any]:
    """The sample as one row of ``SAMPLE_SCHEMA``."""
    drawn = {n: getattr(sample, n) for n in ("stratum", "inclusion_probability", "plan_hash")}
    return trace_row(sample.trace) | drawn


def sample_from_row(row: Mapping[str, Any]) -> Sample:
    """The sample in one row as ``Table.to_pylist`` gives it."""
    return Sample(
        trace=trace_from_row(row),
        stratum=row["stratum"],
        inclusion_probability=row["inclusion_probability"],
        plan_hash=row["plan_hash"],
    )
