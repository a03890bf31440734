"""Krippendorff's alpha: agreement of any number of raters, at any level of measurement, with missing labels."""

import math
from collections.abc import Callable
from typing import Literal, TypeAlias

import numpy as np

from calibration.coefficients import Ratings, codes_of, counts_by_item
from judgefleet.moments import Array

Level: TypeAlias = Literal["nominal", "ordinal", "interval", "ratio"]


def krippendorff_alpha(ratings: Ratings, level: Level = "nominal") -> float:
    """Alpha of ``ratings``: one sequence of labels a rater, all about the same items, None for a missing label.

    1 minus observed over expected disagreement of the labels that can be paired within an item; Krippendorff 2011,
    Computing Krippendorff's alpha-reliability. Labels are numbers for every level but nominal, and from 0 up for ratio.
    It has no interval of its own: resample items. nan where the paired labels are all equal, or no item has two.

    >>> a, b = [1, 2, 3, 3, 2, 1, None, 4], [1, 2, 3, 3, 2, 2, 4, 4]
    >>> [round(krippendorff_alpha([a, b], level), 4) for level in ("nominal", "ordinal", "interval", "ratio")]
    [0.8169, 0.9293, 0.9297, 0.8377]
    """
    if level not in _DISTANCES:
        raise ValueError(f"found the level {level!r}; allowed: {', '.join(_DISTANCES)}")
    codes, labels = codes_of(ratings)
    pairs = coincidences(counts_by_item(codes, len(labels)))
    totals = pairs.sum(axis=1)
    if np.count_nonzero(totals) < 2:
        return math.nan
    distance = _DISTANCES[level](_values(labels, level), totals)
    observed = float((pairs * distance).sum())
    expected = float(totals @ distance @ totals) / float(totals.sum() - 1)
    return 1 - observed / expected


def coincidences(counts: Array) -> Array:
    """Pairs of labels within items, shape (q, q), from counts of shape (items, q).

    An item with m labels gives m(m-1) ordered pairs, each counted ``1 / (m - 1)``; one with a single label gives none.
    """
    sizes = counts.sum(axis=1)
    paired = counts[sizes > 1]
    shares = 1 / (sizes[sizes > 1] - 1)
    together: Array = np.einsum("i,ij,ik->jk", shares, paired, paired)
    return np.asarray(together - np.diag(shares @ paired))


def _values(labels: list[object], level: Level) -> Array:
    if level == "nominal":
        return np.arange(len(labels), dtype=np.float64)
    if not all(isinstance(label, int | float | np.integer | np.floating) for label in labels):
        raise ValueError(f"found labels that are no numbers; for the level {level!r} give numbers, or use nominal")
    values = np.array(labels, dtype=np.float64)
    if level == "ratio" and (values < 0).any():
        raise ValueError("found a negative label; the level ratio has numbers from 0 up")
    return values


def _nominal(values: Array, _totals: Array) -> Array:
    return np.not_equal.outer(values, values).astype(np.float64)


def _ordinal(_values: Array, totals: Array) -> Array:
    """The square of how many labels lie between, those at both ends counted half."""
    middle = np.cumsum(totals) - totals / 2
    return np.asarray(np.subtract.outer(middle, middle) ** 2, dtype=np.float64)


def _interval(values: Array, _totals: Array) -> Array:
    return np.asarray(np.subtract.outer(values, values) ** 2, dtype=np.float64)


def _ratio(values: Array, _totals: Array) -> Array:
    sums = np.add.outer(values, values)
    # Two zeros are equal: their distance is 0, not 0/0.
    return np.asarray((np.subtract.outer(values, values) / np.where(sums == 0, 1, sums)) ** 2, dtype=np.float64)


_DISTANCES: dict[str, Callable[[Array, Array], Array]] = {
    "nominal": _nominal,
    "ordinal": _ordinal,
    "interval": _interval,
    "ratio": _ratio,
}
