"""Anytime-valid inference on bounded outcomes with a guarantee for every sample size: rates and betting."""

import math

import numpy as np
import numpy.typing as npt
from scipy import special
from scipy.optimize import brentq

from judgefleet.anytime_valid import normal_mixture_rho
from judgefleet.moments import Array
from judgefleet.ranges import need_count, need_share


def bernoulli_confidence_sequence(
    successes: float, n: float, alpha: float = 0.05, *, t_opt: float, alpha_opt: float = 0.05
) -> tuple[float, float]:
    """Interval of a pass rate that holds after every trial at once, tightest after about ``t_opt`` trials.

    The rates p whose beta-binomial mixture over ``p^successes (1-p)^failures`` stays below ``1 / alpha`` (Robbins 1970;
    Howard et al. 2021). The mixture is a beta distribution around p worth ``t_opt / w - 1`` trials, w as
    in ``normal_mixture_rho``.

    >>> low, high = bernoulli_confidence_sequence(90, 100, t_opt=100)
    >>> round(low, 6), round(high, 6)
    (0.787981, 0.969762)
    """
    need_count(successes, n)
    need_share(alpha=alpha)
    trials = max(normal_mixture_rho(t_opt, alpha_opt) - 1, 1e-3)
    failures = n - successes

    def evidence(p: float) -> float:
        a, b = trials * p, trials * (1 - p)
        likelihood = float(special.xlogy(successes, p) + special.xlog1py(failures, -p))
        return float(special.betaln(a + successes, b + failures) - special.betaln(a, b)) - likelihood + math.log(alpha)

    # Nothing speaks against the observed rate; the search goes from there, or from just beside 0 and 1, outwards.
    edge = 1e-12
    rate = min(max(successes / n, edge), 1 - edge)
    low = float(brentq(evidence, edge, rate)) if evidence(edge) > 0 else 0.0
    high = float(brentq(evidence, rate, 1 - edge)) if evidence(1 - edge) > 0 else 1.0
    return low, high


def betting_e_process(x: npt.ArrayLike, mean: float, bet: npt.ArrayLike) -> Array:
    """Wealth after each outcome, shape (n,), of one who bets against ``mean`` being the mean of ``x`` in [0, 1].

    ``prod(1 + bet_i (x_i - mean))`` (Waudby-Smith & Ramdas 2024). At least ``1 / alpha`` at any moment rejects the mean
    at level alpha, in favour of a larger one with a positive ``bet`` and of a smaller one with a negative. ``bet`` is
    one number, or one for each outcome that was chosen before seeing it. Raises ValueError for a bet that could lose
    more than everything.

    >>> betting_e_process([1, 1, 1, 0, 1], mean=0.5, bet=0.5).tolist()
    [1.25, 1.5625, 1.953125, 1.46484375, 1.8310546875]
    """
    need_share(mean=mean)
    outcomes = np.asarray(x, dtype=np.float64)
    stakes = np.broadcast_to(np.asarray(bet, dtype=np.float64), outcomes.shape)
    if not ((outcomes >= 0) & (outcomes <= 1)).all():
        raise ValueError("outcomes lie in [0, 1]; rescale the scores by their scale")
    if not ((stakes >= -1 / (1 - mean)) & (stakes <= 1 / mean)).all():
        raise ValueError(f"found bet = {bet!r}; allowed for mean {mean!r}: {-1 / (1 - mean):.4g} to {1 / mean:.4g}")
    return np.asarray(np.cumprod(1 + stakes * (outcomes - mean)), dtype=np.float64)


def two_sided_e_process(x: npt.ArrayLike, mean: float, bet: float) -> Array:
    """Wealth of one who puts half on a larger mean than ``mean`` and half on a smaller; an e-process, like each half.

    >>> two_sided_e_process([1, 0], mean=0.5, bet=0.5).tolist()
    [1.0, 0.9375]
    """
    return (betting_e_process(x, mean, bet) + betting_e_process(x, mean, -bet)) / 2
