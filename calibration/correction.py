"""A window's figure, corrected by what people said about some of its traces."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from calibration.prevalence import lang_reiczigel, post_stratified
from calibration.rates import rate_ci
from judgefleet.statistics import Estimate, kish_size

PASS, FAIL = "pass", "fail"
# With fewer labels from the window itself, those of the whole audit are used, and the method says so.
LEAST_LABELS = 20


@dataclass(frozen=True, kw_only=True, slots=True)
class Labelled:
    """Labelled traces, one entry each, shape (n,): what people said and what the judge said (True is a pass), and the
    weight of the label: the inverse of the probability that the trace was drawn for labelling."""

    human: npt.NDArray[np.bool_]
    judge: npt.NDArray[np.bool_]
    weights: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.human)

    def where(self, mask: npt.NDArray[np.bool_]) -> "Labelled":
        """The entries for which ``mask`` is true."""
        return Labelled(human=self.human[mask], judge=self.judge[mask], weights=self.weights[mask])


def corrected_pass_rate(
    judged: npt.NDArray[np.bool_],
    weights: npt.NDArray[np.float64],
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
        return _from_labels_here(judged, weights, here, alpha)
    return _from_error_rates(judged, weights, elsewhere, alpha)


def _from_labels_here(
    judged: npt.NDArray[np.bool_], weights: npt.NDArray[np.float64], here: Labelled, alpha: float
) -> Estimate:
    if _correlation(here) < 1 / (len(here) - 2) ** 0.5:
        found = rate_ci(here.human.astype(float), here.weights, alpha=alpha)
        return Estimate(
            value=found.value,
            low=found.low,
            high=found.high,
            n=found.n,
            n_clusters=found.n_clusters,
            method=f"labels alone, the judge tells nothing about them; {found.method}",
        )
    share = float(weights[judged].sum() / weights.sum())
    labels = {name: _counts(here.where(here.judge == passed)) for name, passed in ((PASS, True), (FAIL, False))}
    size = max(round(kish_size(weights)), 1)
    return post_stratified(labels, {PASS: share, FAIL: 1 - share}, judged=size, alpha=alpha)


def _from_error_rates(
    judged: npt.NDArray[np.bool_], weights: npt.NDArray[np.float64], audit: Labelled, alpha: float
) -> Estimate:
    positives, negatives = int(audit.human.sum()), int((~audit.human).sum())
    if not positives or not negatives:
        return Estimate(value=None, n=len(audit), n_clusters=len(audit), method="no labels of one of the classes")
    sensitivity, specificity = (
        float(audit.weights[mask & hit].sum() / audit.weights[mask].sum())
        for mask, hit in ((audit.human, audit.judge), (~audit.human, ~audit.judge))
    )
    return lang_reiczigel(
        float(weights[judged].sum() / weights.sum()),
        sensitivity=sensitivity,
        specificity=specificity,
        n=max(round(kish_size(weights)), 1),
        n_positive=positives,
        n_negative=negatives,
        alpha=alpha,
    )


def _counts(part: Labelled) -> tuple[int, int]:
    """Passed and labelled, with unequal weights as the equal ones of the same rate and Kish size."""
    size = round(kish_size(part.weights))
    rate = float(part.weights[part.human].sum() / part.weights.sum()) if len(part) else 0.0
    return round(rate * size), size


def _correlation(here: Labelled) -> float:
    if len(set(here.human.tolist())) < 2 or len(set(here.judge.tolist())) < 2:
        return 0.0
    return float(np.corrcoef(here.human, here.judge)[0, 1])


def labelled_of(human: Mapping[str, bool], judge: Mapping[str, bool], weights: Mapping[str, float]) -> Labelled:
    """The traces that both have a word about, in the order of ``human``."""
    both = [trace for trace in human if trace in judge]
    return Labelled(
        human=np.array([human[t] for t in both], dtype=bool),
        judge=np.array([judge[t] for t in both], dtype=bool),
        weights=np.array([weights.get(t, 1.0) for t in both], dtype=np.float64),
    )
