"""How far a judge agrees with people: coefficients with intervals, by class, by segment, beside the human ceiling."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from calibration.audit import PAIR, TIE, AuditInfo, Label
from calibration.bootstrap import bootstrap_ci
from calibration.consensus import rater_pairs
from calibration.kappa import agreement_weights
from calibration.matched import Matched, class_of, classes_of
from calibration.rates import rate_ci
from calibration.tables import cohen_kappa, gwet_ac1, krippendorff_nominal, raw_agreement
from judgefleet.statistics import Estimate


@dataclass(frozen=True, kw_only=True, slots=True)
class ClassFigures:
    """One label against the rest. ``sensitivity``: share of the items people gave it that the judge gave it too;
    ``specificity``: share of the others that the judge did not give it."""

    human: int
    judge: int
    sensitivity: Estimate
    specificity: Estimate


@dataclass(frozen=True, kw_only=True, slots=True)
class Agreement:
    """Agreement of one judge with people over ``n`` items. ``confusion``: counts, rows people, columns the judge.

    ``weighted_kappa``: half credit between TIE and a winner for pairs, linear weights for an ordered scale, else None.
    ``decisive``: raw agreement where neither called a tie, pairs only.
    """

    n: int
    labelled: int
    unparsed: int
    disputed: int
    agreement: Estimate
    kappa: Estimate
    weighted_kappa: Estimate | None
    ac1: Estimate
    alpha: Estimate
    decisive: Estimate | None
    classes: Mapping[str, ClassFigures]
    confusion: Mapping[str, Mapping[str, int]]
    segments: Mapping[str, Mapping[str, Estimate]] = field(default_factory=dict)


def agreement_of(info: AuditInfo, found: Matched, *, alpha: float = 0.05, segments: Iterable[str] = ()) -> Agreement:
    """All figures of ``found``. Intervals at level ``1 - alpha``: exact for rates, cluster bootstrap for coefficients.

    Segments are looked at together: with m of them each interval is at level ``1 - alpha / m`` (Bonferroni).
    """
    ordered = info.kind == PAIR or info.ordinal
    return Agreement(
        n=len(found),
        labelled=found.labelled,
        unparsed=found.unparsed,
        disputed=found.disputed,
        agreement=_raw(found, alpha),
        kappa=_kappa(found, alpha),
        weighted_kappa=_weighted(found, alpha) if ordered else None,
        ac1=_ac1(found, alpha),
        alpha=_alpha(found, alpha),
        decisive=_decisive(found, alpha) if info.kind == PAIR else None,
        classes={label: _class(found, place, alpha) for place, label in enumerate(found.classes)},
        confusion=_confusion(found),
        segments={key: by_segment(found, key, alpha) for key in segments},
    )


def one_figure(info: AuditInfo, found: Matched, metric: str, label: str | None, alpha: float) -> Estimate:
    """The figure that a policy names, alone; what a gate decides by is computed without the others."""
    if metric in ("sensitivity", "specificity"):
        if label not in found.classes:
            return Estimate(value=None, n=0, n_clusters=0, method=f"no label {label!r} in the audit")
        estimate: Estimate = getattr(_class(found, found.classes.index(label), alpha), metric)
        return estimate
    if metric in ("weighted_kappa", "decisive") and info.kind != PAIR and not info.ordinal:
        return Estimate(value=None, n=0, n_clusters=0, method=f"{metric} needs pairs or an ordered scale")
    return _FIGURES[metric](found, alpha)


def by_segment(found: Matched, key: str, alpha: float = 0.05) -> dict[str, Estimate]:
    """Raw agreement for each value of the segment ``key``, with intervals that hold for all of them together."""
    values = np.array([item.segments.get(key, "") for item in found.items], dtype=object)
    names = sorted(set(values.tolist()) - {""})
    parts = {name: found.where(np.asarray(values == name, dtype=bool)) for name in names}
    return {name: rate_ci(part.agree, part.weights, part.clusters, alpha / len(parts)) for name, part in parts.items()}


def human_ceiling(info: AuditInfo, labels: Iterable[Label], clusters: Mapping[str, str], alpha: float = 0.05) -> Any:
    """How far people agree with each other, which no judge can be expected to exceed: raw agreement of two raters and
    Krippendorff's alpha over items with two labels or more, bootstrapped over ``clusters`` (item id to cluster).
    """
    said = (replace(label, label=class_of(info, label.label, label.score), score=None) for label in labels)
    pairs = rater_pairs(label for label in said if label.label is not None)
    classes = classes_of(info, {word for given in pairs.values() for two in given for word in two})
    place = {label: n for n, label in enumerate(classes)}
    names = sorted({clusters.get(item, item) for item in pairs})
    at = {name: n for n, name in enumerate(names)}
    tables = np.zeros((len(names), len(classes), len(classes)))
    for item, given in pairs.items():
        for one, other in given:
            for a, b in ((one, other), (other, one)):  # raters have no order
                tables[at[clusters.get(item, item)], place[a], place[b]] += 0.5 / len(given)
    if not pairs:
        return {"items": 0, "agreement": Estimate(value=None, n=0, n_clusters=0, method="no item has two labels")}
    known: dict[str, Any] = {"n": len(pairs), "alpha": alpha}
    return {
        "items": len(pairs),
        "agreement": bootstrap_ci(tables, raw_agreement, what="agreement of two raters", **known),
        "alpha": bootstrap_ci(tables, krippendorff_nominal, what="Krippendorff's alpha of two raters", **known),
    }


def _coefficient(found: Matched, statistic: Callable[[Any], Any], what: str, alpha: float) -> Estimate:
    if not len(found):
        return Estimate(value=None, n=0, n_clusters=0, method=f"{what}; no data")
    return bootstrap_ci(found.per_cluster, statistic, n=len(found), what=what, alpha=alpha)


def _raw(found: Matched, alpha: float) -> Estimate:
    return rate_ci(found.agree, found.weights, found.clusters, alpha)


def _kappa(found: Matched, alpha: float) -> Estimate:
    return _coefficient(found, cohen_kappa, "Cohen's kappa", alpha)


def _ac1(found: Matched, alpha: float) -> Estimate:
    return _coefficient(found, gwet_ac1, "Gwet's AC1", alpha)


def _alpha(found: Matched, alpha: float) -> Estimate:
    return _coefficient(found, krippendorff_nominal, "Krippendorff's alpha, nominal", alpha)


def _weighted(found: Matched, alpha: float) -> Estimate:
    weights = agreement_weights("linear", len(found.classes))
    return _coefficient(found, lambda tables: cohen_kappa(tables, weights), "Cohen's kappa, linear weights", alpha)


def _decisive(found: Matched, alpha: float) -> Estimate:
    tie = found.classes.index(TIE) if TIE in found.classes else -1
    part = found.where((found.human != tie) & (found.judge != tie))
    return rate_ci(part.agree, part.weights, part.clusters, alpha)


def _class(found: Matched, place: int, alpha: float) -> ClassFigures:
    human, judge = found.human == place, found.judge == place
    rates = []
    for mask, hits in ((human, judge), (~human, ~judge)):
        part = found.where(mask)
        rates.append(rate_ci(hits[mask].astype(float), part.weights, part.clusters, alpha))
    return ClassFigures(human=int(human.sum()), judge=int(judge.sum()), sensitivity=rates[0], specificity=rates[1])


def _confusion(found: Matched) -> dict[str, dict[str, int]]:
    counts = np.zeros((len(found.classes), len(found.classes)), dtype=int)
    np.add.at(counts, (found.human, found.judge), 1)
    return {
        h: dict(zip(found.classes, map(int, row), strict=True)) for h, row in zip(found.classes, counts, strict=True)
    }


_FIGURES: Mapping[str, Callable[[Matched, float], Estimate]] = {
    "agreement": _raw,
    "kappa": _kappa,
    "weighted_kappa": _weighted,
    "ac1": _ac1,
    "alpha": _alpha,
    "decisive": _decisive,
}
