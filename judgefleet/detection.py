"""How many traces show a drop: two windows compared by the pooled normal approximation."""

import math
from dataclasses import dataclass

from scipy import stats
from scipy.optimize import brentq

from judgefleet.ranges import need_positive, need_share, need_sided


def rate_difference_size(p1: float, p2: float, *, alpha: float = 0.05, power: float = 0.8, sided: int = 2) -> float:
    """Observations in each of two samples to tell ``p1`` from ``p2``, before rounding up.

    ``(z_a sqrt(2 p q) + z_b sqrt(p1 q1 + p2 q2))^2 / (p1 - p2)^2`` with ``p`` the mean of both (Fleiss, Levin & Paik
    2003, Statistical Methods for Rates and Proportions, chapter 4, without continuity correction). Round each sample
    up, then add. Raises ValueError for equal rates, and for rates, alpha or power outside (0, 1).

    >>> round(rate_difference_size(0.60, 0.65), 3)
    1470.485
    """
    need_share(p1=p1, p2=p2, alpha=alpha, power=power)
    need_sided(sided)
    if p1 == p2:
        raise ValueError(f"found two equal rates, {p1!r}; no sample tells them apart")
    pooled = (p1 + p2) / 2
    null = float(stats.norm.isf(alpha / sided)) * math.sqrt(2 * pooled * (1 - pooled))
    alternative = float(stats.norm.isf(1 - power)) * math.sqrt(p1 * (1 - p1) + p2 * (1 - p2))
    return float(((null + alternative) / (p1 - p2)) ** 2)


@dataclass(frozen=True, kw_only=True, slots=True)
class DropPlan:
    """Scored traces that each of two windows needs, and which share of the window's traffic that is."""

    n_per_window: int
    sampling_rate: float

    @property
    def feasible(self) -> bool:
        """Whether a window has that many traces; where not, lengthen the window or accept a larger drop."""
        return self.sampling_rate <= 1


def plan_drop_detection(
    baseline: float,
    dropped: float,
    *,
    traffic_per_window: float,
    alpha: float = 0.05,
    power: float = 0.9,
    design_effect: float = 1.0,
) -> DropPlan:
    """What it takes to see a pass rate fall from ``baseline`` to ``dropped`` between two windows, one-sided.

    ``design_effect`` multiplies the size: ``1 + (m - 1) rho`` for m turns of one conversation that agree with
    correlation rho. Raises ValueError unless the rate falls.

    >>> plan_drop_detection(0.90, 0.87, traffic_per_window=200_000)
    DropPlan(n_per_window=1935, sampling_rate=0.009675)
    """
    need_positive(traffic_per_window=traffic_per_window, design_effect=design_effect)
    if dropped >= baseline:
        raise ValueError(f"found baseline {baseline!r} and dropped {dropped!r}; a drop ends below its baseline")
    size = rate_difference_size(baseline, dropped, alpha=alpha, power=power, sided=1)
    n = math.ceil(size * design_effect)
    return DropPlan(n_per_window=n, sampling_rate=n / traffic_per_window)


def smallest_drop(
    baseline: float, n: float, *, alpha: float = 0.05, power: float = 0.9, design_effect: float = 1.0
) -> float | None:
    """The smallest fall of the rate that ``n`` scored traces in each of two windows show: ``plan_drop_detection`` read
    the other way. None where they do not even show a fall to nothing. Raises ValueError as that does.

    >>> round(smallest_drop(0.90, 1935), 4)
    0.03
    >>> smallest_drop(0.90, 2) is None
    True
    """
    need_share(baseline=baseline)
    need_positive(n=n, design_effect=design_effect)

    def too_many(drop: float) -> float:
        needed = rate_difference_size(baseline, baseline - drop, alpha=alpha, power=power, sided=1)
        return math.log(needed * design_effect / n)

    least, most = baseline * 1e-7, baseline * (1 - 1e-7)
    if too_many(most) > 0:
        return None
    return float(brentq(too_many, least, most)) if too_many(least) > 0 else least
