"""A against B on one axis: the difference of the means, paired by golden item where the items are known.

Functions take score rows (``SCORE_SCHEMA``) of ONE scorer, axis and fingerprint.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from experiments.columns import ITEM_KEY, Columns, columns_of
from judgefleet.columns import Codes
from judgefleet.moments import Moments
from judgefleet.proportions import paired_correlation, proportion_ci, proportion_of, rate_difference_ci
from judgefleet.score import Status
from judgefleet.statistics import Estimate, difference_ci, weighted_mean_ci

Row = Mapping[str, Any]


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
    columns = columns_of(scores, key)
    arms = {variant: columns.arm(variant) for variant in (baseline, candidate)}
    moments = {variant: ArmMoments.of(arm) for variant, arm in arms.items()}
    found = compare_arms(moments, baseline=baseline, candidate=candidate, rate=rate, alpha=alpha)
    if rate and not found.paired and not all(np.isin(arm.valued.values, (0.0, 1.0)).all() for arm in arms.values()):
        raise ValueError("a proportion is made of zeros and ones")
    return found


@dataclass(frozen=True, kw_only=True, slots=True)
class ArmMoments:
    """One variant on one axis: how many rows it has, the moments of those with a value, and the rows that name a golden
    item (``named``), which alone have to be held."""

    rows: int
    moments: Moments
    named: Columns

    @classmethod
    def of(cls, columns: Columns) -> "ArmMoments":
        """Of all its rows."""
        return cls(rows=len(columns), moments=columns.moments, named=columns.named)


def compare_arms(
    arms: Mapping[str, ArmMoments], *, baseline: str, candidate: str, rate: bool = False, alpha: float = 0.05
) -> Difference:
    """``compare``, of variants that are known part by part."""
    a, b = arms[baseline], arms[candidate]
    shared = np.intersect1d(a.named.items, b.named.items)
    paired = all(2 * int(np.isin(arm.named.items, shared).sum()) >= arm.rows > 0 for arm in (a, b))
    estimate, used, possible = _paired(a.named, b.named, rate, alpha) if paired else _unpaired(a, b, rate, alpha)
    return Difference(
        baseline=baseline, candidate=candidate, paired=paired, estimate=estimate, used=used, possible=possible
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class _Items:
    """Repeated traces of an item, averaged: its hash, the Hajek mean of its values and the mean of its weights."""

    items: Codes
    means: npt.NDArray[np.float64]
    weights: npt.NDArray[np.float64]

    def of(self, items: Codes) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Means and weights of ``items``, all of which must be there."""
        at = np.searchsorted(self.items, items)
        return self.means[at], self.weights[at]


def _by_item(named: Columns) -> _Items:
    named = named.valued
    items, place = np.unique(named.items, return_inverse=True)
    total = np.bincount(place, named.weights, len(items))
    return _Items(
        items=items,
        means=np.bincount(place, named.weights * named.values, len(items)) / total,
        weights=total / np.bincount(place, minlength=len(items)),
    )


def _paired(a: Columns, b: Columns, rate: bool, alpha: float) -> tuple[Estimate, int, int]:
    """One difference an item. Repeated traces of an item are averaged first; a pair was drawn when both sides were,
    so its weight is the product of its sides' mean weights."""
    possible = np.union1d(a.items, b.items)
    sides = _by_item(a), _by_item(b)
    pairs = np.intersect1d(sides[0].items, sides[1].items)
    (mean_a, weight_a), (mean_b, weight_b) = (side.of(pairs) for side in sides)
    weights = weight_a * weight_b
    if rate and np.isin((mean_a, mean_b), (0.0, 1.0)).all():
        rate_a, rate_b = (proportion_ci(mean, weights, alpha=alpha) for mean in (mean_a, mean_b))
        correlation = paired_correlation(mean_a, mean_b)
        found = replace(rate_difference_ci(rate_a, rate_b, correlation), n=len(pairs), n_clusters=len(pairs))
    else:
        found = weighted_mean_ci(mean_b - mean_a, weights, pairs, alpha)
    return found, len(pairs), len(possible)


def _unpaired(a: ArmMoments, b: ArmMoments, rate: bool, alpha: float) -> tuple[Estimate, int, int]:
    moments = a.moments, b.moments
    if rate:
        rate_a, rate_b = (proportion_of(arm, alpha) for arm in moments)
        estimate = rate_difference_ci(rate_a, rate_b)
    else:
        estimate = difference_ci(*moments, alpha)
    return estimate, sum(arm.n for arm in moments), a.rows + b.rows
