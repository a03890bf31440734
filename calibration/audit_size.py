"""How many labels an audit needs, so that a bad judge seldom passes and a good one usually does."""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.optimize import brentq

from judgefleet.binomial import lower_bound
from judgefleet.ranges import need_share


@dataclass(frozen=True, kw_only=True, slots=True)
class AuditPlan:
    """An audit of ``n`` items that passes with ``c`` agreements or more, and its two chances to pass.

    The power of the exact rule saws up and down in n. From ``n_safe`` on, every size holds it, each with its own c:
    plan with that one where the final number of labels is not certain.
    """

    n: int
    c: int
    false_pass: float
    power: float
    n_safe: int


def plan_agreement_audit(p_bad: float, p_good: float, *, alpha: float = 0.05, beta: float = 0.2) -> AuditPlan:
    """Fewest items for an audit that fails a bad judge and passes a good one, by exact binomial search.

    A judge that agrees ``p_bad`` of the time passes with a chance of at most ``alpha``, one at ``p_good`` of at least
    ``1 - beta``. For independent items: multiply by the design effect where they come in clusters. Raises ValueError
    unless 0 < p_bad < p_good < 1.

    >>> plan = plan_agreement_audit(0.8, 0.9)
    >>> plan.n, plan.c, plan.n_safe
    (82, 72, 94)
    """
    need_share(p_bad=p_bad, p_good=p_good, alpha=alpha, beta=beta)
    if p_bad >= p_good:
        raise ValueError(f"found p_bad {p_bad!r} and p_good {p_good!r}; a good judge agrees more often")
    sizes = np.arange(1, _size_beyond_doubt(p_bad, p_good, alpha, beta) + 1)
    needed = least_agreements(sizes, p_bad, alpha)
    power = np.asarray(stats.binom.sf(needed - 1, sizes, p_good))
    enough = power >= 1 - beta
    first = int(np.argmax(enough))
    last_short = np.flatnonzero(~enough)
    n, c = int(sizes[first]), int(needed[first])
    return AuditPlan(
        n=n,
        c=c,
        false_pass=float(stats.binom.sf(c - 1, n, p_bad)),
        power=float(power[first]),
        n_safe=int(sizes[last_short[-1]]) + 1 if len(last_short) else 1,
    )


def least_agreements(sizes: npt.ArrayLike, p_bad: float, alpha: float) -> npt.NDArray[np.int64]:
    """Fewest agreements, for each size, that a judge at ``p_bad`` reaches with a chance of at most ``alpha``.

    One more than the size where even full agreement does not do.

    >>> least_agreements([13, 14, 82], 0.8, 0.05).tolist()
    [14, 14, 72]
    """
    n = np.asarray(sizes, dtype=np.int64)
    c = np.asarray(stats.binom.isf(alpha, n, p_bad), dtype=np.int64) + 1
    # The inverse may round across a step of the distribution: settle by the tail itself.
    c = np.where(stats.binom.sf(c - 2, n, p_bad) <= alpha, c - 1, c)
    return np.where(stats.binom.sf(c - 1, n, p_bad) > alpha, c + 1, c)


def zero_failure_bound(n: int, confidence: float = 0.95) -> float:
    """What ``n`` items without a disagreement show: lower bound of the agreement (success-run theorem).

    >>> round(zero_failure_bound(59), 4)
    0.9505
    """
    return lower_bound(n, n, confidence)


def kappa_size(kappa0: float, kappa1: float, prevalence: float, *, alpha: float = 0.05, power: float = 0.8) -> float:
    """Items to show that kappa is above ``kappa0`` when it is ``kappa1``, one-sided, before rounding up.

    Two raters, two labels, the first with the same ``prevalence`` for both; normal approximation with the variance of
    Bloch & Kraemer 1989. Lopsided labels are dear: 119 items at a prevalence of 0.5 are 321 at 0.9.

    >>> [math.ceil(kappa_size(0.4, 0.6, prevalence)) for prevalence in (0.5, 0.9)]
    [119, 321]
    """
    need_share(prevalence=prevalence, alpha=alpha, power=power)
    if not -1 < kappa0 < kappa1 < 1:
        raise ValueError(f"found kappa0 {kappa0!r} and kappa1 {kappa1!r}; allowed: -1 < kappa0 < kappa1 < 1")
    null, alternative = (math.sqrt(kappa_variance(kappa, prevalence)) for kappa in (kappa0, kappa1))
    z_alpha, z_beta = float(stats.norm.isf(alpha)), float(stats.norm.isf(1 - power))
    return ((z_alpha * null + z_beta * alternative) / (kappa1 - kappa0)) ** 2


def kappa_variance(kappa: float, prevalence: float) -> float:
    """n times the large-sample variance of kappa for two labels and equal margins (Bloch & Kraemer 1989).

    >>> kappa_variance(0.0, 0.5)
    1.0
    """
    both = 2 * prevalence * (1 - prevalence)
    return (1 - kappa) * ((1 - kappa) * (1 - 2 * kappa) + kappa * (2 - kappa) / both)


def _size_beyond_doubt(p_bad: float, p_good: float, alpha: float, beta: float) -> int:
    """A size from which on Chernoff's bound proves both risks, so that the search can stop there.

    With a line x between the rates, a judge at p reaches the other side of n x with a chance of at most
    ``exp(-n KL(x, p))``. The best line makes both bounds meet at the same n.
    """

    def imbalance(x: float) -> float:
        return math.log(alpha) * _divergence(x, p_good) - math.log(beta) * _divergence(x, p_bad)

    x = float(brentq(imbalance, p_bad, p_good))
    return math.ceil(max(-math.log(alpha) / _divergence(x, p_bad), -math.log(beta) / _divergence(x, p_good))) + 1


def _divergence(x: float, p: float) -> float:
    return x * math.log(x / p) + (1 - x) * math.log((1 - x) / (1 - p))
