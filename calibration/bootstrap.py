"""The cluster bootstrap: resample conversations, not answers, and read the interval off the resampled figures."""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from judgefleet.statistics import Estimate

Draws = npt.NDArray[np.float64]
RESAMPLES = 2000
_MOST_UNDEFINED = 0.05


def resamples(clusters: int, draws: int = RESAMPLES, seed: int = 0) -> Draws:
    """How often each cluster is drawn, shape (draws, clusters); each row adds up to ``clusters``. Seeded: the same
    audit gives the same interval each time."""
    rng = np.random.default_rng(seed)
    return rng.multinomial(clusters, np.full(clusters, 1 / clusters), size=draws).astype(np.float64)


def bootstrap_ci(
    per_cluster: npt.NDArray[np.float64],
    statistic: Callable[[Any], Any],
    *,
    n: int,
    what: str,
    alpha: float = 0.05,
    draws: int = RESAMPLES,
) -> Estimate:
    """A statistic of sums over clusters, with the percentile interval of Efron (1979) over resampled clusters.

    ``per_cluster`` has the shape (G, ...); ``statistic`` maps sums of shape (..., *) to one number each, NaN where it
    is undefined. No interval with fewer than ten clusters, or where more than 5 % of the resamples are undefined.
    """
    clusters = len(per_cluster)
    value = float(statistic(per_cluster.sum(0)))
    known = {"n": n, "n_clusters": clusters}
    if not np.isfinite(value):
        return Estimate(value=None, method=f"{what}; undefined: one class only", **known)
    if clusters < 10:
        return Estimate(value=value, method=f"{what}; no interval: fewer than 10 clusters", **known)
    flat = resamples(clusters, draws) @ per_cluster.reshape(clusters, -1)
    found = statistic(flat.reshape(draws, *per_cluster.shape[1:]))
    defined = found[np.isfinite(found)]
    if len(defined) < (1 - _MOST_UNDEFINED) * draws:
        return Estimate(value=value, method=f"{what}; no interval: undefined in too many resamples", **known)
    if np.ptp(defined) < 1e-12:
        return Estimate(value=value, method=f"{what}; no interval: the same in every resample", **known)
    low, high = np.quantile(defined, (alpha / 2, 1 - alpha / 2))
    method = f"{what}, percentiles of {draws:,} resamples of {clusters} clusters"
    return Estimate(value=value, low=float(min(low, value)), high=float(max(high, value)), method=method, **known)
