"""Sample: a trace that a sampling plan drew, and the probability with which it was drawn."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from judgefleet.trace import TRACE_SCHEMA, Trace, trace_from_row, trace_row

SAMPLE_SCHEMA = pa.schema(
    [
        *TRACE_SCHEMA,
        ("stratum", pa.string()),
        ("inclusion_probability", pa.float64()),
        ("plan_hash", pa.string()),
        ("unit_key", pa.string()),
    ]
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Sample:
    """A drawn trace. ``inclusion_probability`` lies in (0, 1]; its inverse is the sample's weight.

    ``unit_key``: traces that share one are drawn by one hash; "" for a trace that shares it with none.
    """

    trace: Trace
    stratum: str
    inclusion_probability: float
    plan_hash: str
    unit_key: str = ""


def drawn_together(one: Sample, other: Sample) -> float:
    """The probability that both are drawn: what a row about the pair of them has."""
    as_one = bool(one.unit_key) and one.unit_key == other.unit_key
    return float(joint_probability(one.inclusion_probability, other.inclusion_probability, as_one))


def joint_probability(one: npt.ArrayLike, other: npt.ArrayLike, as_one: npt.ArrayLike) -> npt.NDArray[np.float64]:
    """With which both are drawn, from the probability of each; ``as_one``: whether they are of one unit. Any one shape.

    Of one unit, the hash that brings in the rarer brings in the other; else they are drawn independently. Where floors
    draw the two halves of a unit from different strata or windows, this is the most that it can be.

    >>> joint_probability([0.5, 0.5], [0.25, 0.25], [True, False]).tolist()
    [0.25, 0.125]
    """
    mine, its = np.asarray(one, np.float64), np.asarray(other, np.float64)
    return np.where(as_one, np.minimum(mine, its), mine * its)


def samples_to_table(samples: Iterable[Sample]) -> pa.Table:
    """Samples as an Arrow table of ``SAMPLE_SCHEMA``."""
    return pa.Table.from_pylist([sample_row(s) for s in samples], schema=SAMPLE_SCHEMA)


def sample_row(sample: Sample) -> dict[str, Any]:
    """The sample as one row of ``SAMPLE_SCHEMA``."""
    drawn = {n: getattr(sample, n) for n in ("stratum", "inclusion_probability", "plan_hash", "unit_key")}
    return trace_row(sample.trace) | drawn


def sample_from_row(row: Mapping[str, Any]) -> Sample:
    """The sample in one row as ``Table.to_pylist`` gives it."""
    return Sample(
        trace=trace_from_row(row),
        stratum=row["stratum"],
        inclusion_probability=row["inclusion_probability"],
        plan_hash=row["plan_hash"],
        unit_key=row["unit_key"] or "",
    )
