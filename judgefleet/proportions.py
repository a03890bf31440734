"""Rates with Wilson intervals: pass rates, win rates and differences of rates, also with weights and clusters."""

from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from judgefleet.moments import Moments
from judgefleet.statistics import Estimate, no_interval


def wilson_interval(rate: float, n: float, alpha: float = 0.05) -> tuple[float, float]:
    """Wilson's score interval for ``rate`` in [0, 1] out of ``n`` > 0 trials; ``n`` may be an effective size.

    Wilson 1927. Inside [0, 1] always, and of positive width at a rate of 0 or 1.

    >>> low, high = wilson_interval(15 / 148, 148)
    >>> round(low, 7), round(high, 7)
    (0.0623864, 0.1604872)
    """
    z = float(stats.norm.isf(alpha / 2))
    centre = (rate + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * (rate * (1 - rate) / n + z * z / (4 * n * n)) ** 0.5
    return max(0.0, min(rate, centre - half)), min(1.0, max(rate, centre + half))


def proportion_ci(
    values: npt.ArrayLike, weights: npt.ArrayLike | None = None, clusters: Any = None, alpha: float = 0.05
) -> Estimate:
    """Rate of ones with Wilson's interval on the effective sample size.

    ``n_eff = n / deff`` with ``deff`` the larger of Kish's ``n / n_kish`` and the estimated cluster design effect,
    never below 1; with real clusters it is shrunk by ``(z / t_{G-1})^2`` (Korn & Graubard 1998). At a rate of 0
    or 1 the design effect cannot be estimated: each cluster then counts as one observation. Plain Wilson for
    unweighted, unclustered rows. Raises ValueError for values other than 0 and 1.
    """
    data = Moments.of(values, weights, clusters)
    if not np.isin(np.asarray(values), (0.0, 1.0)).all():
        raise ValueError("a proportion is made of zeros and ones")
    return proportion_of(data, alpha)


def proportion_of(data: Moments, alpha: float = 0.05) -> Estimate:
    """``proportion_ci`` of zeros and ones whose moments are known."""
    if data.n_clusters < 2:
        return no_interval(data, "proportion")
    size, effect = effective_size(data, alpha)
    low, high = wilson_interval(data.mean, size, alpha)
    method = f"Wilson, effective n {size:.1f} of {data.n} (Kish {data.kish_size:.1f}, design effect {effect:.2f})"
    return Estimate(value=data.mean, low=low, high=high, n=data.n, n_clusters=data.n_clusters, method=method)


def win_rate_ci(
    values: npt.ArrayLike, weights: npt.ArrayLike | None = None, clusters: Any = None, alpha: float = 0.05
) -> Estimate:
    """Mean of preferences in [0, 1] (win 1, tie 0.5, loss 0) with Wilson's interval on the number of clusters.

    Conservative: for anything in [0, 1] the variance is at most ``p(1-p)``, and ties only lower it. Unequal clusters
    or weights count by Kish's size over the clusters' weights. Raises ValueError outside [0, 1].

    >>> e = win_rate_ci([1, 0.5, 0.5, 0])
    >>> e.value, round(e.low, 3), round(e.high, 3)
    (0.5, 0.15, 0.85)
    """
    data = Moments.of(values, weights, clusters)
    if data.n and not 0 <= data.low <= data.high <= 1:
        raise ValueError("a preference lies in [0, 1]: win 1, tie 0.5, loss 0")
    if data.n_clusters < 2:
        return no_interval(data, "win rate, ties as half")
    size = data.cluster_size
    low, high = wilson_interval(data.mean, size, alpha)
    method = f"ties as half, Wilson on {size:.1f} clusters (conservative)"
    return Estimate(value=data.mean, low=low, high=high, n=data.n, n_clusters=data.n_clusters, method=method)


def rate_difference_ci(a: Estimate, b: Estimate, correlation: float = 0.0) -> Estimate:
    """Rate ``b`` minus rate ``a`` from their own Wilson intervals, by Newcombe's square-and-add (Newcombe 1998).

    Stays inside [-1, 1] and has a width where all rows agree. ``correlation`` is that of the two outcomes of a pair,
    0 for independent arms. No interval where one of the rates has none.

    >>> a, b = proportion_ci([1] * 48 + [0] * 32), proportion_ci([1] * 56 + [0] * 14)
    >>> e = rate_difference_ci(a, b)
    >>> round(e.value, 3), round(e.low, 4), round(e.high, 4)
    (0.2, 0.0524, 0.3339)
    """
    known = {"n": a.n + b.n, "n_clusters": a.n_clusters + b.n_clusters}
    if a.value is None or b.value is None:
        return Estimate(value=None, method="difference of rates; no data in one arm", **known)
    value = b.value - a.value
    if a.low is None or a.high is None or b.low is None or b.high is None:
        return Estimate(value=value, method="difference of rates; no interval: one cluster in an arm", **known)
    down = _add_squares(b.value - b.low, a.high - a.value, correlation)
    up = _add_squares(b.high - b.value, a.value - a.low, correlation)
    method = f"Newcombe's square-and-add on Wilson intervals, correlation {correlation:.2f}"
    return Estimate(value=value, low=value - down, high=value + up, method=method, **known)


def _add_squares(x: float, y: float, correlation: float) -> float:
    return float(max(0.0, x * x - 2 * correlation * x * y + y * y) ** 0.5)


def paired_correlation(a: npt.ArrayLike, b: npt.ArrayLike) -> float:
    """Phi coefficient of two 0/1 outcomes of the same pairs, with Newcombe's continuity correction (his method 10):
    lowered by half a pair where it is positive, 0 where one of the outcomes does not vary.

    >>> paired_correlation([1, 1, 0, 0], [1, 1, 1, 1])
    0.0
    """
    x, y = np.asarray(a, dtype=bool), np.asarray(b, dtype=bool)
    both, neither, only_a, only_b = (float(np.sum(m)) for m in (x & y, ~x & ~y, x & ~y, ~x & y))
    margins = (both + only_a) * (only_b + neither) * (both + only_b) * (only_a + neither)
    excess = both * neither - only_a * only_b
    if margins == 0:
        return 0.0
    return float((max(excess - len(x) / 2, 0.0) if excess > 0 else excess) / margins**0.5)


def effective_size(data: Moments, alpha: float) -> tuple[float, float]:
    """Effective sample size and design effect of 0/1 data with at least two clusters; see ``proportion_ci``."""
    if data.low == data.high:
        return data.cluster_size, data.n / data.cluster_size
    independent = data.mean * (1 - data.mean) / (data.n - 1)
    effect = max(1.0, data.n / data.kish_size, data.variance / independent)
    shrink = 1.0
    if data.n_clusters < data.n:
        shrink = float(stats.norm.isf(alpha / 2) / stats.t.isf(alpha / 2, data.n_clusters - 1)) ** 2
    return data.n / effect * shrink, effect
