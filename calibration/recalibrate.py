"""What can be mended in a judge without another model: fitted on one part of the audit, reported on the other.

A map from grades to people's scale that never falls (isotonic regression); for pairs the pull of the first slot, a
temperature and a tie band. Nothing here can make a judge tell answers apart that it does not tell apart.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.optimize import isotonic_regression, minimize_scalar

from calibration.audit import TIE, A, AuditItem, B
from calibration.consensus import Consensus
from calibration.drift import exact_mcnemar
from calibration.judgements import Judgement, JudgeRun
from calibration.rates import rate_ci
from judgefleet.hashing import unit_interval
from judgefleet.statistics import Estimate

Floats = npt.NDArray[np.float64]
TRAIN_SHARE = 0.5
LEAST_TRAIN = 20
_BANDS = np.arange(0.0, 0.31, 0.02)


@dataclass(frozen=True, kw_only=True, slots=True)
class Refit:
    """``options``: what to add to the judge's configuration. ``before`` and ``after``: agreement on the held-out items,
    ``p_value``: exact McNemar test of the two; ``n_train`` items were fitted on."""

    options: Mapping[str, Any]
    before: Estimate
    after: Estimate
    p_value: float
    n_train: int
    n_held_out: int

    @property
    def helps(self) -> bool:
        """Whether the held-out agreement rose by more than chance (0.05)."""
        return self.p_value < 0.05 and (self.after.value or 0.0) > (self.before.value or 0.0)


def is_train(item: AuditItem, salt: str = "recalibrate") -> bool:
    """Whether the item is fitted on: half of the clusters, by hash, so that an item is always on the same side."""
    return unit_interval(item.cluster, salt) < TRAIN_SHARE


def unseen(items: Mapping[str, AuditItem], run: JudgeRun) -> JudgeRun:
    """The run without what its rubric may have been written from: where it shows items of this audit as examples, the
    half that is fitted on, and whatever shares a cluster with an example."""
    shown = {items[i].cluster for i in run.examples if i in items}
    if not shown:
        return run
    kept = {
        i: judged
        for i, judged in run.judgements.items()
        if i in items and not is_train(items[i]) and items[i].cluster not in shown
    }
    return replace(run, judgements=kept)


def refit_map(
    items: Mapping[str, AuditItem], people: Mapping[str, Consensus], run: JudgeRun, axis: str, cut: float
) -> Refit | None:
    """A monotone map from the judge's grade to people's; None with fewer than 20 items to fit on, or none held out."""
    rows: list[tuple[AuditItem, float, float]] = [
        (items[i], said.score, judged.score)
        for i, judged in run.judgements.items()
        if i in items and (said := people.get(i)) and said.score is not None and judged.score is not None
    ]
    train, held = _split(rows)
    if len(train) < LEAST_TRAIN or not held:
        return None
    knots = monotone_knots([grade for *_, grade in train], [score for _, score, _ in train])
    raw, fitted = [x for x, _ in knots], [y for _, y in knots]
    right = np.array([score >= cut for _, score, _ in held])
    grades = np.array([grade for *_, grade in held], dtype=np.float64)
    before = (grades >= cut) == right
    after = (np.interp(grades, raw, fitted) >= cut) == right
    return _refit({"value_map": {axis: [list(k) for k in knots]}}, before, after, [i for i, *_ in held], len(train))


def monotone_knots(grades: Sequence[float], scores: Sequence[float]) -> list[tuple[float, float]]:
    """Points of the least-squares map that never falls (Barlow et al. 1972), at the ends of its level stretches.

    >>> monotone_knots([1.0, 2.0, 3.0, 4.0], [1.0, 3.0, 2.0, 5.0])
    [(1.0, 1.0), (2.0, 2.5), (3.0, 2.5), (4.0, 5.0)]
    """
    x, place = np.unique(np.asarray(grades, dtype=np.float64), return_inverse=True)
    weights = np.bincount(place).astype(np.float64)
    means = np.bincount(place, np.asarray(scores, dtype=np.float64)) / weights
    y = np.asarray(isotonic_regression(means, weights=weights).x)
    inner = [k for k in range(len(x)) if k in (0, len(x) - 1) or y[k] != y[k - 1] or y[k] != y[k + 1]]
    knots = [(round(float(x[k]), 6), round(float(y[k]), 6)) for k in inner]
    return knots if len(knots) > 1 else [knots[0], (knots[0][0] + 1.0, knots[0][1])]


def refit_pairs(items: Mapping[str, AuditItem], people: Mapping[str, Consensus], run: JudgeRun) -> Refit | None:
    """Slot bias, temperature and tie band of a pairwise judge that gave probabilities in both orders, none to a tie."""
    rows: list[tuple[AuditItem, str, Judgement]] = [
        (items[i], said.label, judged)
        for i, judged in run.judgements.items()
        if i in items and (said := people.get(i)) and said.label and len(judged.odds) == 2 and not judged.may_tie
    ]
    train, held = _split(rows)
    if len(train) < LEAST_TRAIN or not held:
        return None
    odds = np.array([judged.odds for *_, judged in train], dtype=np.float64)
    bias = float(np.clip(odds.mean(), -20, 20))
    credit = np.array([{A: 1.0, TIE: 0.5, B: 0.0}[label] for _, label, _ in train])
    temperature = _temperature(odds - bias, credit)
    labels = [label for _, label, _ in train]
    band = max(_BANDS, key=lambda b: (_agrees([j for *_, j in train], labels, bias, temperature, float(b)).mean(), -b))
    wanted: list[str] = [label for _, label, _ in held]
    verdicts = [j for *_, j in held]
    before = np.array([j.combined == label for j, label in zip(verdicts, wanted, strict=True)])
    after = _agrees(verdicts, wanted, bias, temperature, float(band))
    options = {"order_bias": round(bias, 4), "temperature": round(temperature, 4), "tie_band": round(float(band), 4)}
    return _refit(options, before, after, [i for i, *_ in held], len(train))


def corrected_verdict(judged: Judgement, bias: float, temperature: float, band: float) -> str:
    """The verdict over both orders after the correction, as the pairwise judge reconciles it."""
    first, second = ((odds - bias) / temperature for odds in judged.odds)
    value = (1 / (1 + np.exp(-first)) + 1 - 1 / (1 + np.exp(-second))) / 2
    if (first > 0) == (second > 0) or (band > 0 and abs(value - 0.5) <= band):
        return TIE
    return A if first > 0 else B


def _agrees(judged: Sequence[Judgement], labels: Sequence[str], bias: float, temperature: float, band: float) -> Any:
    return np.array(
        [corrected_verdict(j, bias, temperature, band) == label for j, label in zip(judged, labels, strict=True)]
    )


def _temperature(odds: Floats, credit: Floats) -> float:
    """The temperature with the smallest log loss of the value over both orders (Guo et al. 2017)."""

    def loss(log_temperature: float) -> float:
        p = 1 / (1 + np.exp(-odds / np.exp(log_temperature)))
        value = np.clip((p[:, 0] + 1 - p[:, 1]) / 2, 1e-6, 1 - 1e-6)
        return float(-(credit * np.log(value) + (1 - credit) * np.log(1 - value)).mean())

    return float(np.exp(minimize_scalar(loss, bounds=(-3, 3), method="bounded").x))


def _split(rows: Sequence[tuple[AuditItem, Any, Any]]) -> tuple[list[Any], list[Any]]:
    return [r for r in rows if is_train(r[0])], [r for r in rows if not is_train(r[0])]


def _refit(options: Mapping[str, Any], before: Any, after: Any, held: Sequence[AuditItem], n_train: int) -> Refit:
    clusters = [item.cluster for item in held]
    weights = [1 / item.inclusion_probability for item in held]
    rate: Callable[[Any], Estimate] = lambda hits: rate_ci(hits.astype(float), weights, clusters)  # noqa: E731
    gained, lost = int((after & ~before).sum()), int((before & ~after).sum())
    return Refit(
        options=options,
        before=rate(before),
        after=rate(after),
        p_value=exact_mcnemar(gained, lost),
        n_train=n_train,
        n_held_out=len(held),
    )
