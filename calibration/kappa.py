"""Cohen's kappa of two raters, plain and weighted, from their table or their labels."""

import math
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from calibration.coefficients import MISSING, Coefficient, Labels, above_chance, codes_of
from calibration.tables import kappa_parts
from judgefleet.moments import Array

Weights: TypeAlias = Literal["linear", "quadratic"] | npt.ArrayLike | None


def confusion_table(a: Sequence[Any], b: Sequence[Any], labels: Labels = None) -> Array:
    """Items by label of rater ``a`` (rows) and ``b`` (columns), over ``labels`` or else those that occur, sorted.

    Items that one of them did not label are left out. Raises ValueError for unequal lengths or without a shared item.

    >>> confusion_table(["yes", "no", "no"], ["yes", "yes", "no"]).tolist()
    [[1.0, 1.0], [0.0, 1.0]]
    """
    codes, order = codes_of([a, b], labels)
    rows, columns = codes[:, (codes != MISSING).all(axis=0)]
    if not len(rows):
        raise ValueError("the two raters share no labelled item")
    table = np.zeros((len(order), len(order)))
    np.add.at(table, (rows, columns), 1.0)
    return table


def cohen_kappa(table: npt.ArrayLike, weights: Weights = None) -> Coefficient:
    """Kappa of a square table of counts, shape (q, q), with its large-sample standard error.

    ``weights`` grade how bad a disagreement is: None counts all alike, ``"linear"`` by the distance of the categories
    in the order of the table, ``"quadratic"`` by its square, or a matrix of disagreement weights, shape (q, q), with
    zeros on the diagonal. Cohen 1960 and 1968; standard error of Fleiss, Cohen & Everitt 1969. nan where both raters
    used one label only. Raises ValueError for a table that is not square, or has negative or no counts.

    >>> kappa = cohen_kappa([[20, 5], [10, 15]])
    >>> round(kappa.value, 3), round(kappa.se, 6)
    (0.4, 0.126996)
    >>> cohen_kappa([[3]]).value
    nan
    """
    counts = square_table(table)
    shares = counts / counts.sum()
    agreement = agreement_weights(weights, len(counts))
    rows, columns = shares.sum(axis=1), shares.sum(axis=0)
    observed, expected = map(float, kappa_parts(counts, agreement))
    value = above_chance(observed, expected)
    if math.isnan(value):
        return Coefficient(value=value, se=math.nan, observed=observed, expected=expected)
    # Each cell's agreement against what its row and its column would have by chance.
    by_chance = (agreement @ columns)[:, None] + (rows @ agreement)[None, :]
    spread = float((shares * (agreement - by_chance * (1 - value)) ** 2).sum())
    variance = (spread - (value - expected * (1 - value)) ** 2) / (counts.sum() * (1 - expected) ** 2)
    return Coefficient(value=value, se=max(0.0, float(variance)) ** 0.5, observed=observed, expected=expected)


def kappa_of_labels(a: Sequence[Any], b: Sequence[Any], weights: Weights = None, labels: Labels = None) -> Coefficient:
    """Kappa of two raters' labels of the same items; see ``cohen_kappa``.

    For weights give ``labels``, the whole scale: without them the labels that occur are ranks, and an unused one in
    between has no width.

    >>> round(kappa_of_labels([1, 1, 0, 0, 1], [1, 0, 0, 0, 1]).value, 4)
    0.6154
    """
    return cohen_kappa(confusion_table(a, b, labels), weights)


def square_table(table: npt.ArrayLike) -> Array:
    """``table`` as checked counts, shape (q, q)."""
    counts = np.asarray(table, dtype=np.float64)
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1]:
        raise ValueError(f"found a table of shape {counts.shape}; a row and a column are needed for each label")
    if not np.isfinite(counts).all() or (counts < 0).any() or not counts.sum() > 0:
        raise ValueError("a table holds counts from 0 up, and at least one item")
    return counts


def disagreement_weights(weights: Weights, categories: int) -> Array:
    """``weights`` as a matrix, shape (categories, categories).

    >>> disagreement_weights("quadratic", 3).tolist()
    [[0.0, 1.0, 4.0], [1.0, 0.0, 1.0], [4.0, 1.0, 0.0]]
    """
    ranks = np.arange(categories, dtype=np.float64)
    distance: Array = np.abs(ranks[:, None] - ranks[None, :])
    if weights is None:
        return np.minimum(distance, 1.0)
    if isinstance(weights, str):
        if weights not in ("linear", "quadratic"):
            raise ValueError(f"found the weights {weights!r}; allowed: linear, quadratic, or a matrix of disagreement")
        return distance if weights == "linear" else distance**2
    matrix = np.asarray(weights, dtype=np.float64)
    if matrix.shape != distance.shape or not (matrix >= 0).all() or np.diagonal(matrix).any():
        raise ValueError(f"disagreement weights are {distance.shape}, from 0 up, and 0 where the raters agree")
    return matrix


def agreement_weights(weights: Weights, categories: int) -> Array:
    """How far two labels agree, shape (categories, categories): 1 less their disagreement over the largest one.

    >>> agreement_weights("linear", 3).tolist()
    [[1.0, 0.5, 0.0], [0.5, 1.0, 0.5], [0.0, 0.5, 1.0]]
    """
    disagreement = disagreement_weights(weights, categories)
    return np.asarray(1 - disagreement / (float(disagreement.max()) or 1.0), dtype=np.float64)
