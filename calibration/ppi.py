"""Prediction-powered inference: many judge scores, corrected by a few human labels of the same population.

The labels must be a random sample (or one with known probabilities) of what the judge scored. With fewer than about
200 labels the interval is too short: bin the scores and use ``calibration.prevalence.post_stratified`` instead.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from judgefleet.moments import Array
from judgefleet.ranges import need_positive, need_share


@dataclass(frozen=True, kw_only=True, slots=True)
class Corrected:
    """A mean that labels have corrected. ``lam`` is how far the judge was trusted: 0 labels alone, 1 fully."""

    value: float
    se: float
    lam: float
    n_labels: int

    def interval(self, alpha: float = 0.05) -> tuple[float, float]:
        """Normal interval; it does not know the ends of the scale."""
        need_share(alpha=alpha)
        half = float(stats.norm.isf(alpha / 2)) * self.se
        return self.value - half, self.value + half


def ppi_mean(
    labels: npt.ArrayLike,
    judged: npt.ArrayLike,
    judged_unlabelled: npt.ArrayLike,
    *,
    lam: float | None = None,
    ddof: int = 0,
) -> Corrected:
    """PPI++ mean of ``labels`` (n,) with the judge's scores of the same items (n,) and of unlabelled ones (N,).

    ``mean(lam * unlabelled) + mean(labels - lam * judged)``, Angelopoulos, Duchi & Zrnic 2023, PPI++. ``lam`` None is
    tuned to the smallest variance (``tuned_lambda``). ``ddof`` is that of both variances; 0 as in ppi-python.

    >>> found = ppi_mean([1, 0, 1, 1], [0.9, 0.2, 0.8, 0.5], [0.4, 0.9, 0.7, 0.6, 0.8], lam=1.0)
    >>> round(found.value, 3), round(found.se, 4)
    (0.83, 0.1468)
    """
    y, f, g = _vector(labels), _vector(judged), _vector(judged_unlabelled)
    if len(y) != len(f) or len(y) < 2 or len(g) < 2:
        raise ValueError(f"found {len(y)} labels, {len(f)} scores of them and {len(g)} others; needed: as many, each 2")
    trust = tuned_lambda(y, f, g) if lam is None else lam
    value = trust * g.mean() + (y - trust * f).mean()
    variance = trust**2 * g.var(ddof=ddof) / len(g) + (y - trust * f).var(ddof=ddof) / len(y)
    return Corrected(value=float(value), se=float(variance) ** 0.5, lam=float(trust), n_labels=len(y))


def tuned_lambda(labels: npt.ArrayLike, judged: npt.ArrayLike, judged_unlabelled: npt.ArrayLike) -> float:
    """The trust in the judge with the smallest variance, cut to [0, 1].

    ``cov(Y, f) / ((1 + n / N) var(f))``, with the conventions of ppi-python: covariance over the labelled items
    divided by n, variance over all items by n + N - 1. 0 for a judge whose scores do not vary.
    """
    y, f, g = _vector(labels), _vector(judged), _vector(judged_unlabelled)
    spread = float(np.concatenate([f, g]).var(ddof=1)) * (1 + len(f) / len(g))
    together = float(((y - y.mean()) * (f - f.mean())).mean())
    return min(1.0, max(0.0, together / spread)) if spread > 0 else 0.0


def active_mean(
    judged: npt.ArrayLike, labelled: npt.ArrayLike, probability: npt.ArrayLike, labels: npt.ArrayLike
) -> Corrected:
    """Mean of human labels where each item was sent to a human with its own, recorded ``probability``.

    ``mean(f + (y - f) xi / pi)``, Zrnic & Candes 2024, Active Statistical Inference; all of shape (n,). ``labelled`` is
    1 for items with a label; elsewhere ``labels`` may hold anything, nan too. Raises ValueError for a probability
    outside (0, 1] or a label that is missing.

    >>> found = active_mean([0.9, 0.2, 0.8], [1, 0, 1], [0.5, 0.4, 0.8], [1, float("nan"), 1])
    >>> round(found.value, 4), round(found.se, 4)
    (0.7833, 0.292)
    """
    f, xi, pi = _vector(judged), _vector(labelled), _vector(probability)
    y = np.asarray(labels, dtype=np.float64)
    if not len(f) == len(xi) == len(pi) == len(y) or len(f) < 2:
        raise ValueError(f"found {len(f)} scores, {len(xi)} marks, {len(pi)} probabilities, {len(y)} labels; all alike")
    if not (np.isin(xi, (0, 1)).all() and (pi > 0).all() and (pi <= 1).all()):
        raise ValueError("marks are 0 or 1, and probabilities lie above 0 and up to 1")
    chosen = xi == 1
    if not np.isfinite(y[chosen]).all():
        raise ValueError("found an item that is marked as labelled and has no label")
    corrected = f.copy()
    corrected[chosen] += (y[chosen] - f[chosen]) / pi[chosen]
    se = float(corrected.std(ddof=1)) / len(f) ** 0.5
    return Corrected(value=float(corrected.mean()), se=se, lam=1.0, n_labels=int(chosen.sum()))


def effective_labels(correlation: float, n: int, n_unlabelled: int) -> float:
    """How many labels alone would be worth as much as ``n`` labels with ``n_unlabelled`` scores, at the best lambda.

    ``n / (1 - rho^2 N / (n + N))``: at a correlation of 0.7 never more than twice the labels, however many scores.

    >>> round(effective_labels(0.7, 200, 10_000), 1)
    384.9
    """
    need_positive(n=n)
    if not (-1 <= correlation <= 1 and n_unlabelled >= 0):
        raise ValueError(f"found correlation {correlation!r} and {n_unlabelled!r} scores; allowed: -1 to 1, from 0")
    return n / (1 - correlation**2 * n_unlabelled / (n + n_unlabelled))


def least_correlation(n: int) -> float:
    """Correlation of judge and labels below which the labels alone are better: ``1 / sqrt(n - 2)``.

    Mani et al. 2025, for normal data, with ``n`` labels to learn lambda from. Raises ValueError below 3 labels.

    >>> least_correlation(102)
    0.1
    """
    if n < 3:
        raise ValueError(f"found n = {n!r} labels; at least 3 are needed")
    return 1 / math.sqrt(n - 2)


def _vector(values: npt.ArrayLike) -> Array:
    found = np.asarray(values, dtype=np.float64)
    if found.ndim != 1 or not np.isfinite(found).all():
        raise ValueError("scores and labels are lists of finite numbers")
    return found
