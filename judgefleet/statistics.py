"""Means, rates and differences with intervals that respect sampling weights and clusters.

Pure functions over arrays. Weights are inverse inclusion probabilities; clusters are the units that were
drawn or randomised (conversations, golden items): rows of one cluster are not independent. An interval that
the data cannot support is None, with the reason in ``method``; it is never a guess and the value is never 0.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Estimate:
    """A figure and its interval. ``value`` is None without data; ``low`` and ``high`` are None where no
    interval can be given, and ``method`` then says why."""

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int
    n_clusters: int
    method: str

    @property
    def has_interval(self) -> bool:
        """Whether both ends are known."""
        return self.low is not None and self.high is not None


@dataclass(frozen=True, kw_only=True, slots=True)
class Grouped:
    """Checked input of every function here: values, positive weights, and the cluster of each row as 0..G-1."""

    values: Array
    weights: Array
    clusters: npt.NDArray[np.intp]

    @property
    def n(self) -> int:
        """Number of rows."""
        return len(self.values)

    @property
    def n_clusters(self) -> int:
        """Number of clusters."""
        return int(self.clusters.max()) + 1 if self.n else 0

    @property
    def total(self) -> float:
        """Sum of the weights, added up in the order of the mean's numerator, so that all ones average to exactly 1."""
        return float(self.weights @ np.ones(self.n))

    @property
    def mean(self) -> float:
        """Hajek mean."""
        return float(self.weights @ self.values) / self.total

    @property
    def influence(self) -> Array:
        """Each cluster's share in the error of the mean, shape (G,): sums of weight times residual."""
        shares = self.weights / self.total
        return self.cluster_sums(shares * (self.values - self.mean))

    def cluster_sums(self, per_row: Array) -> Array:
        """Sum a per-row array, shape (n,), within clusters: shape (G,)."""
        return np.bincount(self.clusters, weights=per_row, minlength=self.n_clusters).astype(np.float64)


def grouped(values: npt.ArrayLike, weights: npt.ArrayLike | None = None, clusters: Any = None) -> Grouped:
    """Check the input; None means equal weights, or every row a cluster of its own.

    Raises ValueError for unequal lengths, values that are not finite, or weights that are not positive.
    """
    x = np.asarray(values, dtype=np.float64)
    w = np.ones_like(x) if weights is None else np.asarray(weights, dtype=np.float64)
    labels = np.arange(len(x)) if clusters is None else np.asarray(clusters)
    if not len(x) == len(w) == len(labels):
        raise ValueError(f"{len(x)} values, {len(w)} weights, {len(labels)} clusters: lengths must agree")
    if not (np.isfinite(x).all() and np.isfinite(w).all() and (w > 0).all()):
        raise ValueError("values must be finite and weights finite and positive")
    codes = np.unique(labels, return_inverse=True)[1]
    return Grouped(values=x, weights=w, clusters=codes.astype(np.intp))


def kish_size(weights: npt.ArrayLike) -> float:
    """Kish's effective sample size ``(sum w)^2 / sum w^2`` (Kish 1965, Survey Sampling, 11.7).

    >>> kish_size([1, 1, 1, 1]), round(kish_size([1, 1, 4]), 9)
    (4.0, 2.0)
    """
    w = np.asarray(weights, dtype=np.float64)
    return float(w.sum() ** 2 / (w @ w)) if len(w) else 0.0


def cluster_variance(influence: Array) -> float:
    """Variance of an estimate from its clusters' influences: ``G/(G-1) * sum u_g^2``, G at least 2."""
    count = len(influence)
    return float(count / (count - 1) * (influence @ influence))


def weighted_mean_ci(
    values: npt.ArrayLike, weights: npt.ArrayLike | None = None, clusters: Any = None, alpha: float = 0.05
) -> Estimate:
    """Hajek mean with a cluster-robust linearised variance and Student's t with G-1 degrees of freedom.

    Särndal, Swensson & Wretman 1992, section 5.7. Equal to WLS on a constant with clustered errors. For scores
    crowded at an end of their scale it covers a little less than it says (0.92 for 0.95 with 30 clusters in the
    simulation of the tests, mean 4.7 of 5); rates have ``proportion_ci``.

    >>> weighted_mean_ci([3.0, 4.0, 4.0, 5.0]).value
    4.0
    """
    data = grouped(values, weights, clusters)
    known = {"n": data.n, "n_clusters": data.n_clusters}
    if data.n_clusters < 2:
        return no_interval(data, "mean")
    variance = cluster_variance(data.influence)
    if variance <= (1e-12 * np.abs(data.values).max()) ** 2:
        return Estimate(value=data.mean, method="mean; no interval: all equal", **known)
    half = stats.t.isf(alpha / 2, data.n_clusters - 1) * variance**0.5
    method = f"Hajek mean, t with {data.n_clusters - 1} degrees of freedom"
    return Estimate(value=data.mean, low=data.mean - half, high=data.mean + half, method=method, **known)


def no_interval(data: Grouped, what: str) -> Estimate:
    """The estimate of fewer than two clusters: the value there is, and no interval."""
    if not data.n:
        return Estimate(value=None, n=0, n_clusters=0, method=f"{what}; no data")
    method = f"{what}; no interval: one cluster"
    return Estimate(value=data.mean, n=data.n, n_clusters=data.n_clusters, method=method)


def difference_ci(a: Grouped, b: Grouped, alpha: float = 0.05) -> Estimate:
    """Mean of ``b`` minus mean of ``a``, independent arms, Welch's t (Satterthwaite degrees of freedom).

    ``n`` and ``n_clusters`` count both arms. Needs two clusters in each arm for an interval.
    """
    known = {"n": a.n + b.n, "n_clusters": a.n_clusters + b.n_clusters}
    if not (a.n and b.n):
        return Estimate(value=None, method="difference of means; no data in one arm", **known)
    value = b.mean - a.mean
    if min(a.n_clusters, b.n_clusters) < 2:
        return Estimate(value=value, method="difference of means; no interval: one cluster in an arm", **known)
    parts = [(cluster_variance(arm.influence), arm.n_clusters - 1) for arm in (a, b)]
    variance = sum(v for v, _ in parts)
    if variance <= 1e-24 * max(np.abs(a.values).max(), np.abs(b.values).max()) ** 2:
        return Estimate(value=value, method="difference of means; no interval: all equal", **known)
    degrees = variance**2 / sum(v**2 / df for v, df in parts)
    half = stats.t.isf(alpha / 2, degrees) * variance**0.5
    method = f"Welch difference of Hajek means, t with {degrees:.1f} degrees of freedom"
    return Estimate(value=value, low=value - half, high=value + half, method=method, **known)
