"""A against B on one axis: the difference of the means, paired by golden item where the items are known.

Functions take score rows (``SCORE_SCHEMA``) of ONE scorer, axis and fingerprint.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa

from judgefleet.proportions import paired_correlation, proportion_ci, rate_difference_ci
from judgefleet.score import Status
from judgefleet.statistics import Estimate, Grouped, difference_ci, grouped, weighted_mean_ci

ITEM_KEY = "judgefleet.item_id"
Row = Mapping[str, Any]
_COLUMNS = ("trace_id", "conversation_id", "variant", "attributes", "inclusion_probability", "status", "value")


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """Mean of ``candidate`` minus mean of ``baseline``.

    Paired: ``possible`` counts the items that either variant has, ``used`` those that both have a value for.
    Unpaired: rows, and rows with a value. ``coverage`` is their ratio.
    """

    baseline: str
    candidate: str
    paired: bool
    estimate: Estimate
    used: int
    possible: int

    @property
    def coverage(self) -> float | None:
        """Share of what could be compared that was; None when there was nothing to compare."""
        return self.used / self.possible if self.possible else None


def has_value(row: Row) -> bool:
    """Whether the row carries a number: status ok and a finite value."""
    return row["status"] == Status.OK and row["value"] is not None and bool(np.isfinite(row["value"]))


def weight(row: Row) -> float:
    """Inverse of the probability with which the trace was drawn; 1 where the row does not say."""
    return 1.0 / (row["inclusion_probability"] or 1.0)


def item_key(row: Row, key: str | None = ITEM_KEY) -> str | None:
    """The golden item the trace answers, from its attributes; None when it names none."""
    return dict(row["attributes"] or ()).get(key) if key else None


def cluster_key(row: Row) -> str:
    """The conversation of the trace, or the trace where it belongs to none."""
    return str(row["conversation_id"] or row["trace_id"])


def compare(
    scores: pa.Table,
    *,
    baseline: str,
    candidate: str,
    key: str | None = ITEM_KEY,
    rate: bool = False,
    alpha: float = 0.05,
) -> Difference:
    """Difference of the two variants' means, with the interval at level ``1 - alpha``.

    Paired by the attribute ``key`` when most rows of both variants name an item that the other has too: a t interval
    on one difference an item. Otherwise Welch's on Hajek means, clustered by conversation. With ``rate`` the values
    are passes and fails, and Newcombe's interval takes the place of both (Student's t fails near 0 and 1).
    """
    rows = scores.select(_COLUMNS).to_pylist()
    arms = tuple([r for r in rows if r["variant"] == name] for name in (baseline, candidate))
    shared = {item_key(r, key) for r in arms[0]} & {item_key(r, key) for r in arms[1]} - {None}
    paired = all(2 * sum(item_key(r, key) in shared for r in arm) >= len(arm) > 0 for arm in arms)
    estimate, used, possible = _paired(arms, key, rate, alpha) if paired else _unpaired(arms, rate, alpha)
    return Difference(
        baseline=baseline, candidate=candidate, paired=paired, estimate=estimate, used=used, possible=possible
    )


def _paired(arms: Sequence[Sequence[Row]], key: str | None, rate: bool, alpha: float) -> tuple[Estimate, int, int]:
    """One difference an item. Repeated traces of an item are averaged first; a pair was drawn when both sides were,
    so its weight is the product of its sides' mean weights."""
    a, b = (_by_item(arm, key) for arm in arms)
    possible = {item_key(r, key) for arm in arms for r in arm} - {None}
    pairs = sorted(a.keys() & b.keys())
    means = np.array([a[k].mean for k in pairs]), np.array([b[k].mean for k in pairs])
    weights = [float(a[k].weights.mean() * b[k].weights.mean()) for k in pairs]
    if rate and np.isin(means, (0.0, 1.0)).all():
        rate_a, rate_b = (proportion_ci(m, weights, alpha=alpha) for m in means)
        correlation = paired_correlation(*means)
        found = replace(rate_difference_ci(rate_a, rate_b, correlation), n=len(pairs), n_clusters=len(pairs))
    else:
        found = weighted_mean_ci(means[1] - means[0], weights, pairs, alpha)
    return found, len(pairs), len(possible)


def _by_item(arm: Sequence[Row], key: str | None) -> dict[str, Grouped]:
    found: dict[str, list[Row]] = defaultdict(list)
    for row in arm:
        name = item_key(row, key)
        if name is not None and has_value(row):
            found[name].append(row)
    return {name: values_of(rows) for name, rows in found.items()}


def _unpaired(arms: Sequence[Sequence[Row]], rate: bool, alpha: float) -> tuple[Estimate, int, int]:
    a, b = (values_of([r for r in arm if has_value(r)]) for arm in arms)
    if rate:
        rate_a, rate_b = (proportion_ci(arm.values, arm.weights, arm.clusters, alpha) for arm in (a, b))
        estimate = rate_difference_ci(rate_a, rate_b)
    else:
        estimate = difference_ci(a, b, alpha)
    return estimate, a.n + b.n, sum(map(len, arms))


def values_of(rows: Sequence[Row]) -> Grouped:
    """Values, weights and conversations of rows that all have a value."""
    return grouped([r["value"] for r in rows], [weight(r) for r in rows], [cluster_key(r) for r in rows])
