"""The true pass rate behind a judge's pass rate: two corrections for two situations.

Labels that are a random sample of the same window: ``post_stratified``. Sensitivity and specificity measured
elsewhere: ``lang_reiczigel``, which is much wider and trusts that both still hold in this window. Never use it where
the first applies.
"""

from collections.abc import Mapping

from scipy import stats

from judgefleet.ranges import need_count, need_positive, need_rate, need_share
from judgefleet.statistics import Estimate


def rogan_gladen(apparent: float, sensitivity: float, specificity: float) -> float:
    """True rate behind an ``apparent`` one, cut to [0, 1] (Rogan & Gladen 1978).

    ``(apparent + specificity - 1) / (sensitivity + specificity - 1)``. Raises ValueError for a judge that is no better
    than a coin, which carries no information about the rate.

    >>> round(rogan_gladen(0.65, sensitivity=0.9, specificity=0.8), 6)
    0.642857
    """
    need_rate(apparent=apparent, sensitivity=sensitivity, specificity=specificity)
    if sensitivity + specificity <= 1:
        raise ValueError(
            f"found sensitivity {sensitivity!r} and specificity {specificity!r}; a judge needs more than 1 in sum"
        )
    return min(1.0, max(0.0, _true_rate(apparent, sensitivity, specificity)))


def apparent_rate(true: float, sensitivity: float, specificity: float) -> float:
    """What a judge makes of a ``true`` rate: ``rogan_gladen`` read the other way.

    A change of the true rate is seen ``sensitivity + specificity - 1`` times as large (Youden's J).

    >>> round(apparent_rate(0.642857, sensitivity=0.9, specificity=0.8), 6)
    0.65
    """
    need_rate(true=true, sensitivity=sensitivity, specificity=specificity)
    return sensitivity * true + (1 - specificity) * (1 - true)


def lang_reiczigel(
    rate: float,
    *,
    sensitivity: float,
    specificity: float,
    n: int,
    n_positive: int,
    n_negative: int,
    alpha: float = 0.05,
) -> Estimate:
    """True rate behind the judge's ``rate`` on ``n`` traces, by a calibration set from elsewhere.

    ``sensitivity`` was seen on ``n_positive`` items that people passed, ``specificity`` on ``n_negative`` that they
    failed; the interval knows that both are estimates. Lang & Reiczigel 2014, Confidence limits for prevalence of
    disease adjusted for estimated sensitivity and specificity; for judges Lee et al. 2025 (arXiv 2511.21140). No value
    where the two do not add up to more than 1.

    >>> e = lang_reiczigel(0.65, sensitivity=0.9, specificity=0.8, n=1000, n_positive=100, n_negative=100)
    >>> round(e.value, 4), round(e.low, 4), round(e.high, 4)
    (0.6429, 0.5648, 0.7285)
    """
    need_rate(rate=rate, sensitivity=sensitivity, specificity=specificity)
    need_positive(n=n, n_positive=n_positive, n_negative=n_negative)
    need_share(alpha=alpha)
    known = {"n": n, "n_clusters": n}
    if sensitivity + specificity <= 1:
        return Estimate(value=None, method="true rate; no value: the judge is no better than a coin", **known)
    z = float(stats.norm.isf(alpha / 2))
    # Agresti-Coull for the judge's rate, one success and one failure more for its accuracies.
    p, size = (n * rate + z * z / 2) / (n + z * z), n + z * z
    se, positives = (n_positive * sensitivity + 1) / (n_positive + 2), n_positive + 2
    sp, negatives = (n_negative * specificity + 1) / (n_negative + 2), n_negative + 2
    value = rogan_gladen(rate, sensitivity, specificity)
    if se + sp <= 1:
        return Estimate(value=value, method="true rate; no interval: too few labels to tell from a coin", **known)
    true = _true_rate(p, se, sp)
    from_sp, from_se = sp * (1 - sp) / negatives, se * (1 - se) / positives
    centre = true + 2 * z * z * (true * from_se - (1 - true) * from_sp)
    variance = p * (1 - p) / size + (1 - true) ** 2 * from_sp + true**2 * from_se
    half = z * variance**0.5 / (se + sp - 1)
    method = f"Rogan-Gladen, Lang-Reiczigel interval, accuracies from {n_positive} and {n_negative} labels"
    return _within(value, centre, half, n, method)


