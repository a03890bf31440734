"""A window's figure, corrected by what people said about some of its traces."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from calibration.matched import FAIL, PASS
from calibration.prevalence import lang_reiczigel, post_stratified
from calibration.rates import rate_ci
from judgefleet.moments import Moments
from judgefleet.proportions import effective_size
from judgefleet.statistics import Estimate, kish_size

# With fewer labels from the window itself, those of the whole audit are used, and the method says so.
LEAST_LABELS = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Labelled:
    """Labelled traces, one entry each, shape (n,): what people said and what the judge said (True is a pass, or numbers
    from both), and the weight of the label: the inverse of the probability that the trace was drawn for labelling.
    ``clusters``: the conversation of each; traces of one are not independent."""

    human: npt.NDArray[Any]
    judge: npt.NDArray[Any]
    weights: npt.NDArray[np.float64]
    clusters: npt.NDArray[Any]

    def __len__(self) -> int:
        return len(self.human)

    def where(self, mask: npt.NDArray[np.bool_]) -> "Labelled":
        """The entries for which ``mask`` is true."""
        return Labelled(
            human=self.human[mask], judge=self.judge[mask], weights=self.weights[mask], clusters=self.clusters[mask]
        )


def corrected_pass_rate(
    judged: npt.NDArray[np.bool_],
    weights: npt.NDArray[np.float64],
    clusters: npt.NDArray[Any],
    here: Labelled,
    elsewhere: Labelled,
    alpha: float = 0.05,
) -> Estimate:
    """Pass rate by people's standard of a window whose traces the judge passed or failed (``judged``, shape (N,)).

    ``here``: labels about traces of this window. At least twenty: post-stratified by verdict, or the labels alone where
    the judge says nothing about them (Mani et al. 2025: correlation below ``1 / sqrt(n - 2)``). Fewer: the judge's
    error rates over the whole audit (``elsewhere``), which assumes that they hold in this window too.
    """
    if not len(judged):
        return Estimate(value=None, n=0, n_clusters=0, method="no judged trace")
    if len(here) >= LEAST_LABELS:
        return _from_labels_here(judged, weights, clusters, here, alpha)
    return _from_error_rates(judged, weights, clusters, elsewhere, alpha)


def _from_labels_here(
    judged: npt.NDArray[np.bool_],
    weights: npt.NDArray[np.float64],
    clusters: npt.NDArray[Any],
    here: Labelled,
    alpha: float,
) -> Estimate:
    if correlation(here) < 1 / (len(here) - 2) ** 0.5:
        found = rate_ci(here.human.astype(float), here.weights, here.clusters, alpha)
        return Estimate(
            value=found.value,
            low=found.low,
            high=found.high,
            n=found.n,
            n_clusters=found.n_clusters,
            method=f"labels alone, the judge tells nothing about them; {found.method}",
        )
    share = float(weights[judged].sum() / weights.sum())
    effect = _design_effect(here, share)
    labels = {}
    for name, passed in ((PASS, True), (FAIL, False)):
        part = here.where(here.judge == passed)
        size = round(kish_size(part.weights) / effect)
        labels[name] = (round(_rate(part) * size), size)
    size = _size(judged, weights, clusters, alpha)
    return post_stratified(labels, {PASS: share, FAIL: 1 - share}, judged=size, alpha=alpha)


def _from_error_rates(
    judged: npt.NDArray[np.bool_],
    weights: npt.NDArray[np.float64],
    clusters: npt.NDArray[Any],
    audit: Labelled,
    alpha: float,
) -> Estimate:
    if not audit.human.any() or audit.human.all():
        return Estimate(value=None, n=len(audit), n_clusters=len(audit), method="no labels of one of the classes")
    sensitivity, specificity = (
        float(audit.weights[mask & hit].sum() / audit.weights[mask].sum())
        for mask, hit in ((audit.human, audit.judge), (~audit.human, ~audit.judge))
    )
    return lang_reiczigel(
        float(weights[judged].sum() / weights.sum()),
        sensitivity=sensitivity,
        specificity=specificity,
        n=_size(judged, weights, clusters, alpha),
        n_positive=_accuracy_size(audit, audit.human, alpha),
        n_negative=_accuracy_size(audit, ~audit.human, alpha),
        alpha=alpha,
    )


def _accuracy_size(audit: Labelled, mask: npt.NDArray[np.bool_], alpha: float) -> int:
    """How many independent labels the judge's accuracy on one class was seen on."""
    part = audit.where(mask)
    return _size(part.judge, part.weights, part.clusters, alpha)


def _size(outcome: npt.NDArray[np.bool_], weights: Any, clusters: Any, alpha: float) -> int:
    """The effective size of a 0/1 outcome, which knows weights and conversations."""
    data = Moments.of(outcome.astype(float), weights, clusters)
    return max(round(effective_size(data, alpha)[0]), 1) if data.n_clusters > 1 else 1


def _rate(part: Labelled) -> float:
    return float(part.weights[part.human].sum() / part.weights.sum()) if len(part) else 0.0


def _design_effect(here: Labelled, share: float) -> float:
    """How much wider the post-stratified estimate is for labels that come in conversations: the variance of its
    residuals summed within conversations over that of the residuals alone, never below 1. Where no residual is left,
    each conversation counts as one label."""
    influence = np.zeros(len(here))
    for passed, of_window in ((True, share), (False, 1 - share)):
        mask = here.judge == passed
        if mask.any():
            part = here.where(mask)
            influence[mask] = of_window * part.weights / part.weights.sum() * (part.human - _rate(part))
    codes = np.unique(here.clusters, return_inverse=True)[1]
    groups = int(codes.max()) + 1
    alone = float(influence @ influence)
    if groups < 2 or alone < 1e-18:
        return len(here) / groups
    together = np.bincount(codes, influence)
    return max(1.0, groups / (groups - 1) * float(together @ together) / alone)


def correlation(here: Labelled) -> float:
    """Pearson's correlation of judge and people; 0 where one of them does not vary."""
    if len(set(here.human.tolist())) < 2 or len(set(here.judge.tolist())) < 2:
        return 0.0
    return float(np.corrcoef(here.human, here.judge)[0, 1])


def labelled_of(
    human: Mapping[str, float],
    judge: Mapping[str, float],
    weights: Mapping[str, float],
    clusters: Mapping[str, str],
    kind: type[bool] | type[float] = bool,
) -> Labelled:
    """The traces that both have a word (``kind`` bool) or a number (float) about, in the order of ``human``."""
    both = [trace for trace in human if trace in judge]
    return Labelled(
        human=np.array([human[t] for t in both], dtype=kind),
        judge=np.array([judge[t] for t in both], dtype=kind),
        weights=np.array([weights.get(t, 1.0) for t in both], dtype=np.float64),
        clusters=np.array([clusters.get(t, t) for t in both], dtype=str),
    )
