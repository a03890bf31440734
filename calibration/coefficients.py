"""What the coefficients of agreement share: a value with its standard error, and labels as numbers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from scipy import stats

from judgefleet.ranges import need_share

Codes: TypeAlias = npt.NDArray[np.intp]
# One sequence a rater, each as long as there are items; None or NaN where a rater gave no label.
Ratings: TypeAlias = Sequence[Sequence[Any]]
# All labels that can be given, in their order; None means those that occur.
Labels: TypeAlias = Sequence[Any] | None
MISSING = -1


@dataclass(frozen=True, kw_only=True, slots=True)
class Coefficient:
    """A coefficient of agreement, the agreement it is made of, and its standard error for independent items.

    ``value`` is nan where the coefficient is undefined (both raters used one and the same label throughout): every
    comparison with nan is false, so that a gate which asks for at least a threshold stays shut. ``se`` is nan where it
    cannot be estimated. Items that come in clusters make ``se`` too small: resample conversations then.
    """

    value: float
    se: float
    observed: float
    expected: float

    @property
    def defined(self) -> bool:
        """Whether there is a value."""
        return math.isfinite(self.value)

    def interval(self, alpha: float = 0.05) -> tuple[float, float]:
        """``value`` plus and minus the normal quantile times ``se``; not cut at 1, nan without a standard error."""
        need_share(alpha=alpha)
        half = float(stats.norm.isf(alpha / 2)) * self.se
        return self.value - half, self.value + half


def above_chance(observed: float, expected: float) -> float:
    """``(observed - expected) / (1 - expected)``, nan where all agreement is expected by chance.

    >>> above_chance(0.7, 0.5), above_chance(1.0, 1.0)
    (0.3999999999999999, nan)
    """
    # A sum of shares may miss 1 by rounding; nobody has 1e12 labels.
    return (observed - expected) / (1 - expected) if 1 - expected > 1e-12 else math.nan


def codes_of(ratings: Ratings, labels: Labels = None) -> tuple[Codes, list[Any]]:
    """Labels as their positions, shape (raters, items), ``MISSING`` for none; and the labels in order.

    The order is that of ``labels``, or else those that occur are sorted, numbers as numbers and all else as text.
    Raises ValueError unless all raters have as many items, at least one, and for a label that is not in ``labels``.

    >>> codes, order = codes_of([["good", "bad", None], ["good", "good", "bad"]])
    >>> codes.tolist(), order
    ([[1, 0, -1], [1, 1, 0]], ['bad', 'good'])
    """
    lengths = {len(row) for row in ratings}
    if len(lengths) != 1 or lengths == {0}:
        raise ValueError(f"found raters with {sorted(lengths)} items; each needs as many, at least one")
    order = _in_order({label for row in ratings for label in row if not _is_missing(label)}, labels)
    place = {label: position for position, label in enumerate(order)}
    codes = [[MISSING if _is_missing(label) else place[label] for label in row] for row in ratings]
    return np.array(codes, dtype=np.intp), order


def counts_by_item(codes: Codes, categories: int) -> npt.NDArray[np.float64]:
    """How many raters gave an item each label, shape (items, categories)."""
    counts = np.zeros((codes.shape[1], categories))
    for category in range(categories):
        counts[:, category] = (codes == category).sum(axis=0)
    return counts


def _in_order(found: set[Any], labels: Labels) -> list[Any]:
    if labels is not None:
        if unknown := sorted(found - set(labels), key=str):
            raise ValueError(f"found the label {unknown[0]!r}; allowed: {', '.join(map(repr, labels))}")
        return list(labels)
    return sorted(found, key=None if all(map(_is_number, found)) else str)


def _is_missing(label: Any) -> bool:
    return label is None or (_is_number(label) and math.isnan(label))


def _is_number(label: Any) -> bool:
    return isinstance(label, int | float | np.integer | np.floating)
