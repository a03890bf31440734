"""Gwet's AC1 and Fleiss' kappa: agreement of several raters on nominal labels, with missing labels.

AC1 stays near the raw agreement where one label is rare, where kappa falls (the paradox of Feinstein & Cicchetti).
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calibration.coefficients import Coefficient, Labels, Ratings, above_chance, codes_of, counts_by_item
from calibration.kappa import square_table
from calibration.tables import ac1_parts
from judgefleet.moments import Array


def ac1_of_table(table: npt.ArrayLike) -> Coefficient:
    """AC1 of two raters from their square table of counts, shape (q, q).

    Chance agreement is ``sum pi (1 - pi) / (q - 1)`` over the mean share pi of each label, q the number of rows.
    Standard error of Gwet 2008, Computing inter-rater reliability and its variance in the presence of high agreement.
    nan with one label only.

    >>> ac1 = ac1_of_table([[80, 10], [5, 5]])
    >>> round(ac1.value, 3), round(ac1.se, 5)
    (0.808, 0.05213)
    """
    counts = square_table(table)
    n, q = counts.sum(), len(counts)
    if q < 2:
        return Coefficient(value=math.nan, se=math.nan, observed=1.0, expected=math.nan)
    shares = counts / n
    means = (shares.sum(axis=0) + shares.sum(axis=1)) / 2
    observed, expected = map(float, ac1_parts(counts))
    value = above_chance(observed, expected)
    chance = (1 - np.add.outer(means, means) / 2) / (q - 1)
    spread = float((shares * (np.eye(q) - 2 * (1 - value) * chance) ** 2).sum())
    variance = (spread - (observed - 2 * (1 - value) * expected) ** 2) / (n * (1 - expected) ** 2)
    return Coefficient(value=value, se=max(0.0, float(variance)) ** 0.5, observed=observed, expected=expected)


def ac1_of_ratings(ratings: Ratings, labels: Labels = None) -> Coefficient:
    """AC1 of any number of raters: one sequence of labels a rater, None for a missing label.

    The categories are ``labels``, or those that occur: name them, since a label that could be given and never was still
    lowers the agreement expected by chance. An item with one label helps to estimate chance but not agreement. Standard
    error over items, raters fixed: Gwet 2014, Handbook of Inter-Rater Reliability, chapter 5. nan where no item has two
    labels, or there is one category.

    >>> a, b, c = [1, 1, 2, 3, 2, None], [1, 1, 2, 3, 3, 2], [1, 2, 2, 3, None, None]
    >>> ac1 = ac1_of_ratings([a, b, c])
    >>> round(ac1.value, 4), round(ac1.se, 4)
    (0.5108, 0.3132)
    """
    items = _items(ratings, labels)
    categories = items.counts.shape[1]
    if categories < 2 or not len(items.counts):
        return items.undefined
    shares = items.shares
    expected = float(shares @ (1 - shares)) / (categories - 1)
    by_item = items.counts @ (1 - shares) / items.sizes / (categories - 1)
    return items.coefficient(expected, by_item)


def fleiss_kappa(ratings: Ratings) -> Coefficient:
    """Fleiss' kappa for any number of raters, who need not label every item; ``ratings`` as in ``ac1_of_ratings``.

    Fleiss 1971 where nothing is missing; the generalisation and the standard error over items are of Gwet 2014.

    >>> a, b, c = [1, 1, 2, 3, 2, None], [1, 1, 2, 3, 3, 2], [1, 2, 2, 3, None, None]
    >>> kappa = fleiss_kappa([a, b, c])
    >>> round(kappa.value, 4), round(kappa.se, 4)
    (0.477, 0.3598)
    """
    items = _items(ratings)
    if not len(items.counts):
        return items.undefined
    shares = items.shares
    return items.coefficient(float(shares @ shares), items.counts @ shares / items.sizes)


@dataclass(frozen=True, slots=True)
class _Items:
    """How often each labelled item got each label, shape (n, q)."""

    counts: Array

    @property
    def sizes(self) -> Array:
        return np.asarray(self.counts.sum(axis=1))

    @property
    def shares(self) -> Array:
        """Mean over items of each label's share."""
        return np.asarray((self.counts / self.sizes[:, None]).mean(axis=0))

    @property
    def undefined(self) -> Coefficient:
        return Coefficient(value=math.nan, se=math.nan, observed=math.nan, expected=math.nan)

    def coefficient(self, expected: float, expected_by_item: Array) -> Coefficient:
        """The coefficient for an agreement by chance, and what each item says of that chance, shape (n,)."""
        n, paired = len(self.counts), self.sizes > 1
        if not paired.any():
            return self.undefined
        pairs = np.where(paired, self.sizes * (self.sizes - 1), 1)
        agreement = (self.counts * (self.counts - 1)).sum(axis=1) / pairs
        observed = float(agreement[paired].mean())
        value = above_chance(observed, expected)
        if math.isnan(value) or n < 2:
            return Coefficient(value=value, se=math.nan, observed=observed, expected=expected)
        own = n / paired.sum() * np.where(paired, agreement - expected, 0) / (1 - expected)
        linear = own - 2 * (1 - value) * (expected_by_item - expected) / (1 - expected)
        se = float(((linear - value) ** 2).sum() / (n * (n - 1))) ** 0.5
        return Coefficient(value=value, se=se, observed=observed, expected=expected)


def _items(ratings: Ratings, labels: Labels = None) -> _Items:
    codes, order = codes_of(ratings, labels)
    counts = counts_by_item(codes, len(order))
    return _Items(counts[counts.sum(axis=1) > 0])
