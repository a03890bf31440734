"""Agreement coefficients from tables of counts, many tables at once.

A table has the shape (..., q, q): rows are what people said, columns what the judge said, entries are (weighted)
counts. Leading axes are kept, so that two thousand bootstrap resamples are one call. A coefficient that the table
leaves undefined is NaN, never a number.
"""

from typing import Any

import numpy as np
import numpy.typing as npt

Tables = npt.NDArray[np.float64]


def raw_agreement(tables: Tables) -> Any:
    """Share of the diagonal, shape (...).

    >>> float(raw_agreement(np.array([[20.0, 5.0], [10.0, 15.0]])))
    0.7
    """
    return _divided(np.trace(tables, axis1=-2, axis2=-1), tables.sum((-2, -1)))


def cohen_kappa(tables: Tables, weights: Tables | None = None) -> Any:
    """Cohen's kappa, shape (...); see ``calibration.kappa`` for one table with its standard error.

    >>> round(float(cohen_kappa(np.array([[20.0, 5.0], [10.0, 15.0]]))), 6)
    0.4
    >>> bool(np.isnan(cohen_kappa(np.array([[3.0, 0.0], [0.0, 0.0]]))))
    True
    """
    observed, expected = kappa_parts(tables, weights)
    return _divided(observed - expected, 1 - expected)


def kappa_parts(tables: Tables, weights: Tables | None = None) -> tuple[Any, Any]:
    """Agreement observed and expected by chance, both of shape (...): ``weights`` of shape (q, q) say how far two
    labels agree, 1 on the diagonal; None: only equal ones do. Cohen 1960, 1968."""
    weigh = np.eye(tables.shape[-1]) if weights is None else weights
    shares = _divided(tables, tables.sum((-2, -1), keepdims=True))
    chance = shares.sum(-1)[..., :, None] * shares.sum(-2)[..., None, :]
    return (weigh * shares).sum((-2, -1)), (weigh * chance).sum((-2, -1))


def gwet_ac1(tables: Tables) -> Any:
    """Gwet's AC1, shape (...): as kappa, with a chance agreement that a rare class does not drive up.

    >>> round(float(gwet_ac1(np.array([[80.0, 10.0], [5.0, 5.0]]))), 6)
    0.808
    """
    observed, expected = ac1_parts(tables)
    return _divided(observed - expected, 1 - expected)


def ac1_parts(tables: Tables) -> tuple[Any, Any]:
    """Agreement observed and expected by chance, ``sum pi (1 - pi) / (q - 1)``, both of shape (...). Gwet 2008."""
    shares = _divided(tables, tables.sum((-2, -1), keepdims=True))
    marginal = (shares.sum(-1) + shares.sum(-2)) / 2
    expected = (marginal * (1 - marginal)).sum(-1) / (tables.shape[-1] - 1)
    return np.trace(shares, axis1=-2, axis2=-1), expected


def krippendorff_nominal(tables: Tables) -> Any:
    """Krippendorff's alpha of two raters without missing answers, nominal level, shape (...). Krippendorff 2011.
    Other levels, more raters and missing answers: ``calibration.alpha``.

    >>> round(float(krippendorff_nominal(np.array([[4.0, 1.0], [1.0, 4.0]]))), 4)
    0.62
    """
    coincidences = tables + np.swapaxes(tables, -2, -1)
    totals = coincidences.sum(-1)
    n = totals.sum(-1)
    seen = n - np.trace(coincidences, axis1=-2, axis2=-1)
    expected = n * n - (totals * totals).sum(-1)
    return 1 - _divided((n - 1) * seen, expected)


def _divided(top: Any, bottom: Any) -> Any:
    """``top / bottom``, NaN where the bottom is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(np.abs(bottom) < 1e-12, np.nan, top / np.where(np.abs(bottom) < 1e-12, 1.0, bottom))
