"""A window's mean on people's scale: many grades of a judge, corrected by the numbers that people gave some traces."""

from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy import stats

from calibration.correction import LEAST_LABELS, Labelled, correlation
from judgefleet.moments import Moments, grouped
from judgefleet.statistics import Estimate, cluster_variance, weighted_mean_ci

Floats = npt.NDArray[np.float64]
# With fewer labelled conversations in the whole audit, no mean is corrected.
LEAST_IN_AUDIT = 50
_MOST_STRATA, _LEAST_IN_STRATUM = 5, 10


def corrected_mean(
    judged: Floats,
    weights: Floats,
    clusters: npt.NDArray[Any],
    here: Labelled,
    elsewhere: Labelled,
    scale: tuple[float, float] | None,
    alpha: float = 0.05,
) -> Estimate:
    """Mean by people's standard of a window whose traces the judge graded (``judged``, shape (N,)).

    ``here``: labels about traces of this window. At least twenty conversations with one: ``by_strata``, or the labels
    alone where the judge's grades do not follow them (Mani et al. 2025: correlation below ``1 / sqrt(n - 2)``). Fewer:
    ``by_line`` over the labels of the whole audit (``elsewhere``), if there are fifty. Nothing leaves the ``scale``.
    """
    if not len(judged):
        return Estimate(value=None, n=0, n_clusters=0, method="no judged trace")
    if _groups(here) >= LEAST_LABELS:
        if correlation(here) >= 1 / (len(here) - 2) ** 0.5:
            return _within(by_strata(judged, weights, clusters, here, alpha), scale)
        return _within(_alone(here, alpha), scale)
    if _groups(elsewhere) >= LEAST_IN_AUDIT:
        return _within(by_line(judged, weights, clusters, elsewhere, alpha), scale)
    method = (
        f"not corrected; labels from {_groups(here)} conversations here and {_groups(elsewhere)} in the audit, "
        f"{LEAST_LABELS} or {LEAST_IN_AUDIT} are needed"
    )
    return Estimate(value=None, n=len(elsewhere), n_clusters=_groups(elsewhere), method=method)


def by_strata(
    judged: Floats, weights: Floats, clusters: npt.NDArray[Any], here: Labelled, alpha: float = 0.05
) -> Estimate:
    """Labels post-stratified by the judge's grade: the mean label of each stratum, times its share of the window.

    Up to five strata of the grade, each with ten labels. This is prediction-powered inference whose prediction is the
    mean label of a stratum (Holt & Smith 1979; Angelopoulos et al. 2023), with no trust in the judge to tune. Variance:
    labels within strata, each conversation against the mean of the others (as in a jackknife), and the shares;
    Student's t with as many degrees of freedom as labelled conversations less strata. No interval where all labels of
    each stratum are alike.
    """
    edges = _edges(here.judge)
    at, places = (np.searchsorted(edges, grades, side="right") for grades in (here.judge, judged))
    count = len(edges) + 1
    sizes = np.bincount(at, minlength=count)
    totals = np.bincount(at, here.weights, count)
    means = np.bincount(at, here.weights * here.human, count) / totals
    shares = np.bincount(places, weights, count) / weights.sum()
    data, weight = grouped(here.human, here.weights, here.clusters), here.weights / totals[at]
    held = np.zeros((data.n_clusters, count))
    np.add.at(held, (data.clusters, at), weight)
    # A conversation that is all there is of a stratum says nothing about how far others are: no end to the interval.
    others = np.maximum(1 - held[data.clusters, at], 1e-6)
    labels = cluster_variance(data.cluster_sums(shares[at] * weight * (here.human - means[at]) / others))
    window = Moments.of(means[places], weights, clusters)
    varied = window.variance if window.n_clusters > 1 else 0.0
    value, free = float(shares @ means), _groups(here) - count
    known: dict[str, Any] = {"value": value, "n": len(here), "n_clusters": _groups(here)}
    if labels <= (1e-9 * max(np.abs(here.human).max(), 1.0)) ** 2:
        return Estimate(method="post-stratified by grade; no interval: all labels of a stratum are alike", **known)
    half = float(stats.t.isf(alpha / 2, free)) * (labels + varied) ** 0.5
    told = ", ".join(map(str, sizes.tolist()))
    method = f"post-stratified by grade, {count} strata of {told} labels, t with {free} degrees of freedom"
    return Estimate(low=value - half, high=value + half, method=method, **known)


