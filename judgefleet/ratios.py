"""Ratios of sums over the units that were drawn, with intervals: cost per success, tokens per answer."""

import numpy as np
import numpy.typing as npt
from scipy import stats

from judgefleet.moments import Array, grouped
from judgefleet.statistics import Estimate


def ratio_ci(
    tops: npt.ArrayLike, bottoms: npt.ArrayLike, weights: npt.ArrayLike | None = None, alpha: float = 0.05
) -> Estimate:
    """Sum of ``tops`` over sum of ``bottoms``, both of shape (n,), one entry a unit that was drawn, with an interval.

    Fieller's interval for a ratio of means (Fieller 1954, Some problems in interval estimation) with Student's t, n-1
    degrees of freedom. Unlike the delta method it is not symmetric, and it knows when the bottom may be 0: no interval
    then. No value where the bottoms add up to 0. Raises ValueError as ``moments.grouped`` does.

    >>> e = ratio_ci([2.0, 4.0, 3.0, 3.0, 5.0, 1.0], [1, 1, 0, 1, 1, 0])
    >>> e.value, round(e.low, 3), round(e.high, 3)
    (4.5, 2.476, 18.212)
    """
    data = grouped(np.asarray(tops), weights)
    top, bottom = data.weights * data.values, data.weights * grouped(bottoms, data.weights).values
    known = {"n": data.n, "n_clusters": data.n}
    if bottom.sum() == 0:
        return Estimate(value=None, method="ratio; nothing to divide by", **known)
    value = float(top.sum() / bottom.sum())
    if data.n < 2:
        return Estimate(value=value, method="ratio; no interval: one unit", **known)
    if np.allclose(top, value * bottom, rtol=1e-12, atol=0):
        return Estimate(value=value, method="ratio; no interval: all equal", **known)
    return _fieller(value, top, bottom, alpha)


def _fieller(value: float, top: Array, bottom: Array, alpha: float) -> Estimate:
    """The roots of ``(y - r x)^2 = t^2 var(y - r x)`` in r, with y and x the means."""
    n = len(top)
    square = float(stats.t.isf(alpha / 2, n - 1)) ** 2
    ((yy, xy), (_, xx)) = np.cov(top, bottom) / n
    y, x = top.mean(), bottom.mean()
    a, b, c = x * x - square * xx, y * x - square * xy, y * y - square * yy
    if a <= 0:
        return Estimate(value=value, n=n, n_clusters=n, method="ratio; no interval: the bottom may be 0")
    half = max(b * b - a * c, 0.0) ** 0.5
    method = f"ratio of means, Fieller, t with {n - 1} degrees of freedom"
    return Estimate(
        value=value, low=float((b - half) / a), high=float((b + half) / a), n=n, n_clusters=n, method=method
    )
