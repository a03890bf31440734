"""Chances of being drawn: with a floor in a window, and with rates lowered until a budget holds.

Both follow from what there is to draw from, never from what was drawn, so they are the inclusion probabilities that
Horvitz and Thompson (1952) divide by. The derivation is in docs/decisions/0008-sampling-plans.md.
"""

import math
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
from scipy import special

Floats = npt.NDArray[np.float64]
Places = npt.NDArray[np.int64]
# The factor is rounded down to so many decimals: machines whose last bits differ agree on it.
_DECIMALS = 6
_DEVIATIONS = 3.0


def floored_probability(units: npt.ArrayLike, rate: npt.ArrayLike, floor: npt.ArrayLike) -> Floats:
    """Chance of each unit of a window in which all below ``rate`` are drawn, and in any case the ``floor`` lowest.

    Arrays of one shape, or numbers: ``units`` in the window (1 or more), ``rate`` in [0, 1], ``floor`` (0: none). With
    B of the binomial distribution of ``units`` and ``rate``, max(B, floor) units are drawn; no unit is preferred, so
    the chance of each is the mean of that over ``units``.

    >>> floored_probability([100, 100, 3, 100], [0.1, 0.0, 0.1, 0.1], [0, 5, 5, 10]).round(6)
    array([0.1     , 0.05    , 1.      , 0.111868])
    """
    n, r = np.asarray(units, np.float64), np.asarray(rate, np.float64)
    k = np.minimum(np.asarray(floor, np.float64), n)
    # The mean of k - B where B < k: by B's distribution function, and for the part with B by that of one unit less.
    short = k * _at_most(k - 1, n, r) - n * r * _at_most(k - 2, n - 1, r)
    found: Floats = np.where(k >= n, 1.0, np.clip(r + short / n, np.maximum(r, k / n), 1.0))
    return found


def _at_most(k: Floats, n: Floats, r: Floats) -> Floats:
    """The binomial distribution function; ``scipy.stats`` has it too, and takes seconds to import."""
    found: Floats = np.where(k < 0, 0.0, np.where(k >= n, 1.0, special.bdtr(np.clip(k, 0, n), n.astype(np.int64), r)))
    return found


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Strata, or windows of strata, as arrays of one length: what is in each, and how it is drawn.

    ``units`` are drawn as one. ``size``: what all of a cell would cost (traces or tokens); ``squares``: the sum of the
    squared costs of its units. ``shared``: of two cells, by their places in ``first`` and ``second``, the sum of the
    products of what a unit costs in the one and in the other, over the units that lie in both.
    """

    units: Floats
    rate: Floats
    floor: Floats
    size: Floats
    squares: Floats
    first: Places = field(default_factory=lambda: np.empty(0, np.int64))
    second: Places = field(default_factory=lambda: np.empty(0, np.int64))
    shared: Floats = field(default_factory=lambda: np.empty(0))

    def probability(self, factor: float = 1.0) -> Floats:
        """Chance of each unit at rates times ``factor``."""
        return floored_probability(self.units, self.rate * factor, self.floor)

    def likely(self, factor: float = 1.0) -> float:
        """Three standard deviations above the expected cost at rates times ``factor``."""
        p = self.probability(factor)
        each = np.sqrt(p * (1 - p))
        # The traces of a unit in several cells come in by one hash: their chances go together as far as they can.
        together = 2 * np.sum(each[self.first] * each[self.second] * self.shared)
        variance = np.sum(self._variance(p, self.rate * factor)) + together
        return float(np.sum(p * self.size) + _DEVIATIONS * math.sqrt(max(variance, 0.0)))

    def _variance(self, p: Floats, rate: Floats) -> Floats:
        """Of the cost of each cell; with a floor, at most: so many units are drawn, and which of them is open."""
        n = self.units
        spread = np.maximum(self.squares - self.size**2 / n, 0.0) / np.maximum(n - 1, 1)
        floored = n * p * (1 - p) * spread + n * rate * (1 - rate) * (self.size / n) ** 2
        return np.where(self.floor > 0, floored, p * (1 - p) * self.squares)


def fitting_factor(cells: Cells, most: float) -> float:
    """The largest factor in [0, 1] on all rates with which the cost stays three standard deviations below ``most``.

    0 where not even the floors fit. About one draw in a thousand costs more.

    >>> cells = Cells(**{name: np.array([x]) for name, x in
    ...     {"units": 1e5, "rate": 0.5, "floor": 0.0, "size": 1e5, "squares": 1e5}.items()})
    >>> fitting_factor(cells, 60_000), fitting_factor(cells, 1_000)
    (1.0, 0.018198)
    """
    if cells.likely() <= most:
        return 1.0
    low, high, whole = 0, 10**_DECIMALS, float(10**_DECIMALS)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if cells.likely(middle / whole) <= most else (low, middle)
    return low / whole