def by_line(
    judged: Floats, weights: Floats, clusters: npt.NDArray[Any], audit: Labelled, alpha: float = 0.05
) -> Estimate:
    """The label at which the judge's grade, as it depends on people's labels, is the window's mean grade.

    A line ``grade = a + b label`` is fitted to the audit and read the other way (Eisenhart 1939, inverse regression),
    with Fieller's (1954) interval: what ``lang_reiczigel`` is for rates. It assumes that the line holds in this window,
    and it says how the mean moves when quality does, which the labels' own mean could not. No value where the slope is
    not above 0 for certain: then no grade tells of a label.
    """
    data = grouped(audit.human, audit.weights, audit.clusters)
    known: dict[str, Any] = {"n": data.n, "n_clusters": data.n_clusters}
    apart = data.values - data.mean
    spread = float(data.weights @ apart**2)
    free = data.n_clusters - 2
    if spread <= 0 or free < 1:
        return Estimate(value=None, method="inverse regression; no value: all labels are alike", **known)
    level = float(data.weights @ audit.judge) / data.total
    slope = float(data.weights @ (apart * audit.judge)) / spread
    # Each grade against the line through the others, as in a jackknife.
    rest = data.weights * (audit.judge - level - slope * apart)
    rest = rest / (1 - data.weights * (1 / data.total + apart**2 / spread))
    more = data.n_clusters / free
    u, v = data.cluster_sums(rest / data.total), data.cluster_sums(rest * apart / spread)
    of_level, of_both, of_slope = more * float(u @ u), more * float(u @ v), more * float(v @ v)
    window = Moments.of(judged, weights, clusters)
    varied = window.variance if window.n_clusters > 1 else 0.0
    t, gap = float(stats.t.isf(alpha / 2, free)), window.mean - level
    # Fieller: all d with (gap - slope d)^2 <= t^2 (varied + of_level + 2 d of_both + d^2 of_slope).
    a, b, c = slope**2 - t**2 * of_slope, slope * gap + t**2 * of_both, gap**2 - t**2 * (varied + of_level)
    if slope <= 0 or a <= 0:
        return Estimate(value=None, method="inverse regression; no value: grades hardly follow labels", **known)
    root = max(b * b - a * c, 0.0) ** 0.5
    method = f"inverse regression, slope {slope:.2f} over {data.n} labels of the audit, Fieller's interval"
    return Estimate(
        value=data.mean + gap / slope,
        low=data.mean + (b - root) / a,
        high=data.mean + (b + root) / a,
        method=method,
        **known,
    )


def _alone(here: Labelled, alpha: float) -> Estimate:
    found = weighted_mean_ci(here.human, here.weights, here.clusters, alpha)
    return replace(found, method=f"labels alone, the judge tells nothing about them; {found.method}")


def _edges(grades: Floats) -> Floats:
    """Where the strata after the first begin: as many labels in each as can be, equal grades together."""
    least = max(len(grades) / _MOST_STRATA, _LEAST_IN_STRATUM)
    edges, held = [], 0
    for grade, times in zip(*np.unique(grades, return_counts=True), strict=True):
        if held >= least:
            edges.append(float(grade))
            held = 0
        held += int(times)
    return np.array(edges[:-1] if held < least / 2 else edges, dtype=np.float64)


def _groups(labels: Labelled) -> int:
    return len(np.unique(labels.clusters))


def _within(found: Estimate, scale: tuple[float, float] | None) -> Estimate:
    """The estimate with its ends, and its value, inside the scale."""
    if scale is None or found.value is None:
        return found
    value, low, high = (None if x is None else float(np.clip(x, *scale)) for x in (found.value, found.low, found.high))
    return replace(found, value=value, low=low, high=high)
