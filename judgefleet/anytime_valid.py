"""Bounds that hold at every moment at once: look as often as you like, stop when you like.

For dashboards and gates that are watched; planned looks are tighter with ``judgefleet.group_sequential``. A bound on a
sum divided by the number of observations is the radius of a confidence sequence for the mean.
"""

import math

from scipy import special, stats
from scipy.optimize import brentq

from judgefleet.ranges import need_positive, need_share


def normal_mixture_rho(v_opt: float, alpha_opt: float = 0.05, *, two_sided: bool = True) -> float:
    """The mixture's rho that makes its bound about tightest at intrinsic time ``v_opt``.

    Howard et al. 2021, Time-uniform, nonparametric, nonasymptotic confidence sequences, with the closed form of their
    software in place of Lambert's W. One-sided, alpha counts double.

    >>> round(normal_mixture_rho(100), 6)
    12.600561
    """
    need_positive(v_opt=v_opt)
    need_share(alpha_opt=alpha_opt)
    weight = 2 * math.log(1 / (alpha_opt if two_sided else 2 * alpha_opt))
    if weight <= 0:
        raise ValueError(f"found alpha_opt = {alpha_opt!r}; allowed one-sided: below 0.5")
    return v_opt / (weight + math.log1p(weight))


def normal_mixture_bound(
    v: float, alpha: float = 0.05, *, v_opt: float, alpha_opt: float = 0.05, two_sided: bool = True
) -> float:
    """Bound on a sum of sub-Gaussian increments at intrinsic time ``v``, the sum of their variance proxies.

    Robbins 1970, as in Howard et al. 2021: ``sqrt((v + rho)(log(1 + v / rho) + 2 log(1 / alpha)))`` on both sides; one
    side alone has no closed form.

    >>> round(normal_mixture_bound(100, v_opt=100), 4), round(normal_mixture_bound(100, v_opt=100, two_sided=False), 4)
    (30.3521, 27.6607)
    """
    need_positive(v=v)
    need_share(alpha=alpha)
    rho = normal_mixture_rho(v_opt, alpha_opt, two_sided=two_sided)
    scale = math.sqrt(v + rho)
    if two_sided:
        return scale * math.sqrt(math.log1p(v / rho) + 2 * math.log(1 / alpha))

    def excess(z: float) -> float:
        mixture = 0.5 * math.log(4 * rho / (v + rho)) + z * z / 2 + float(stats.norm.logcdf(z))
        return mixture - math.log(1 / alpha)

    # Phi(z) is at least 1/2 from 0 up, so the two-sided closed form is an upper end.
    high = math.sqrt(math.log1p(v / rho) + 2 * math.log(1 / alpha)) + 1
    return scale * float(brentq(excess, 0, high, xtol=1e-13))


def poly_stitching_bound(
    v: float, alpha: float = 0.05, *, v_min: float, c: float = 0.0, s: float = 1.4, eta: float = 2.0
) -> float:
    """One-sided bound on a sum that is sub-gamma with scale ``c``, growing like ``sqrt(v log log v)``.

    Polynomial stitching, Howard et al. 2021, theorem 1; constant below ``v_min``. Use alpha / 2 for two sides.

    >>> round(poly_stitching_bound(100, v_min=1), 4)
    37.9156
    """
    need_positive(v_min=v_min)
    need_share(alpha=alpha)
    if not (s > 1 and eta > 1 and c >= 0 and v >= 0):
        raise ValueError(
            f"found s = {s!r}, eta = {eta!r}, c = {c!r}, v = {v!r}; allowed: s and eta above 1, c and v from 0"
        )
    time = max(v, v_min)
    level = s * math.log(math.log(eta * time / v_min)) + math.log(float(special.zeta(s)) / (alpha * math.log(eta) ** s))
    k1, k2 = (eta**0.25 + eta**-0.25) / math.sqrt(2), (math.sqrt(eta) + 1) / 2
    return math.hypot(k1 * math.sqrt(time * level), k2 * c * level) + k2 * c * level


def msprt_radius(n: float, *, variance: float, tau2: float, alpha: float = 0.05) -> float:
    """Radius after ``n`` observations of the mixture sequential probability ratio test with prior ``N(0, tau2)``.

    Johari et al. 2022, Always Valid Inference; for two arms of n each, ``variance`` is the sum of theirs. The same as
    the two-sided normal mixture with ``rho = variance^2 / tau2`` at ``v = n variance``, over n.

    >>> round(msprt_radius(100, variance=1, tau2=0.1), 6)
    0.303781
    """
    need_positive(n=n, variance=variance, tau2=tau2)
    need_share(alpha=alpha)
    v, rho = n * variance, variance**2 / tau2
    return math.sqrt((v + rho) * (math.log1p(v / rho) + 2 * math.log(1 / alpha))) / n


def asymptotic_rho(t_opt: float, alpha: float = 0.05) -> float:
    """The rho that makes the asymptotic confidence sequence about tightest after ``t_opt`` observations.

    >>> round(asymptotic_rho(1000), 6)
    0.089085
    """
    need_positive(t_opt=t_opt)
    need_share(alpha=alpha)
    weight = -2 * math.log(alpha)
    return math.sqrt((weight + math.log1p(weight)) / t_opt)


def asymptotic_radius(t: float, *, sigma: float, t_opt: float, alpha: float = 0.05) -> float:
    """Radius around the mean of ``t`` observations with standard deviation ``sigma``.

    Waudby-Smith et al. 2024, Time-uniform central limit theory and asymptotic confidence sequences, with a
    Gaussian mixture. Holds in the limit: do not look before about 100 observations an arm.

    >>> round(asymptotic_radius(1000, sigma=0.5, t_opt=1000), 6)
    0.047991
    """
    need_positive(t=t, sigma=sigma)
    scaled = t * asymptotic_rho(t_opt, alpha) ** 2
    return sigma * math.sqrt((scaled + 1) / (t * scaled) * (math.log1p(scaled) - 2 * math.log(alpha)))