def post_stratified(
    labels: Mapping[str, tuple[int, int]],
    shares: Mapping[str, float],
    *,
    judged: int | None = None,
    alpha: float = 0.05,
) -> Estimate:
    """True rate in a window, from a random sample of it that people labelled, stratified by the judge's verdict.

    ``labels`` has for each verdict how many labelled items people passed, and how many they labelled; ``shares`` each
    verdict's share of the window, adding up to 1; ``judged`` how many traces these shares are from (None: all of them).
    A verdict's rate is ``(y + 1) / (m + 2)`` with variance ``rate (1 - rate) / (m + 2)``, so that few labels without a
    failure keep a width, and a verdict without labels counts as not known. ``value`` is the smoothed estimate.

    Holt & Smith 1979, Post Stratification, with Laplace's rule in each stratum. In the simulation of the tests a 95 %
    interval covers 0.95 to 0.98 with 30 to 200 labels, and is shorter than Wilson's on the labels alone.

    >>> e = post_stratified({"pass": (68, 80), "fail": (6, 20)}, {"pass": 0.8, "fail": 0.2})
    >>> round(e.value, 3), round(e.low, 3), round(e.high, 3)
    (0.737, 0.663, 0.811)
    """
    need_share(alpha=alpha)
    rates = _stratum_rates(labels, shares)
    n = sum(m for _, m in labels.values())
    if not n:
        return Estimate(value=None, n=0, n_clusters=0, method="post-stratified by verdict; no labels")
    value = sum(shares[verdict] * rate for verdict, (rate, _) in rates.items())
    variance = sum(shares[verdict] ** 2 * rate * (1 - rate) / size for verdict, (rate, size) in rates.items())
    if judged is not None:
        need_positive(judged=judged)
        variance += sum(shares[verdict] * (rate - value) ** 2 for verdict, (rate, _) in rates.items()) / judged
    half = float(stats.norm.isf(alpha / 2)) * variance**0.5
    method = "post-stratified by verdict, " + ", ".join(f"{verdict}: {m} labels" for verdict, (_, m) in labels.items())
    return _within(value, value, half, n, method)


def _stratum_rates(
    labels: Mapping[str, tuple[int, int]], shares: Mapping[str, float]
) -> dict[str, tuple[float, float]]:
    """Smoothed rate and size of each verdict in ``shares``."""
    if unknown := sorted(set(labels) - set(shares)):
        raise ValueError(
            f"found labels of the verdict {unknown[0]!r}; shares has {', '.join(sorted(shares)) or 'none'}"
        )
    need_rate(**{f"share of {verdict}": share for verdict, share in shares.items()})
    if abs(sum(shares.values()) - 1) > 1e-9:
        raise ValueError(f"found shares that add up to {sum(shares.values())!r}; allowed: 1")
    rates = {}
    for verdict in shares:
        passed, size = labels.get(verdict, (0, 0))
        if size:
            need_count(passed, size)
        rates[verdict] = ((passed + 1) / (size + 2), size + 2.0)
    return rates


def _true_rate(apparent: float, sensitivity: float, specificity: float) -> float:
    return (apparent + specificity - 1) / (sensitivity + specificity - 1)


def _within(value: float, centre: float, half: float, n: int, method: str) -> Estimate:
    """An interval of a rate: cut to [0, 1]."""
    low, high = (min(1.0, max(0.0, end)) for end in (centre - half, centre + half))
    return Estimate(value=value, low=low, high=high, n=n, n_clusters=n, method=method)
