"""Judge scores corrected by labels: prediction-powered inference and prevalence."""

from typing import Any

import numpy as np

from calibration.ppi import active_mean, effective_labels, least_correlation, ppi_mean
from calibration.prevalence import lang_reiczigel, post_stratified, rogan_gladen


def ppi(
    Y: Any,  # noqa: N803
    Yhat: Any,  # noqa: N803
    Yhat_unlabeled: Any,  # noqa: N803
    alpha: float = 0.05,
    lam: float | None = None,
    ddof: int = 0,
) -> dict[str, Any]:
    found = ppi_mean(Y, Yhat, Yhat_unlabeled, lam=lam, ddof=ddof)
    return {"point": found.value, "se": found.se, "ci": found.interval(alpha), "lam": found.lam}


def active(f: Any, xi: Any, pi: Any, y_where_labelled: Any, alpha: float = 0.05) -> dict[str, Any]:
    labels = [np.nan if label is None else label for label in y_where_labelled]
    found = active_mean(f, xi, pi, labels)
    return {"point": found.value, "se": found.se, "ci": found.interval(alpha)}


def effective_size(corr: float, n: int, N: int) -> dict[str, Any]:  # noqa: N803
    return {"effective_n": effective_labels(corr, n, N)}


def worth_it(n: int) -> dict[str, Any]:
    return {"min_corr": least_correlation(n)}


def true_rate(apparent: float, se: float, sp: float) -> dict[str, Any]:
    return {"true": rogan_gladen(apparent, se, sp)}


def true_rate_interval(
    p: float, sensitivity: float, specificity: float, n: int, m0: int, m1: int, alpha: float = 0.05
) -> dict[str, Any]:
    found = lang_reiczigel(
        p, sensitivity=sensitivity, specificity=specificity, n=n, n_negative=m0, n_positive=m1, alpha=alpha
    )
    return {"point": found.value, "ci": (found.low, found.high)}


def by_verdict(labels: Any, shares: Any, judged: int | None = None, alpha: float = 0.05) -> dict[str, Any]:
    found = post_stratified(
        {verdict: tuple(counts) for verdict, counts in labels.items()}, shares, judged=judged, alpha=alpha
    )
    return {"point": found.value, "ci": (found.low, found.high)}


KINDS = {
    "ppi": [ppi, active, effective_size, worth_it],
    "prevalence": [true_rate, true_rate_interval, by_verdict],
}
