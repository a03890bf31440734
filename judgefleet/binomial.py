"""Counts of successes without weights or clusters: exact intervals, bounds, and the z test of two rates.

Rows that come in clusters or with weights belong in ``judgefleet.proportions``.
"""

from dataclasses import dataclass

from scipy import stats

from judgefleet.ranges import need_count, need_share


def clopper_pearson(successes: int, n: int, alpha: float = 0.05) -> tuple[float, float]:
    """Exact interval of a rate: both tails hold at most ``alpha / 2``. Clopper & Pearson 1934.

    Never covers less than it says, and is wider than Wilson's for it. Raises ValueError unless 0 <= successes <= n.

    >>> low, high = clopper_pearson(15, 148)
    >>> round(low, 7), round(high, 7)
    (0.057844, 0.1616505)
    """
    low = lower_bound(successes, n, 1 - alpha / 2)
    return low, 1 - lower_bound(n - successes, n, 1 - alpha / 2)


def lower_bound(successes: int, n: int, confidence: float = 0.95) -> float:
    """One-sided exact lower bound of a rate; ``(1 - confidence) ** (1 / n)`` where nothing failed.

    59 trials without a failure are the fewest that show a rate above 0.95:

    >>> [round(lower_bound(n, n), 4) for n in (58, 59)]
    [0.9497, 0.9505]
    """
    need_count(successes, n)
    need_share(confidence=confidence)
    return exact_bound(successes, n, 1 - confidence)


def exact_bound(successes: float, n: float, tail: float) -> float:
    """The rate below which ``successes`` or more in ``n`` trials have a chance of at most ``tail``, by the beta
    distribution, which also takes numbers that are not whole: effective sizes (Korn & Graubard 1998)."""
    return 0.0 if successes <= 0 else float(stats.beta.ppf(tail, successes, n - successes + 1))


@dataclass(frozen=True, kw_only=True, slots=True)
class TwoRates:
    """Rate 1 minus rate 2: the pooled z statistic with its two-sided p value, and Wald's interval.

    Where neither sample varies, and both say the same, ``z`` is 0 and ``p_value`` 1.
    """

    difference: float
    z: float
    p_value: float
    low: float
    high: float


def two_proportion_test(x1: int, n1: int, x2: int, n2: int, alpha: float = 0.05) -> TwoRates:
    """Pooled two-sample z test of ``x1 / n1`` against ``x2 / n2``; its square is the chi-squared test of the 2x2 table.

    The Wald interval uses the unpooled variance and is too short for small or extreme counts: for an interval prefer
    ``proportions.rate_difference_ci``.

    >>> found = two_proportion_test(320, 500, 290, 500)
    >>> round(found.z, 6), round(found.p_value, 6)
    (1.94502, 0.051773)
    """
    need_count(x1, n1)
    need_count(x2, n2)
    need_share(alpha=alpha)
    p1, p2, pooled = x1 / n1, x2 / n2, (x1 + x2) / (n1 + n2)
    spread = (pooled * (1 - pooled) * (1 / n1 + 1 / n2)) ** 0.5
    z = (p1 - p2) / spread if spread else 0.0
    half = float(stats.norm.isf(alpha / 2)) * (p1 * (1 - p1) / n1 + p2 * (1 - p2) / n2) ** 0.5
    p_value = float(2 * stats.norm.sf(abs(z)))
    return TwoRates(difference=p1 - p2, z=z, p_value=p_value, low=p1 - p2 - half, high=p1 - p2 + half)
