"""Looks that are planned: how much alpha each may spend, and the z value it takes to stop there.

Look times are information fractions (the variance at the end over the variance now), never calendar days; estimate
the information with the same variance as the test, cluster-robust where rows come in clusters. Two-sided boundaries
are symmetric, and the spending formula is applied **to each side with alpha / 2**, as gsDesign, rpact and ldbounds do.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from scipy import stats
from scipy.optimize import brentq

from judgefleet.alpha_spending import SPENDING, Shape
from judgefleet.crossing import Recursion, crossing_probabilities
from judgefleet.moments import Array
from judgefleet.ranges import need_share, need_sided

Convention: TypeAlias = Literal["per_side", "total"]
# No test statistic gets there: the smallest double is the tail beyond 38.5.
_LARGEST_Z = 40.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Boundaries:
    """One entry a look. ``z`` is infinite where a look has no alpha to spend; ``cumulative_alpha`` is the chance,
    without an effect, to have stopped by then (on both sides together if ``sided`` is 2)."""

    information: Array
    z: Array
    cumulative_alpha: Array
    sided: int

    @property
    def nominal_p_two_sided(self) -> Array:
        """The two-sided p value that a fixed-size test would give at each boundary."""
        return np.asarray(2 * stats.norm.sf(self.z), dtype=np.float64)


def lan_demets(
    information: Sequence[float],
    *,
    alpha: float = 0.05,
    sided: int = 2,
    spending: Shape = "obrien_fleming",
    convention: Convention = "per_side",
    last_is_final: bool = False,
) -> Boundaries:
    """Boundaries that spend ``alpha`` over looks at the given information fractions, shape (K,), ascending.

    Armitage, McPherson & Rowe 1969 for the probabilities, Lan & DeMets 1983 for the spending. Fractions above 1
    (overrunning) spend nothing more than alpha. ``last_is_final`` gives the last look all alpha that is left, for an
    experiment that ends below its planned information; earlier boundaries do not change.

    ``convention="total"`` is the other reading in circulation, kept to compare with tables that use it: the formula is
    applied once to the whole alpha and each look's share is halved over the sides. For O'Brien-Fleming it stops earlier
    (2.772 instead of 2.963 at half of the information); for Pocock both are the same.

    >>> [round(float(z), 3) for z in lan_demets([0.5, 1.0]).z]
    [2.963, 1.969]
    >>> [round(float(z), 3) for z in lan_demets([0.5, 1.0], convention="total").z]
    [2.772, 1.979]
    """
    need_share(alpha=alpha)
    need_sided(sided)
    times = _ascending(information)
    if spending not in SPENDING:
        raise ValueError(f"found the spending {spending!r}; allowed: {', '.join(SPENDING)}")
    if convention not in ("per_side", "total"):
        raise ValueError(f"found the convention {convention!r}; allowed: per_side, total")
    shares = sided if convention == "per_side" else 1
    spent = shares * SPENDING[spending](times, alpha / shares)
    if last_is_final:
        spent[-1] = alpha
    return _spend(times, spent, sided)


def _spend(times: Array, spent: Array, sided: int) -> Boundaries:
    state, z = Recursion(sided), []
    shares = np.diff(spent, prepend=0.0).tolist()
    for time, share, following in zip(times.tolist(), shares, [*times.tolist()[1:], None], strict=True):
        z.append(_boundary(state, time, share))
        if following is not None:
            state = state.passed(time, z[-1], following)
    return Boundaries(information=times, z=np.array(z), cumulative_alpha=spent, sided=sided)


def _boundary(state: Recursion, time: float, share: float) -> float:
    """The z value that is crossed first at this look with probability ``share``."""
    if share <= 0 or state.crossing(time, _LARGEST_Z) >= share:
        return float("inf")
    lowest = 0.0 if state.sided == 2 else -_LARGEST_Z
    return float(brentq(lambda z: state.crossing(time, z) - share, lowest, _LARGEST_Z, xtol=1e-12, rtol=1e-13))


def classic_constant(looks: int, *, alpha: float = 0.05, sided: int = 2, shape: Shape = "obrien_fleming") -> float:
    """C of the classic boundaries for equally spaced looks: ``z_k = C sqrt(K / k)`` or, for Pocock, ``z_k = C``.

    Pocock 1977, O'Brien & Fleming 1979; the constants of Jennison & Turnbull 2000, tables 2.1 and 2.3.

    >>> [round(classic_constant(5, shape=shape), 3) for shape in ("obrien_fleming", "pocock")]
    [2.04, 2.413]
    """
    need_share(alpha=alpha)
    need_sided(sided)
    times = equal_looks(looks)
    if shape not in SPENDING:
        raise ValueError(f"found the shape {shape!r}; allowed: {', '.join(SPENDING)}")
    pattern = times**-0.5 if shape == "obrien_fleming" else np.ones(looks)
    # One look is the least strict, splitting alpha evenly the strictest.
    low, high = (float(stats.norm.isf(alpha / sided / parts)) for parts in (1, looks))
    if looks == 1:
        return low

    def excess(constant: float) -> float:
        return float(crossing_probabilities(times, constant * pattern, sided=sided).sum()) - alpha

    return float(brentq(excess, low - 1e-6, high + 1e-6, xtol=1e-10))


def peeking_error(looks: int, z: float, *, sided: int = 2) -> float:
    """Type I error of testing at ``z`` at each of equally spaced looks and stopping at the first that crosses it.

    Armitage, McPherson & Rowe 1969: five looks at 1.96 are a test at 14 %, not 5 %.

    >>> [round(peeking_error(looks, 1.96), 3) for looks in (1, 2, 5, 20)]
    [0.05, 0.083, 0.142, 0.248]
    """
    need_sided(sided)
    return float(crossing_probabilities(equal_looks(looks), np.full(looks, z), sided=sided).sum())


def equal_looks(looks: int) -> Array:
    """Information fractions of ``looks`` equally spaced looks, shape (looks,)."""
    if looks < 1:
        raise ValueError(f"found {looks!r} looks; at least 1 is needed")
    return np.arange(1, looks + 1) / looks


def _ascending(information: Sequence[float]) -> Array:
    times = np.asarray(information, dtype=np.float64)
    if times.ndim != 1 or not len(times) or not np.isfinite(times).all() or not (np.diff(times, prepend=0.0) > 0).all():
        raise ValueError(f"found the information {list(information)!r}; allowed: above 0 and ascending")
    return times
