"""Logistic regression with standard errors clustered by conversation; small enough to read."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.special import expit

Array = npt.NDArray[np.float64]
_ROUNDS = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Fit:
    """Coefficients on the log-odds scale, shape (p,), and their covariance, shape (p, p)."""

    coefficients: Array
    covariance: Array
    n_clusters: int

    def interval(self, place: int, alpha: float = 0.05) -> tuple[float, float]:
        """Coefficient ``place`` with Student's t on G-1 degrees of freedom."""
        half = float(stats.t.isf(alpha / 2, self.n_clusters - 1)) * float(self.covariance[place, place]) ** 0.5
        return float(self.coefficients[place]) - half, float(self.coefficients[place]) + half


def fit_logistic(x: Array, y: Array, clusters: Any) -> Fit | None:
    """Maximum likelihood by Newton's method; x of shape (n, p) with its own constant, y of zeros and ones, shape (n,).

    Sandwich covariance over clusters (Liang & Zeger 1986), scaled by G/(G-1). None where there is no finite maximum
    (a column separates the outcomes, or does not vary) or fewer clusters than twice the columns.
    """
    codes = np.unique(clusters, return_inverse=True)[1]
    groups = int(codes.max()) + 1 if len(codes) else 0
    if groups < 2 * x.shape[1]:
        return None
    beta = np.zeros(x.shape[1])
    for _ in range(_ROUNDS):
        p = expit(x @ beta)
        hessian = (x * (p * (1 - p))[:, None]).T @ x
        if np.linalg.cond(hessian) > 1e10:
            return None
        step = np.linalg.solve(hessian, x.T @ (y - p))
        beta = beta + step
        if np.abs(step).max() < 1e-10:
            return _with_covariance(beta, x, y, codes, groups)
    return None


def _with_covariance(beta: Array, x: Array, y: Array, codes: Any, groups: int) -> Fit:
    p = expit(x @ beta)
    bread = np.linalg.inv((x * (p * (1 - p))[:, None]).T @ x)
    scores = np.zeros((groups, x.shape[1]))
    np.add.at(scores, codes, x * (y - p)[:, None])
    return Fit(
        coefficients=beta, covariance=groups / (groups - 1) * bread @ scores.T @ scores @ bread, n_clusters=groups
    )
