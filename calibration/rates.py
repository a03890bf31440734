"""Rates with exact intervals: agreement, sensitivity, flips. What a gate decides by must cover at every sample size."""

from typing import Any

import numpy as np
import numpy.typing as npt

from judgefleet.binomial import exact_bound
from judgefleet.moments import Moments
from judgefleet.proportions import effective_size
from judgefleet.statistics import Estimate, no_interval


def exact_interval(rate: float, n: float, alpha: float = 0.05) -> tuple[float, float]:
    """Clopper and Pearson's interval for ``rate`` in [0, 1] out of ``n`` > 0 trials, ``alpha / 2`` on each side.

    Clopper & Pearson 1934: covers at least ``1 - alpha`` for every true rate and every n, where Wilson's falls to 0.93
    for some. ``n`` may be an effective size that is not whole (Korn & Graubard 1998).

    >>> low, high = exact_interval(15 / 148, 148)
    >>> round(low, 7), round(high, 7)
    (0.057844, 0.1616505)
    """
    hits = min(rate * n, n)
    return exact_bound(hits, n, alpha / 2), 1 - exact_bound(n - hits, n, alpha / 2)


def rate_ci(
    values: npt.ArrayLike, weights: npt.ArrayLike | None = None, clusters: Any = None, alpha: float = 0.05
) -> Estimate:
    """Rate of ones with the exact interval on the effective sample size, for weights and clusters.

    Korn & Graubard 1998. The effective size is that of ``proportions.proportion_ci``. Conservative: in the simulations
    of tests/statistics it covers 0.95 and more. Raises ValueError for values other than 0 and 1.

    >>> e = rate_ci([1] * 6 + [0] * 2)
    >>> e.value, round(e.low, 3), round(e.high, 3)
    (0.75, 0.349, 0.968)
    """
    data = Moments.of(values, weights, clusters)
    if not np.isin(np.asarray(values), (0.0, 1.0)).all():
        raise ValueError("a rate is made of zeros and ones")
    if data.n_clusters < 2:
        return no_interval(data, "rate")
    size, effect = effective_size(data, alpha)
    low, high = exact_interval(data.mean, size, alpha)
    method = f"Clopper-Pearson, effective n {size:.1f} of {data.n} (design effect {effect:.2f})"
    return Estimate(value=data.mean, low=low, high=high, n=data.n, n_clusters=data.n_clusters, method=method)
