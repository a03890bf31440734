"""Do a judge's probabilities mean what they say: reliability by bins, expected calibration error, Brier score."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from calibration.audit import AuditInfo
from calibration.bootstrap import bootstrap_ci
from calibration.judgements import JudgeRun
from calibration.matched import Matched, class_of
from calibration.rates import rate_ci
from judgefleet.statistics import Estimate

BINS = 10


@dataclass(frozen=True, kw_only=True, slots=True)
class Bin:
    """Items whose confidence lies in [low, high): their mean confidence, and how often the judge was right, with the
    exact 95 % interval; None for items of one cluster."""

    low: float
    high: float
    n: int
    confidence: float
    accuracy: float
    accuracy_low: float | None = None
    accuracy_high: float | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Reliability:
    """``ece``: expected calibration error over ten bins of equal width (Guo et al. 2017); ``brier``: mean squared error
    of the confidence as a forecast of being right (Brier 1950). Confidence is the probability of the verdict given."""

    ece: Estimate
    brier: Estimate
    bins: tuple[Bin, ...]


def reliability(info: AuditInfo, found: Matched, run: JudgeRun) -> Reliability | None:
    """Over the items whose judgement carries probabilities; None where none does. With a cut, the probability of a pass
    is that of all labels from the cut on."""
    said = [run.judgements[item.item_id].probabilities for item in found.items]
    labels = [found.classes[place] for place in found.judge]
    confidence = np.array([_of(info, p, label) for p, label in zip(said, labels, strict=True)], dtype=np.float64)
    known = np.isfinite(confidence)
    if not known.any():
        return None
    right, part = found.agree[known], found.where(known)
    return _measured(confidence[known], right, part.weights, part.clusters)


def _measured(confidence: npt.NDArray[np.float64], right: Any, weights: Any, clusters: Any) -> Reliability:
    places = np.minimum((confidence * BINS).astype(int), BINS - 1)
    sums = np.zeros((int(clusters.max()) + 1, BINS, 3))
    for column, values in enumerate((np.ones_like(confidence), confidence, right)):
        np.add.at(sums[:, :, column], (clusters, places), weights * values)
    errors = np.zeros((len(sums), 2))
    np.add.at(errors, clusters, np.column_stack([weights * (confidence - right) ** 2, weights]))
    n = len(confidence)
    return Reliability(
        ece=bootstrap_ci(sums, _ece, n=n, what="expected calibration error, 10 bins"),
        brier=bootstrap_ci(errors, lambda s: s[..., 0] / s[..., 1], n=n, what="Brier score"),
        bins=tuple(
            _bin(int(place), confidence[mask], rate_ci(right[mask], weights[mask], clusters[mask]), weights[mask])
            for place, mask in ((place, places == place) for place in np.unique(places))
        ),
    )


def _ece(sums: Any) -> Any:
    return np.abs(sums[..., 1] - sums[..., 2]).sum(-1) / sums[..., 0].sum(-1)


def _bin(place: int, confidence: npt.NDArray[np.float64], right: Estimate, weights: Any) -> Bin:
    return Bin(
        low=place / BINS,
        high=(place + 1) / BINS,
        n=len(confidence),
        confidence=float(weights @ confidence / weights.sum()),
        accuracy=right.value or 0.0,
        accuracy_low=right.low,
        accuracy_high=right.high,
    )


def _of(info: AuditInfo, probabilities: Mapping[str, float], label: str) -> float:
    if info.cut is None or not probabilities:
        return probabilities.get(label, float("nan"))
    return sum(p for name, p in probabilities.items() if class_of(info, name, None) == label)
