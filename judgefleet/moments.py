"""Values with weights, in clusters, and the sums of them that every interval is made of.

Weights are inverse inclusion probabilities; clusters are the units that were drawn or randomised (conversations, golden
items): rows of one cluster are not independent.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]


@dataclass(frozen=True, kw_only=True, slots=True)
class Moments:
    """What an estimate needs to know of ``n`` rows in ``n_clusters`` clusters, however many they are.

    Moments of rows that share no cluster add up (Chan, Golub & LeVeque 1983), so that never more than a part of them
    has to be held. ``mean``: Hajek's. ``low`` and ``high``: the ends of the values. ``total`` and ``squares``: sums of
    the weights and of their squares. With W the weight of a cluster and U its sum of weight times distance to the mean,
    ``cluster_squares``, ``cross`` and ``errors`` are the sums over clusters of WW, UW and UU.

    >>> Moments.of([1, 2], clusters=["a", "b"]) + Moments.of([3, 6]) == Moments.of([1, 2, 3, 6])
    True
    """

    n: int = 0
    n_clusters: int = 0
    mean: float = 0.0
    low: float = np.inf
    high: float = -np.inf
    total: float = 0.0
    squares: float = 0.0
    cluster_squares: float = 0.0
    cross: float = 0.0
    errors: float = 0.0

    @classmethod
    def of(cls, values: npt.ArrayLike, weights: npt.ArrayLike | None = None, clusters: Any = None) -> "Moments":
        """Of rows; None means equal weights, or every row a cluster of its own. Raises as ``grouped``."""
        return grouped(values, weights, clusters).moments

    def __add__(self, other: "Moments") -> "Moments":
        if not (self.n and other.n):
            return self if self.n else other
        total = self.total + other.total
        mean = self.mean + (other.mean - self.mean) * (other.total / total)
        (cross, errors), (cross_too, errors_too) = self._about(mean), other._about(mean)
        return Moments(
            n=self.n + other.n,
            n_clusters=self.n_clusters + other.n_clusters,
            mean=mean,
            low=min(self.low, other.low),
            high=max(self.high, other.high),
            total=total,
            squares=self.squares + other.squares,
            cluster_squares=self.cluster_squares + other.cluster_squares,
            cross=cross + cross_too,
            errors=errors + errors_too,
        )

    def _about(self, mean: float) -> tuple[float, float]:
        """``cross`` and ``errors``, with distances to another mean."""
        by = self.mean - mean
        cross = self.cross + by * self.cluster_squares
        return cross, self.errors + by * (self.cross + cross)

    @property
    def variance(self) -> float:
        """Of the mean, linearised and robust to clusters, of which there must be two: ``G/(G-1) * errors / total^2``.

        Särndal, Swensson & Wretman 1992, section 5.7.
        """
        return self.n_clusters / (self.n_clusters - 1) * (self.errors / self.total**2)

    @property
    def kish_size(self) -> float:
        """Kish's effective sample size of the rows; see ``statistics.kish_size``."""
        return self.total**2 / self.squares if self.n else 0.0

    @property
    def cluster_size(self) -> float:
        """The same of the clusters, by their weights."""
        return self.total**2 / self.cluster_squares if self.n else 0.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Grouped:
    """Checked rows: values, positive weights, and the cluster of each row as 0..G-1; shape (n,)."""

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

    def cluster_sums(self, per_row: Array) -> Array:
        """Sum a per-row array, shape (n,), within clusters: shape (G,)."""
        return np.bincount(self.clusters, weights=per_row, minlength=self.n_clusters).astype(np.float64)

    @property
    def moments(self) -> Moments:
        """What estimates are made of."""
        if not self.n:
            return Moments()
        mean = self.mean
        weights, errors = self.cluster_sums(self.weights), self.cluster_sums(self.weights * (self.values - mean))
        return Moments(
            n=self.n,
            n_clusters=self.n_clusters,
            mean=mean,
            low=float(self.values.min()),
            high=float(self.values.max()),
            total=self.total,
            squares=float(self.weights @ self.weights),
            cluster_squares=float(weights @ weights),
            cross=float(errors @ weights),
            errors=float(errors @ errors),
        )


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
