"""Many tests at once: adjusted p values, and e-BH for e values.

Which one: none for a primary metric, Holm or Hommel for guardrails, BH for exploratory slices (BY where their
dependence is unknown), e-BH for metrics that are watched continuously.
"""

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from judgefleet.moments import Array
from judgefleet.ranges import need_share

# A p value that sits on its threshold counts as below it; arithmetic may leave it a rounding error above.
_ROUNDING = 1e-12


def adjusted_p_values(p: npt.ArrayLike, method: str) -> Array:
    """Adjusted p values in the order of ``p``, shape (m,): a hypothesis is rejected where its own is at most alpha.

    Family-wise error: ``bonferroni``, ``holm`` (Holm 1979), ``hochberg`` (1988), ``hommel`` (1988; the last two need
    independence or positive dependence). False discovery rate: ``fdr_bh`` (Benjamini & Hochberg 1995), ``fdr_by``
    (Benjamini & Yekutieli 2001, any dependence). Raises ValueError for p values outside [0, 1] or another method.

    >>> [round(float(p), 3) for p in adjusted_p_values([0.01, 0.04, 0.03], "holm")]
    [0.03, 0.06, 0.06]
    """
    values = np.asarray(p, dtype=np.float64)
    if values.ndim != 1 or not ((values >= 0) & (values <= 1)).all():
        raise ValueError("p values form one list of numbers from 0 to 1")
    if method not in _METHODS:
        raise ValueError(f"found the method {method!r}; allowed: {', '.join(_METHODS)}")
    if not len(values):
        return values
    order = np.argsort(values, kind="stable")
    adjusted = np.empty_like(values)
    adjusted[order] = np.minimum(_METHODS[method](values[order]), 1.0)
    return adjusted


def rejections(p: npt.ArrayLike, method: str, alpha: float = 0.05) -> npt.NDArray[np.bool_]:
    """Which hypotheses are rejected at level ``alpha``, in the order of ``p``.

    >>> rejections([0.01, 0.02, 0.03, 0.04, 0.05], "fdr_bh").tolist()
    [True, True, True, True, True]
    """
    need_share(alpha=alpha)
    return adjusted_p_values(p, method) <= alpha * (1 + _ROUNDING)


def e_bh(e: npt.ArrayLike, alpha: float = 0.05) -> npt.NDArray[np.intp]:
    """Indices of the rejected hypotheses, ascending, by Benjamini-Hochberg on e values (Wang & Ramdas 2022).

    Rejects the k largest, k the largest rank with ``k * e_(k) / m >= 1 / alpha``. The false discovery rate is at most
    alpha under any dependence, and at any time the e processes are looked at. Raises ValueError for negative e values.

    >>> e_bh([2.0, 120.0, 45.0, 60.0, 30.0]).tolist()
    [1, 2, 3, 4]
    """
    need_share(alpha=alpha)
    values = np.asarray(e, dtype=np.float64)
    if values.ndim != 1 or not (values >= 0).all():
        raise ValueError("e values form one list of numbers from 0 up")
    order = np.argsort(-values, kind="stable")
    ranks = np.arange(1, len(values) + 1)
    enough = np.flatnonzero(ranks * values[order] * alpha >= len(values) * (1 - _ROUNDING))
    return np.sort(order[: enough[-1] + 1] if len(enough) else order[:0])


def _bonferroni(p: Array) -> Array:
    return p * len(p)


def _holm(p: Array) -> Array:
    return np.maximum.accumulate(p * np.arange(len(p), 0, -1))


def _hochberg(p: Array) -> Array:
    return _running_minimum(p * np.arange(len(p), 0, -1))


def _bh(p: Array) -> Array:
    return _running_minimum(p * len(p) / np.arange(1, len(p) + 1))


def _by(p: Array) -> Array:
    return _bh(p) * float(np.sum(1 / np.arange(1, len(p) + 1)))


def _running_minimum(p: Array) -> Array:
    return np.asarray(np.minimum.accumulate(p[::-1])[::-1])


def _hommel(p: Array) -> Array:
    """Wright 1992: the closed test built from Simes' test, one subset size after the other."""
    n = len(p)
    adjusted = np.full(n, float(np.min(n * p / np.arange(1, n + 1))))
    for size in range(n - 1, 1, -1):
        few = n - size + 1
        last = float(np.min(size * p[few:] / np.arange(2, size + 1)))
        simes = np.minimum(size * p, last)
        simes[few:] = simes[few - 1]
        adjusted = np.maximum(adjusted, simes)
    return np.asarray(np.maximum(adjusted, p), dtype=np.float64)


_METHODS: dict[str, Callable[[Array], Array]] = {
    "bonferroni": _bonferroni,
    "holm": _holm,
    "hochberg": _hochberg,
    "hommel": _hommel,
    "fdr_bh": _bh,
    "fdr_by": _by,
}
